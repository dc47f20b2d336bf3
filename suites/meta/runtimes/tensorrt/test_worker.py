"""The TensorRT worker: real builds by whichever TensorRT the running interpreter has."""

from __future__ import annotations

import ast
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.process import WorkerStartError
from fixtures.runtimes.tensorrt import versions, worker
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import build_from
from fixtures.store.files import sha256_of
from fixtures.verdicts import Crashed, NotRun, StageError, Unsupported

SWITCH = {worker.TEST_SWITCH: "1"}
RELU = [helper.make_node("Relu", ["x"], ["y"], name="rectify")]
OUTPUTS_OF_MAXPOOL = [
    helper.make_node("Relu", ["x"], ["r"], name="rectify"),
    helper.make_node("MaxPool", ["r"], ["y", "where"], name="two_outputs", kernel_shape=[2, 2]),
]
QUANTIZED = [
    helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], name="quantize"),
    helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"], name="dequantize"),
]


@pytest.fixture(scope="module")
def trt() -> Iterator[TensorRT]:
    """One worker for the tests that leave it whole, and for those that must not care."""
    interpreter = versions.default_interpreter()
    if interpreter is None:
        pytest.skip(f"{sys.executable} has none of {', '.join(worker.MODULES)}")
    with TensorRT(interpreter, timeout=120, environment=SWITCH) as runtime:
        yield runtime


