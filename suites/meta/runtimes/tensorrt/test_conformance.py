"""The worker's flow on every TensorRT's names. It proves no number: what executes is ONNX Runtime.

Each worker is the real one, in a process of its own, whose `tensorrt` is the stand-in of
`suites.meta.stand_ins.tensorrt_bindings.module`: it has the names of one release's wheel and no other.
For 7.x and 8.0 to 8.5 no wheel was had, so that their names are unverified.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from onnx import TensorProto, helper

from fixtures.compatibility.specimens.sketch import Sketch
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.tensorrt import worker
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.verdicts import NotRun, StageError, Unsupported
from suites.meta.runtimes.tensorrt.test_worker import QUANTIZED, RELU, save
from suites.meta.stand_ins.tensorrt_bindings import conformance, cuda
from suites.meta.stand_ins.tensorrt_bindings.names import Release, releases

RELEASES = releases()
SHAPE = (1, 4, 8, 8)
NEWEST = list(RELEASES)[-1]


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Release:
    """Each release whose names are known, or read from its sources."""
    return RELEASES[request.param]


@pytest.fixture(scope="module")
def trt(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TensorRT]:
    """One worker a release."""
    with conformance.worker(tmp_path_factory.mktemp("names") / "modules", release) as client:
        yield client


def sample(*shape: int, seed: int = 0) -> np.ndarray:
    """Random numbers, float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def plan(engine: Path) -> dict[str, Any]:
    """Return what the stand-in's builder was asked for."""
    about: dict[str, Any] = json.loads(engine.read_bytes().splitlines()[1])
    return about


def test_identity(trt: TensorRT, release: Release) -> None:
    """The worker takes the stand-in for that TensorRT, and for no other that is installed."""
    assert trt.identity.label == f"trt{release.version}"
    assert trt.identity.device is not None
    assert (trt.identity.device.name, trt.identity.device.driver[-9:]) == ("stand-in", "CUDA 12.8")


@pytest.mark.parametrize(
    ("precision", "flag", "message"),
    [
        ("fp32", "", ""),
        ("tf32", "TF32", "this TensorRT has no TF32 flag"),
        ("fp16", "FP16", "strongly typed: fp16 needs"),
    ],
)
def test_precision(
    trt: TensorRT, release: Release, tmp_path: Path, precision: str, flag: str, message: str
) -> None:
    """A precision becomes its flag where the release has one, and a refusal in words elsewhere."""
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "m.engine"
    if flag and not release.has(f"BuilderFlag.{flag}"):
        with pytest.raises(StageError, match=message):
            trt.build(model, precision=precision)
        return
    build = trt.build(model, precision=precision, engine=engine)
    assert build.ok, build.problem
    optional = {"TF32"} & set(plan(engine)["flags"]) if precision == "fp16" else set()
    assert set(plan(engine)["flags"]) == ({flag} if flag else set()) | optional


