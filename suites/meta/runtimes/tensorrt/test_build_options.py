"""What else an engine may be built for: asked of a real TensorRT, told apart from what it lacks."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fixtures.runtimes.tensorrt import versions, worker
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import BuildOptions
from fixtures.verdicts import NotRun


@pytest.fixture(scope="module")
def rtx() -> Iterator[TensorRT]:
    """Yield the TensorRT-RTX of this interpreter."""
    interpreter = versions.default_interpreter()
    if interpreter is None:
        pytest.skip(f"{sys.executable} has none of {', '.join(worker.MODULES)}")
    with TensorRT(interpreter, timeout=120) as runtime:
        if runtime.identity.flavour != "tensorrt-rtx":
            pytest.skip(f"{runtime.identity.label} is no TensorRT-RTX")
        yield runtime


@pytest.fixture
def relu(tmp_path: Path) -> Path:
    """Write a network of one node."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"], name="rectify")], "net",
        [value("x", TensorProto.FLOAT, (1, 4))], [value("y", TensorProto.FLOAT, (1, 4))],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, tmp_path / "relu.onnx")
    return tmp_path / "relu.onnx"


@pytest.mark.parametrize(
    "options",
    [
        BuildOptions(compute_capabilities=("8.6",)),
        BuildOptions(detailed=True),
        BuildOptions(optimization_level=0),
    ],
    ids=["compute-capability", "detailed", "optimization-level"],
)
def test_options_that_need_no_gpu_build(rtx: TensorRT, relu: Path, options: BuildOptions) -> None:
    """An engine for a named compute capability, a detailed one, or one made quickly builds on any machine."""
    build = rtx.build(relu, options=options)
    assert build.ok, build.problem


def test_fewer_targets_make_a_smaller_engine(rtx: TensorRT, relu: Path) -> None:
    """The option reaches the builder: one target takes fewer bytes than two."""
    sizes = [
        rtx.build(relu, options=BuildOptions(compute_capabilities=targets)).engine_bytes
        for targets in (("8.6",), ("8.6", "12.0"))
    ]
    assert 0 < sizes[0] < sizes[1]


def test_a_timing_cache_is_never_given_to_rtx(rtx: TensorRT, relu: Path, tmp_path: Path) -> None:
    """The option is without effect: no file appears, and a machine without a GPU still builds."""
    cache = tmp_path / "timing.cache"
    assert rtx.build(relu, options=BuildOptions(timing_cache=str(cache))).ok
    assert not cache.exists()


def test_what_a_release_lacks_is_named(rtx: TensorRT, relu: Path) -> None:
    """A compute capability that RTX does not know is not run, and named."""
    with pytest.raises(NotRun, match=r"has no .*7\.0"):
        rtx.build(relu, options=BuildOptions(compute_capabilities=("7.0",)))


def test_calibration_without_calibrators_says_what_to_do(rtx: TensorRT, relu: Path) -> None:
    """TensorRT-RTX takes no calibration samples: the answer is Q/DQ, not a silent fp32 engine."""
    with pytest.raises(NotRun, match="put Q/DQ into the ONNX model"):
        rtx.build(relu, precision="int8", calibration={"x": np.zeros((2, 1, 4), np.float32)})


def linear(path: Path, factor: float) -> Path:
    """Write y = x @ w with a constant w."""
    weight = onnx.numpy_helper.from_array(np.full((16, 16), factor, np.float32), "w")
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")], "net",
        [value("x", TensorProto.FLOAT, (1, 16))], [value("y", TensorProto.FLOAT, (1, 16))], [weight],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize(
    "options", [BuildOptions(refit=True), BuildOptions(strip=True)], ids=["refit", "strip"]
)
def test_weights_are_exchanged(rtx: TensorRT, tmp_path: Path, options: BuildOptions) -> None:
    """An engine built to be refitted, or without weights, gives what the model it is refitted from gives."""
    if rtx.identity.device is None:
        pytest.skip(f"refitting runs the engine: {rtx.identity.device_reason}")
    one, two = linear(tmp_path / "one.onnx", 1.0), linear(tmp_path / "two.onnx", 2.0)
    engine, refitted = tmp_path / "one.engine", tmp_path / "two.engine"
    build = rtx.build(one, engine=engine, options=options)
    if "CUDA error 222" in build.problem:
        pytest.skip(f"this driver is older than what the release compiles for: {build.problem}")
    assert build.ok, build.problem
    rtx.refit(engine, two, refitted)
    x = {"x": np.ones((1, 16), np.float32)}
    assert np.array_equal(rtx.engine(refitted).run([x])[0]["y"], np.full((1, 16), 32, np.float32))


def test_external_data_that_is_missing_is_named(rtx: TensorRT, tmp_path: Path) -> None:
    """A model whose weights lie in another file, which is not there: the error names that file."""
    weight = onnx.numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")], "net",
        [value("x", TensorProto.FLOAT, (1, 4))], [value("y", TensorProto.FLOAT, (1, 4))], [weight],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0)
    assert rtx.build(tmp_path / "m.onnx").ok
    (tmp_path / "m.bin").unlink()
    build = rtx.build(tmp_path / "m.onnx")
    assert (build.ok, build.stage) == (False, "parser")
    assert f"{tmp_path / 'm.bin'} cannot be read" in build.problem