def save(
    path: Path,
    nodes: Sequence[NodeProto],
    *,
    shape: Sequence[int | str] = (1, 4, 8, 8),
    dtype: int = TensorProto.FLOAT,
    outputs: Sequence[str] = ("y",),
) -> Path:
    """Write an ONNX model (opset 17) of one input ``x`` and with the few constants used here."""
    constants: dict[str, np.ndarray] = {
        "w": np.full((4, 4, 3, 3), 0.5, np.float32),
        "scale": np.array(0.1, np.float32),
        "zero": np.array(0, np.int8),
    }
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", dtype, shape)],
        [helper.make_tensor_value_info(name, dtype, None) for name in outputs],
        [numpy_helper.from_array(a, name) for name, a in constants.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def slow_model(path: Path) -> Path:
    """Write a model that any TensorRT builds for seconds: a chain of a thousand convolutions."""
    nodes, last = [], "x"
    halve: dict[str, Any] = {"kernel_shape": [2, 1], "strides": [2, 1]}
    for i in range(1000):
        nodes.append(helper.make_node("Conv", [last, "w"], [f"c{i}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Concat", [f"c{i}", last], [f"k{i}"], axis=2))
        nodes.append(helper.make_node("MaxPool", [f"k{i}"], [f"p{i}"], **halve))
        last = f"p{i}"
    return save(path, nodes, outputs=[last])


def test_identity(trt: TensorRT) -> None:
    """The worker says which TensorRT and Python it is, and why there is no device."""
    identity = trt.identity
    assert identity.version[0].isdigit()
    prefix = {"tensorrt": "trt", "tensorrt-rtx": "rtx"}[identity.flavour]
    assert identity.label == prefix + identity.version
    assert identity.python == sys.version.split()[0]
    assert (identity.device is None) == bool(identity.device_reason)


@pytest.mark.parametrize("precision", ["fp32", "tf32"])
def test_build(trt: TensorRT, tmp_path: Path, precision: str) -> None:
    """A convolution builds, and the report describes it."""
    conv = [helper.make_node("Conv", ["x", "w"], ["y"], name="conv")]
    build = trt.build(save(tmp_path / "m.onnx", conv), precision=precision)
    assert build.ok, build.problem
    assert (build.stage, build.errors, build.problem) == ("builder", (), "")
    assert build.layers >= 1
    assert build_from(asdict(build)) == build
    assert min(build.engine_bytes, build.parse_seconds, build.build_seconds) > 0
    assert [(t.name, t.dtype, t.shape) for t in build.inputs] == [("x", "float32", (1, 4, 8, 8))]
    assert [(t.name, t.dtype, t.shape) for t in build.outputs] == [("y", "float32", (1, 4, 6, 6))]


def test_engine_file(trt: TensorRT, tmp_path: Path) -> None:
    """The engine file is what was reported, replaces an older one, and nothing lies beside it."""
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "m.engine"
    engine.write_bytes(b"old")
    build = trt.build(model, engine=engine)
    assert (engine.stat().st_size, sha256_of(engine)) == (build.engine_bytes, build.engine_sha256)
    assert set(tmp_path.iterdir()) == {model, engine}


def test_engine_that_cannot_be_written(trt: TensorRT, tmp_path: Path) -> None:
    """An engine that cannot be put in its place leaves nothing behind."""
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "taken"
    engine.mkdir()
    with pytest.raises(StageError, match="taken"):
        trt.build(model, engine=engine)
    assert set(tmp_path.iterdir()) == {model, engine}


def test_unsupported_operator(trt: TensorRT, tmp_path: Path) -> None:
    """An operator that the parser refuses is named by node, with the parser's reason."""
    build = trt.build(save(tmp_path / "m.onnx", OUTPUTS_OF_MAXPOOL))
    assert (build.ok, build.stage, build.engine_sha256) == (False, "parser", "")
    error = build.errors[0]
    assert (error.name, error.operator, error.index) == ("two_outputs", "MaxPool", 1)
    assert error.description
    assert "two_outputs" in build.problem
    assert any(line.startswith("ERROR") for line in build.log)


def test_not_onnx(trt: TensorRT, tmp_path: Path) -> None:
    """A file that is no ONNX model is refused by the parser, in words."""
    path = tmp_path / "m.onnx"
    path.write_text("not a model")
    build = trt.build(path)
    assert (build.ok, build.stage) == (False, "parser")
    assert "parse" in build.problem.lower()


def test_missing_file(trt: TensorRT, tmp_path: Path) -> None:
    """A file that is not there is an error of the parser's hop that names the file."""
    with pytest.raises(StageError, match=r"absent\.onnx: no such file") as caught:
        trt.build(tmp_path / "absent.onnx")
    assert caught.value.hop == "parser"


def test_dynamic_input(trt: TensorRT, tmp_path: Path) -> None:
    """A dynamic input needs a profile: without one it is named, with one the model builds."""
    model = save(tmp_path / "m.onnx", RELU, shape=("n", 4, 8, 8))
    with pytest.raises(StageError, match=r"input 'x' has the dynamic shape \(-1, 4, 8, 8\)"):
        trt.build(model)
    with pytest.raises(StageError, match="profile of 'z'"):
        trt.build(model, profiles={"z": [(1,), (1,), (1,)]})
    profiles = {"x": [(1, 4, 8, 8), (2, 4, 8, 8), (4, 4, 8, 8)]}
    build = trt.build(model, profiles=profiles)
    assert build.ok, build.problem
    assert build.inputs[0].shape == (-1, 4, 8, 8)


def test_impossible_precision(trt: TensorRT, tmp_path: Path) -> None:
    """A precision that the model cannot have here is an error that says what it needs."""
    model = save(tmp_path / "m.onnx", RELU)
    with pytest.raises(StageError, match="precision 'bf16'"):
        trt.build(model, precision="bf16")
    with pytest.raises(StageError, match="int8 needs an ONNX model with QuantizeLinear"):
        trt.build(model, precision="int8")
    if trt.identity.flavour == "tensorrt-rtx":
        with pytest.raises(StageError, match="strongly typed: fp16 needs"):
            trt.build(model, precision="fp16")


@pytest.mark.parametrize(
    ("precision", "nodes", "dtype"),
    [("fp16", RELU, TensorProto.FLOAT16), ("int8", QUANTIZED, TensorProto.FLOAT)],
)
def test_typed_precision(
    trt: TensorRT, tmp_path: Path, precision: str, nodes: list[NodeProto], dtype: int
) -> None:
    """A model typed fp16 builds as fp16, and one with Q/DQ as int8."""
    build = trt.build(save(tmp_path / "m.onnx", nodes, dtype=dtype), precision=precision)
    if trt.identity.device is None and "cuda" in build.problem.lower():
        pytest.skip(f"{trt.identity.label} needs a device for it: {build.problem}")
    assert build.ok, build.problem
    assert build.inputs[0].dtype == helper.tensor_dtype_to_np_dtype(dtype).name


def test_killed_while_building(trt: TensorRT, tmp_path: Path) -> None:
    """A worker killed in the middle of a build is Crashed, and the next build has a new worker."""
    model, engine = slow_model(tmp_path / "slow.onnx"), tmp_path / "slow.engine"
    assert trt.build(save(tmp_path / "m.onnx", RELU)).ok
    pid = trt.pid
    assert pid is not None
    killer = threading.Timer(0.4, os.kill, (pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(Crashed, match=r"SIGKILL during 'build' .*out-of-memory"):
        trt.build(model, engine=engine)
    killer.join()
    assert not engine.exists()
    assert trt.build(tmp_path / "m.onnx").ok
    assert trt.pid != pid


def test_build_outruns_its_time(trt: TensorRT, tmp_path: Path) -> None:
    """A build that outruns its time is Crashed soon, naming the limit and the remedy."""
    model = slow_model(tmp_path / "slow.onnx")
    with TensorRT(trt.interpreter, timeout=2) as hurried:
        assert hurried.identity.version == trt.identity.version
        hurried._child.timeout = 0.5
        start = time.monotonic()
        with pytest.raises(Crashed, match=r"'build' within 0\.5 s .* raise the limit"):
            hurried.build(model)
        assert time.monotonic() - start < 5


def test_worker_that_misbehaves(trt: TensorRT, tmp_path: Path) -> None:
    """Noise on stdout leaves the next build whole, and a death leaves the one after whole."""
    model = save(tmp_path / "m.onnx", RELU)
    trt.misbehave("noise")
    assert trt.build(model).ok
    with pytest.raises(Crashed, match="SIGKILL"):
        trt.misbehave("kill")
    assert trt.build(model).ok


def test_run_without_device(trt: TensorRT, tmp_path: Path) -> None:
    """Where there is no CUDA device, to run or time an engine is NotRun, and the text says why."""
    if trt.identity.device is not None:
        pytest.skip(f"this machine has a device: {trt.identity.device.name}")
    engine, inputs = tmp_path / "m.engine", {"x": np.zeros((1, 4, 8, 8), np.float32)}
    trt.build(save(tmp_path / "m.onnx", RELU), engine=engine)
    with pytest.raises(NotRun) as caught:
        trt.engine(engine).run([inputs])
    assert str(caught.value) == trt.identity.device_reason
    with pytest.raises(NotRun):
        trt.engine(engine).timing(inputs, iterations=1, warmup=1)


@pytest.fixture
def on_device(trt: TensorRT, tmp_path: Path) -> Path:
    """Build a Relu into an engine that this machine's device can run."""
    if trt.identity.device is None:
        pytest.skip(trt.identity.device_reason)
    engine = tmp_path / "m.engine"
    trt.build(save(tmp_path / "m.onnx", RELU), engine=engine)
    try:
        trt.engine(engine).load()
    except Unsupported as error:
        pytest.skip(str(error))
    return engine


def test_run(trt: TensorRT, on_device: Path) -> None:
    """An engine on the device gives exactly what a Relu gives, every time."""
    for seed in range(2):
        x = np.random.default_rng(seed).standard_normal((1, 4, 8, 8)).astype(np.float32)
        outputs = trt.engine(on_device).run([{"x": x}])[0]
        assert list(outputs) == ["y"]
        np.testing.assert_array_equal(outputs["y"], np.maximum(x, 0))


@pytest.mark.parametrize(("precision", "least", "most"), [("fp32", 0.0, 1e-5), ("tf32", 1e-4, 1e-2)])
def test_precision_is_what_was_asked_for(
    trt: TensorRT, on_device: Path, precision: str, least: float, most: float
) -> None:
    """A convolution in fp32 is as exact as fp32 is, and one in TF32 is not."""
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])]
    model = save(on_device.with_name("conv.onnx"), nodes, shape=(1, 4, 64, 64))
    trt.build(model, precision=precision, engine=on_device)
    sample = {"x": np.random.default_rng(0).standard_normal((1, 4, 64, 64)).astype(np.float32)}
    expected = OnnxRuntime(model).run([sample])[0]["y"]
    error = trt.engine(on_device, precision).run([sample])[0]["y"] - expected
    assert least <= np.linalg.norm(error) / np.linalg.norm(expected) < most


def test_time(trt: TensorRT, on_device: Path) -> None:
    """Timing gives as many positive samples as were asked for, of enqueues and of graph replays."""
    timing = trt.engine(on_device).timing({"x": np.ones((1, 4, 8, 8), np.float32)}, iterations=5, warmup=2)
    assert len(timing.enqueue_ms) == 5
    assert min(timing.enqueue_ms) > 0
    assert timing.graph_ms is not None, timing.graph_reason
    assert len(timing.graph_ms) == 5


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, r"inputs \[\] were given, the engine takes \['x'\]"),
        ({"x": np.ones((1, 4, 8, 8))}, "input 'x' is float64"),
        ({"x": np.ones((1, 4, 8, 9), np.float32)}, r"'x' is float32 \(1, 4, 8, 9\): the engine"),
    ],
)
def test_wrong_inputs(trt: TensorRT, on_device: Path, inputs: dict[str, np.ndarray], message: str) -> None:
    """Inputs of another name, dtype or shape than the engine's are named."""
    with pytest.raises(StageError, match=message):
        trt.engine(on_device).run([inputs])