def two_by_two(path: Path) -> Path:
    """Write a model with two inputs and two outputs, no two alike in dtype and shape."""
    nodes = [
        helper.make_node("Mul", ["x", "s"], ["scaled"]),
        helper.make_node("ReduceMax", ["scaled"], ["most"], axes=[1, 2]),
        helper.make_node("Cast", ["most"], ["half"], to=TensorProto.FLOAT16),
    ]
    inputs = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
        for n, s in [("x", (2, 3, 5)), ("s", (2, 1, 1))]
    ]
    outputs = [
        helper.make_tensor_value_info("half", TensorProto.FLOAT16, (2, 1, 1)),
        helper.make_tensor_value_info("scaled", TensorProto.FLOAT, (2, 3, 5)),
    ]
    graph = helper.make_graph(nodes, "test", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_run(trt: TensorRT, tmp_path: Path) -> None:
    """Inputs and outputs keep their names, order, dtypes and shapes on the way through the engine."""
    model, engine = two_by_two(tmp_path / "m.onnx"), tmp_path / "m.engine"
    trt.build(model, engine=engine)
    for seed in range(2):
        given = {"s": sample(2, 1, 1, seed=seed), "x": sample(2, 3, 5, seed=seed)}
        outputs, expected = trt.engine(engine).run([given])[0], OnnxRuntime(model).run([given])[0]
        assert list(outputs) == list(expected) == ["half", "scaled"]
        for name, array in expected.items():
            np.testing.assert_array_equal(outputs[name], array, strict=True)


def test_dynamic_shape(trt: TensorRT, tmp_path: Path) -> None:
    """One engine takes every shape of its profile, and names a shape outside of it."""
    model, engine = save(tmp_path / "m.onnx", RELU, shape=("n", 4, 8, 8)), tmp_path / "m.engine"
    with pytest.raises(StageError, match="dynamic shape"):
        trt.build(model)
    assert trt.build(model, engine=engine, profiles={"x": [(1, 4, 8, 8), (2, 4, 8, 8), (3, 4, 8, 8)]}).ok
    for batch in (3, 1, 2):
        x = sample(batch, 4, 8, 8)
        np.testing.assert_array_equal(trt.engine(engine).run([{"x": x}])[0]["y"], np.maximum(x, 0))
    with pytest.raises(StageError, match=r"\(4, 4, 8, 8\): the engine takes .* within its profile"):
        trt.engine(engine).run([{"x": sample(4, 4, 8, 8)}])


def test_a_shape_that_depends_on_data(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """A builder that wants a profile though no axis is dynamic is asked again, with an empty one."""
    sketch = Sketch(13)
    sketch.end("NonZero", sketch.feed("FLOAT", 4, 8))
    model = tmp_path / "m.onnx"
    model.write_bytes(sketch.model().SerializeToString())
    build = trt.build(model, engine=tmp_path / "m.engine")
    assert build.ok, build.problem
    assert any("profile != nullptr" in line for line in build.log) == release.version.startswith("8.5")


def test_int64(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """An int64 input goes in as it is where the release has INT64, else narrowed; never cut off."""
    nodes = [helper.make_node("Neg", ["x"], ["y"])]
    model, engine = (
        save(tmp_path / "m.onnx", nodes, shape=(3,), dtype=TensorProto.INT64),
        tmp_path / "m.engine",
    )
    wide = release.has("DataType.INT64")
    build = trt.build(model, engine=engine)
    assert build.inputs[0].dtype == ("int64" if wide else "int32")
    assert trt.engine(engine).run([{"x": np.array([1, -2, 3])}])[0]["y"].tolist() == [-1, 2, -3]
    large = {"x": np.array([1, 2, 1 << 40])}
    if wide:
        assert trt.engine(engine).run([large])[0]["y"].tolist() == [-1, -2, -(1 << 40)]
    else:
        with pytest.raises(StageError, match=r"input 'x' is int64 .* beyond int32"):
            trt.engine(engine).run([large])


def test_time(trt: TensorRT, tmp_path: Path) -> None:
    """Timing enqueues as often as asked, and says why there is no CUDA graph of a stand-in."""
    trt.build(save(tmp_path / "m.onnx", RELU), engine=tmp_path / "m.engine")
    engine, given = trt.engine(tmp_path / "m.engine"), {"x": sample(*SHAPE)}
    timing = engine.timing(given, iterations=3, warmup=1, hosts=2)
    assert (len(timing.enqueue_ms), len(timing.host_ms)) == (3, 2)
    assert len(engine.timing(given, iterations=1000, seconds=0).enqueue_ms) == worker.LEAST_SAMPLES
    assert (timing.graph_ms, bool(timing.graph_reason)) == (None, True)


def test_warm(trt: TensorRT, tmp_path: Path) -> None:
    """A fresh engine is run in windows until its times are steady, or the time is over."""
    trt.build(save(tmp_path / "m.onnx", RELU), engine=tmp_path / "m.engine")
    warmup = trt.engine(tmp_path / "m.engine").warm({"x": sample(*SHAPE)}, seconds=0)
    assert (warmup.steady, warmup.cached_seconds) == (False, None)
    assert warmup.runs >= worker.WINDOW_RUNS
    assert warmup.first_seconds > 0
    assert warmup.device_memory == 4096
    assert warmup.memory_taken >= 0


@pytest.mark.parametrize(("growing", "steady"), [(1.0, True), (1.05, False)])
def test_a_warm_up_ends_when_times_are_steady(
    monkeypatch: pytest.MonkeyPatch, growing: float, steady: bool
) -> None:
    """Three windows whose medians are alike end it; where times go on growing, the time is over."""
    now, cost = [0.0], [0.01]

    def tick(*_: Any) -> list[float]:
        now[0] += 20 * cost[0]
        cost[0] *= growing
        return [cost[0]] * 20

    monkeypatch.setattr(worker, "samples", tick)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    runs, alike = worker.warm_up(None, None, lambda: None, seconds=3.0)
    assert alike is steady
    assert (runs == 60) is steady


class Lazy:
    """An engine that writes its output in the first run alone."""

    outputs = ("y",)

    def __init__(self, memory: Any) -> None:
        self.memory, self.runs = memory, 0

    def make(self, name: str) -> np.ndarray:
        """Return the host's array of the output."""
        return np.zeros(3, np.float32)

    def enqueue(self, stream: int) -> None:
        """Write ones, once."""
        self.runs += 1
        if self.runs == 1:
            cuda.memcpy_htod(self.memory, np.ones(3, np.float32))


def test_an_output_that_is_not_written_is_seen() -> None:
    """What the run before left on the device is not taken for an answer."""
    memory = cuda.mem_alloc(12)
    lane = worker.Lane(cuda, cast(worker.Loaded, Lazy(memory)), {"y": memory})
    lane.start()
    assert lane.finish()["y"].tolist() == [1.0] * 3
    lane.start()
    assert np.isnan(lane.finish()["y"]).all()


@pytest.mark.parametrize("contexts", [1, 2])
def test_repeat(trt: TensorRT, tmp_path: Path, contexts: int) -> None:
    """Runs are counted by their answers, also in two contexts at once: here each gives the one answer."""
    model, engine = two_by_two(tmp_path / "m.onnx"), tmp_path / "m.engine"
    trt.build(model, engine=engine)
    given = {"s": sample(2, 1, 1), "x": sample(2, 3, 5)}
    ((answer, count),) = trt.engine(engine).repeat(given, 5, contexts)
    assert (count, list(answer)) == (4 + contexts if contexts > 1 else 5, ["half", "scaled"])
    for name, array in OnnxRuntime(model).run([given])[0].items():
        np.testing.assert_array_equal(answer[name], array, strict=True)


def test_two_contexts_of_a_dynamic_engine(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """Releases whose profiles serve one context at a time say so, and the others run."""
    model, engine = save(tmp_path / "m.onnx", RELU, shape=("n", 4, 8, 8)), tmp_path / "m.engine"
    trt.build(model, engine=engine, profiles={"x": [(1, 4, 8, 8), (2, 4, 8, 8), (3, 4, 8, 8)]})
    asked = trt.engine(engine).repeat({"x": sample(3, 4, 8, 8)}, 4, contexts=2)
    if int(release.version.split(".")[0]) < 10:
        with pytest.raises(NotRun, match="one context at a time"):
            next(asked)
    else:
        assert [count for _, count in asked] == [4]


def test_int8(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """INT8 wants Q/DQ wherever the release knows Q/DQ layers, and has its flag where there is one."""
    engine = tmp_path / "m.engine"
    if release.has("LayerType.QUANTIZE"):
        with pytest.raises(StageError, match="int8 needs an ONNX model with QuantizeLinear"):
            trt.build(save(tmp_path / "plain.onnx", RELU), precision="int8")
    build = trt.build(save(tmp_path / "m.onnx", QUANTIZED), precision="int8", engine=engine)
    assert build.ok, build.problem
    assert ("INT8" in plan(engine)["flags"]) == release.has("BuilderFlag.INT8")


def test_flags_follow_the_types_of_the_graph(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """Built at fp32, a graph with fp16 types has the FP16 flag and one with Q/DQ INT8, where there are such.

    TensorRT 8.5 refuses a layer typed fp16 without: "fp16 is not configured in the builder".
    """
    typed, quantized = tmp_path / "typed.engine", tmp_path / "quantized.engine"
    assert trt.build(two_by_two(tmp_path / "t.onnx"), engine=typed).ok
    assert ("FP16" in plan(typed)["flags"]) == release.has("BuilderFlag.FP16")
    assert trt.build(save(tmp_path / "q.onnx", QUANTIZED), engine=quantized).ok
    expected = release.has("BuilderFlag.INT8") and release.has("LayerType.QUANTIZE")
    assert ("INT8" in plan(quantized)["flags"]) == expected


def test_plugin_operator(trt: TensorRT, tmp_path: Path) -> None:
    """An operator that TensorRT's own plugins implement parses: they are registered first."""
    node = helper.make_node("InstanceNormalization", ["x", "scale", "zero"], ["y"])
    assert trt.build(save(tmp_path / "m.onnx", [node])).ok


def test_refused_operator(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """The parser's refusal names the node where the release can, and its number everywhere."""
    strange = helper.make_node("Strange", ["r"], ["y"], name="odd", domain="org.example")
    build = trt.build(save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["r"]), strange]))
    assert (build.ok, build.stage) == (False, "parser")
    error = build.errors[0]
    named = release.has("ParserError.node_name")
    assert (error.index, error.code, error.name) == (1, "UNSUPPORTED_NODE", "odd" if named else "")
    assert build.log == ("ERROR: no importer for Strange",) or not release.has("ILogger")


def test_not_onnx(trt: TensorRT, tmp_path: Path) -> None:
    """A file that is no ONNX model is refused by the parser."""
    (tmp_path / "m.onnx").write_text("not a model")
    build = trt.build(tmp_path / "m.onnx")
    assert (build.ok, build.errors[0].code) == (False, "MODEL_DESERIALIZE_FAILED")


def test_engine_of_another_version(trt: TensorRT, tmp_path: Path) -> None:
    """An engine of another version is unsupported, a damaged one has failed."""
    engine, inputs = tmp_path / "m.engine", {"x": sample(*SHAPE)}
    trt.build(save(tmp_path / "m.onnx", RELU), engine=engine)
    whole = engine.read_bytes()
    engine.write_bytes(whole.replace(trt.identity.version.encode(), b"6.0", 1))
    with pytest.raises(StageError, match="refuses to deserialize") as caught:
        trt.engine(engine).run([inputs])
    if "no message" not in str(caught.value):  # 7.0 is played with no ILogger, so with no words
        assert isinstance(caught.value, Unsupported)
    engine.write_bytes(whole[:30])
    with pytest.raises(StageError, match="refuses to deserialize") as caught:
        trt.engine(engine).run([inputs])
    assert caught.value.verdict == "failed"


@pytest.mark.parametrize(
    ("lacks", "reason"),
    [("no device", "no usable CUDA device"), ("no driver", "pycuda finds no CUDA driver .*libcuda")],
)
def test_machine_that_lacks(release: Release, tmp_path: Path, lacks: str, reason: str) -> None:
    """Without a device or a driver a TensorRT that cannot build is not run, and says what is missing."""
    model = save(tmp_path / "m.onnx", RELU)
    with conformance.worker(tmp_path / "modules", release, lacks=lacks) as client:
        with pytest.raises(NotRun, match=reason) as caught:
            client.build(model)
        assert client.identity.device is None
        assert client.identity.device_reason == str(caught.value)


PLANTED = [
    (NEWEST, "IBuilderConfig.set_memory_pool_limit", "no IBuilderConfig.max_workspace_size to set"),
    (NEWEST, "IExecutionContext.execute_async_v3", "no ICudaEngine.num_bindings"),
    (NEWEST, "Builder.build_serialized_network", "no Builder.build_engine"),
    (NEWEST, "MemoryPoolType.WORKSPACE", "no MemoryPoolType.WORKSPACE"),
    (NEWEST, "TensorIOMode", "no TensorIOMode"),
    (NEWEST, "float16", "no float16"),
    ("7.2", "IExecutionContext.execute_async_v2", "no IExecutionContext.execute_async_v2"),
    ("7.2", "NetworkDefinitionCreationFlag.EXPLICIT_BATCH", "must have an explicit batch"),
    ("7.2", "ICudaEngine.serialize", "no ICudaEngine.serialize"),
]


@pytest.mark.parametrize(("version", "name", "message"), PLANTED)
def test_a_missing_name_is_seen(tmp_path: Path, version: str, name: str, message: str) -> None:
    """Planted: a release that loses one name that the worker needs breaks the flow, which names it."""
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "m.engine"
    precision = "fp16" if name == "float16" else "fp32"
    with conformance.worker(tmp_path / "modules", RELEASES[version].without(name)) as client:

        def flow() -> None:
            build = client.build(model, engine=engine, precision=precision)
            assert build.ok, build.problem
            client.engine(engine).run([{"x": sample(*SHAPE)}])

        with pytest.raises((StageError, AssertionError), match=message):
            flow()


@pytest.mark.parametrize("version", [v for v in RELEASES if v.split(".")[0] in ("10", "11")])
def test_a_call_that_a_version_lacks_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """Planted: a worker that touches a name that is gone breaks on each release that lacks it."""
    text = Path(worker.__file__).read_text("utf-8")
    planted = text.replace('if hasattr(config, "set_memory_pool_limit"):', "if False:")
    assert planted != text
    (tmp_path / "worker.py").write_text(planted)
    monkeypatch.setattr(worker, "__file__", str(tmp_path / "worker.py"))
    with (
        conformance.worker(tmp_path / "modules", RELEASES[version]) as client,
        pytest.raises(StageError, match=f"TensorRT {version} has no IBuilderConfig.max_workspace_size"),
    ):
        client.build(save(tmp_path / "m.onnx", RELU))


@pytest.mark.parametrize("version", [v for v in RELEASES if v[0] in "78"])
def test_old_python(tmp_path: Path, version: str) -> None:
    """The worker of an old TensorRT runs under an old Python, which TRT_PARITY_OLD_PYTHON names."""
    old = os.environ.get("TRT_PARITY_OLD_PYTHON")
    if not old:
        pytest.skip("set TRT_PARITY_OLD_PYTHON to a Python 3.7 or 3.8 that has numpy, onnx and onnxruntime")
    model, x = save(tmp_path / "m.onnx", RELU), sample(*SHAPE)
    with conformance.worker(tmp_path / "modules", RELEASES[version], interpreter=old) as client:
        assert client.identity.python.startswith(("3.7.", "3.8."))
        assert client.build(model, engine=tmp_path / "m.engine").ok
        np.testing.assert_array_equal(
            client.engine(tmp_path / "m.engine").run([{"x": x}])[0]["y"], np.maximum(x, 0)
        )