def test_broken_engine(trt: TensorRT, on_device: Path) -> None:
    """An engine file that is damaged is refused as a failure, not as unsupported."""
    on_device.write_bytes(on_device.read_bytes()[:1000])
    with pytest.raises(StageError, match="refuses to deserialize") as caught:
        trt.engine(on_device).run([{"x": np.ones((1, 4, 8, 8), np.float32)}])
    assert caught.value.verdict == "failed"


HIDE_TENSORRT = """
import runpy, sys

class Hide:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("tensorrt"):
            raise ModuleNotFoundError("hidden " + name)

sys.meta_path.insert(0, Hide)
runpy.run_path(sys.argv[1], run_name="__main__")
"""
SCRIPTS = {
    "no tensorrt": (HIDE_TENSORRT, "no TensorRT can be imported (tensorrt: hidden tensorrt; "),
    "no numpy": ("import sys; sys.exit('No module named numpy')", "No module named numpy"),
    "garbage": ("print('Welcome!' * 9)", "not the start of a frame: b'Welcome!"),
    "nothing": ("pass", "exit status 0"),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_interpreter_that_is_none(tmp_path: Path, case: str) -> None:
    """An interpreter that is no use is one line: which one, what happened, what to do."""
    code, message = SCRIPTS[case]
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{code}\n")
    script.chmod(0o755)
    with TensorRT(script, timeout=60) as trt, pytest.raises(WorkerStartError) as caught:
        _ = trt.identity
    text = str(caught.value)
    assert text.startswith(f"{script} gives no TensorRT worker: ")
    assert message in text
    assert text.endswith("give --tensorrt an interpreter that has numpy and tensorrt or tensorrt_rtx")


BROKEN = {
    "Python version mismatch: module was compiled for Python 3.10, but the interpreter is 3.11": (
        "that is a wheel for another Python: give the interpreter that it is for"
    ),
    "No module named 'tensorrt_bindings.tensorrt'": "that is a wheel for another Python",
    "libcuda.so.1: cannot open shared object file: No such file": "NVIDIA's driver is missing: install it",
    "libnvinfer.so.7: cannot open shared object file: No such file": "to LD_LIBRARY_PATH: `lib` of",
    "libcudnn.so.8: cannot open shared object file: No such file": "or that of CUDA or cuDNN",
}


@pytest.mark.parametrize("cause", BROKEN)
def test_tensorrt_that_cannot_be_imported(tmp_path: Path, cause: str) -> None:
    """A TensorRT for another Python, and one without driver or libraries, get the remedy of that cause."""
    for name in worker.MODULES:
        (tmp_path / f"{name}.py").write_text(f"raise ImportError({cause!r})\n")
    environment = {"PYTHONPATH": str(tmp_path)}
    with TensorRT(sys.executable, environment=environment) as trt, pytest.raises(WorkerStartError) as caught:
        _ = trt.identity
    assert cause in str(caught.value)
    assert BROKEN[cause] in str(caught.value)


def test_interpreter_that_cannot_be_executed(tmp_path: Path) -> None:
    """A missing file, and one that cannot be executed, are said to be so."""
    (tmp_path / "plain").write_text("")
    for name, message in [("absent", "No such file"), ("plain", "Permission denied")]:
        with TensorRT(tmp_path / name) as trt, pytest.raises(WorkerStartError, match=message):
            _ = trt.identity


def test_resolve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter is found by path or by name, and a link to it stays a link."""
    link = tmp_path / "python-of-an-environment"
    link.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert versions.resolve(str(link)) == link
    assert versions.resolve(link.name) == link


def test_resolve_what_is_no_interpreter(tmp_path: Path) -> None:
    """What is no interpreter is refused, and an environment's folder gets the path it has."""
    (tmp_path / "rtx15/bin").mkdir(parents=True)
    (tmp_path / "rtx15/bin/python").symlink_to(sys.executable)
    (tmp_path / "plain").write_text("")
    cases = {
        "rtx15": r"is a directory: did you mean --tensorrt .*rtx15/bin/python\?",
        "rtx15/bin": "is a directory: give the Python that has TensorRT, .* or a folder with its wheels",
        "plain": "cannot be executed",
        "absent": "no such interpreter",
    }
    for name, message in cases.items():
        with pytest.raises(StageError, match=message):
            versions.resolve(str(tmp_path / name))


def test_default_interpreter() -> None:
    """With no TensorRT beside it, the running interpreter is not offered; with one it is."""
    assert versions.default_interpreter() in (None, Path(sys.executable))


def test_worker_is_python_36() -> None:
    """The worker is Python 3.6 syntax and imports nothing that an old interpreter may lack."""
    tree = ast.parse(Path(worker.__file__).read_text("utf-8"), feature_version=(3, 6))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    newer = {"dataclasses", "tomllib", "graphlib", "zoneinfo", "contextvars", "__future__"}
    allowed = (set(sys.stdlib_module_names) - newer) | {"numpy", "pycuda"}
    assert {name.split(".")[0] for name in names} <= allowed
    assert set(worker.MODULES) <= {f"tensorrt{a}{b}" for a in ("", "_rtx") for b in ("", "_bindings")}
