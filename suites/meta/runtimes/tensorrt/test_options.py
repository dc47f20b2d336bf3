"""Build options, calibrators, inspector and refit on every TensorRT's names; as in the conformance tests.

It proves no number. What a release lacks must be said in words and never be left out silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from fixtures.runtimes.tensorrt import worker
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.layers import Layers
from fixtures.runtimes.tensorrt.messages import BuildOptions
from fixtures.verdicts import NotRun, StageError
from suites.meta.runtimes.tensorrt.test_build_options import linear
from suites.meta.runtimes.tensorrt.test_conformance import plan, sample
from suites.meta.runtimes.tensorrt.test_worker import RELU, save
from suites.meta.stand_ins.tensorrt_bindings import conformance
from suites.meta.stand_ins.tensorrt_bindings.names import Release, releases

RELEASES = releases()


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Release:
    """Each release whose names are known, or read from its sources."""
    return RELEASES[request.param]


@pytest.fixture(scope="module")
def trt(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TensorRT]:
    """One worker a release."""
    with conformance.worker(tmp_path_factory.mktemp("names") / "modules", release) as client:
        yield client


@pytest.mark.parametrize(
    ("options", "needs", "flag"),
    [
        (BuildOptions(refit=True), "BuilderFlag.REFIT", "REFIT"),
        (BuildOptions(strip=True), "BuilderFlag.STRIP_PLAN", "STRIP_PLAN"),
        (BuildOptions(version_compatible=True), "BuilderFlag.VERSION_COMPATIBLE", "VERSION_COMPATIBLE"),
    ],
    ids=["refit", "strip", "version-compatible"],
)
def test_an_option_is_its_flag_or_a_refusal(
    trt: TensorRT, release: Release, tmp_path: Path, options: BuildOptions, needs: str, flag: str
) -> None:
    """An option becomes the release's flag, or is not run, naming what the release lacks."""
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "m.engine"
    if not release.has(needs):
        with pytest.raises(NotRun, match=flag):
            trt.build(model, options=options)
        return
    assert trt.build(model, engine=engine, options=options).ok
    assert flag in plan(engine)["flags"]


@pytest.mark.parametrize("level", ["AMPERE_PLUS", "SAME_COMPUTE_CAPABILITY"])
def test_hardware_compatibility(trt: TensorRT, release: Release, tmp_path: Path, level: str) -> None:
    """A level is set where the release has it, and refused by name elsewhere."""
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "m.engine"
    options = BuildOptions(hardware=level)
    if release.has(f"HardwareCompatibilityLevel.{level}"):
        assert trt.build(model, engine=engine, options=options).ok
        assert plan(engine)["hardware_compatibility_level"].endswith(level)
    else:
        with pytest.raises(NotRun, match=r"HardwareCompatibilityLevel|AMPERE_PLUS|SAME_COMPUTE_CAPABILITY"):
            trt.build(model, options=options)


def test_the_optimization_level(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """A level is set where the release has levels, 0 too, and is not run elsewhere."""
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "m.engine"
    if not release.has("IBuilderConfig.builder_optimization_level"):
        with pytest.raises(NotRun, match="optimization level"):
            trt.build(model, options=BuildOptions(optimization_level=0))
        return
    for level in (0, None):
        assert trt.build(model, engine=engine, options=BuildOptions(optimization_level=level)).ok
        assert plan(engine).get("builder_optimization_level") == (None if level is None else str(level))


def test_a_compute_capability_can_be_chosen_in_rtx_alone(trt: TensorRT, tmp_path: Path) -> None:
    """TensorRT builds for the GPU that it has: naming another one is not run."""
    with pytest.raises(NotRun, match="ComputeCapability"):
        trt.build(save(tmp_path / "m.onnx", RELU), options=BuildOptions(compute_capabilities=("8.6",)))


def test_a_timing_cache_is_kept(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """A build leaves the cache in its file and the next one takes it, where the release has caches."""
    model, cache = save(tmp_path / "m.onnx", RELU), tmp_path / "timing.cache"
    for _ in range(2):
        assert trt.build(model, options=BuildOptions(timing_cache=str(cache))).ok
    assert cache.exists() == release.has("IBuilderConfig.create_timing_cache")
    assert not cache.exists() or cache.read_bytes() == b"timing"


def test_the_inspector_counts_layers(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """Layers are counted in every release, by its inspector or by the engine."""
    nodes = [*RELU, helper.make_node("Neg", ["y"], ["z"], name="negate")]
    engine = tmp_path / "m.engine"
    known = release.has("ICudaEngine.create_engine_inspector")
    for detailed in (False, True):
        options = BuildOptions(detailed=detailed)
        build = trt.build(save(tmp_path / "m.onnx", nodes, outputs=["z"]), engine=engine, options=options)
        assert build.ok, build.problem
        assert trt.engine(engine).layers() == Layers(2, {"fp32": 2} if known and detailed else {})


def test_layers_are_held_to_the_precision(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """fp16 by a flag alone is the builder's choice; held, each layer that computes in fp32 is fp16."""
    nodes = [*RELU, helper.make_node("Shape", ["y"], ["z"], name="shape")]
    model, engine = save(tmp_path / "m.onnx", nodes, outputs=["y"]), tmp_path / "m.engine"
    if trt.identity.fp16 == "typed":
        pytest.skip("layers are typed by the model")
    tells = release.has("ICudaEngine.create_engine_inspector")
    for constrained, precisions in ((False, {"fp32": 2}), (True, {"fp16": 1, "fp32": 1})):
        options = BuildOptions(detailed=True, constrained=constrained)
        build = trt.build(model, precision="fp16", engine=engine, options=options)
        assert build.ok, build.problem
        assert trt.engine(engine).layers().precisions == (precisions if tells else {})
        assert (
            bool({"PREFER_PRECISION_CONSTRAINTS", "STRICT_TYPES"} & set(plan(engine)["flags"])) is constrained
        )


def test_the_precision_of_a_dynamic_engine_is_told(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """TensorRT 8 tells it of layers with weights alone, and of none else."""
    if trt.identity.fp16 == "typed":
        pytest.skip("layers are typed by the model")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "conv"),
        helper.make_node("Relu", ["a"], ["y"], "relu"),
    ]
    model, engine = save(tmp_path / "m.onnx", nodes, shape=("n", 4, 8, 8)), tmp_path / "m.engine"
    profiles = {"x": [(1, 4, 8, 8), (2, 4, 8, 8), (3, 4, 8, 8)]}
    options = BuildOptions(detailed=True, constrained=True)
    build = trt.build(model, precision="fp16", engine=engine, profiles=profiles, options=options)
    assert build.ok, build.problem
    told = {"fp16": 1} if release.version.startswith("8.") else {"fp16": 2}
    layers = trt.engine(engine).layers()
    assert layers == Layers(2, told if release.has("ICudaEngine.create_engine_inspector") else {})


def test_refit_puts_in_other_weights(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """An engine refitted from another model gives what that one gives; before 10.0 it is not run."""
    one, two = linear(tmp_path / "one.onnx", 1.0), linear(tmp_path / "two.onnx", 2.0)
    engine, refitted = tmp_path / "one.engine", tmp_path / "two.engine"
    assert trt.build(one, engine=engine, options=BuildOptions(refit=True)).ok
    if not release.has("OnnxParserRefitter"):
        with pytest.raises(NotRun, match="OnnxParserRefitter"):
            trt.refit(engine, two, refitted)
        return
    trt.refit(engine, two, refitted)
    x = {"x": np.ones((1, 16), np.float32)}
    sums = [float(trt.engine(path).run([x])[0]["y"][0, 0]) for path in (engine, refitted)]
    assert sums == [16, 32]


@pytest.mark.parametrize("kind", ["entropy", "minmax", "percentile"])
def test_the_calibrator_sees_every_sample(trt: TensorRT, release: Release, tmp_path: Path, kind: str) -> None:
    """Calibration samples reach the builder one by one, and its cache comes back; since 11.0 not run."""
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "m.engine"
    samples = sample(3, 4, 8, 8)
    options = BuildOptions(calibrator=kind)
    if not release.has("IBuilderConfig.int8_calibrator"):
        with pytest.raises((NotRun, StageError), match=r"Q/DQ|int8"):
            trt.build(model, precision="int8", options=options, calibration={"x": samples})
        return
    build = trt.build(model, precision="int8", engine=engine, options=options, calibration={"x": samples})
    assert build.ok, build.problem
    assert build.calibration_cache == "TRT-8503-EntropyCalibration2\nx: 3c010a14\n"
    assert plan(engine)["calibrated"] == [[pytest.approx(float(s.sum()), abs=1e-3)] for s in samples]
    assert "INT8" in plan(engine)["flags"]


def test_a_cache_stands_in_place_of_calibration(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """Ranges that are given reach the builder as they are, and come back."""
    if not release.has("IBuilderConfig.int8_calibrator"):
        pytest.skip("this release has no calibrators; the test above asks what it says")
    model, engine = save(tmp_path / "m.onnx", RELU), tmp_path / "m.engine"
    options = BuildOptions(calibration_cache="TRT-8503-EntropyCalibration2\nx: 3c010a14\n")
    samples = {"x": sample(1, 4, 8, 8)}
    build = trt.build(model, precision="int8", engine=engine, options=options, calibration=samples)
    assert build.ok, build.problem
    assert build.calibration_cache == options.calibration_cache == plan(engine)["calibrated"]


def detector(path: Path, *, named: bool) -> Path:
    """Write Conv, Relu, Conv, Sigmoid, their nodes with names or without."""
    chain = [
        ("Conv", ["x", "w"], "a"),
        ("Relu", ["a"], "b"),
        ("Conv", ["b", "w"], "c"),
        ("Sigmoid", ["c"], "y"),
    ]
    return save(path, [helper.make_node(op, reads, [out], f"make {out}" * named) for op, reads, out in chain])


@pytest.mark.parametrize("named", [True, False])
def test_layers_stay_in_float(trt: TensorRT, release: Release, tmp_path: Path, named: bool) -> None:
    """The last Conv, what follows it and what it alone reads are float32; the others are asked for INT8."""
    if not release.has("IBuilderConfig.int8_calibrator"):
        pytest.skip("this release has no calibrators")
    model, engine = detector(tmp_path / "m.onnx", named=named), tmp_path / "m.engine"
    wanted = {"make c" if named else "c": ["c"], "make y" if named else "y": ["y"], "gone": ["nowhere"]}
    options = BuildOptions(constrained=True, detailed=True, in_float=wanted)
    samples = {"x": sample(1, 4, 8, 8)}
    build = trt.build(model, precision="int8", engine=engine, options=options, calibration=samples)
    assert build.ok, build.problem
    assert set(build.in_float) == {*wanted} - {"gone"}
    about = plan(engine)
    assert {"PREFER_PRECISION_CONSTRAINTS", "STRICT_TYPES"} & set(about["flags"])
    assert about["typed"] == {"b": "FLOAT", "c": "FLOAT", "y": "FLOAT"}
    if named:
        assert about["held"] == {"make a": "INT8", "make c": "FLOAT", "make y": "FLOAT"}


def test_all_layers_of_a_node_stay_in_float(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """A product whose sum with a bias is known by the node's output is kept, too, though nobody named it."""
    if not release.has("IBuilderConfig.int8_calibrator"):
        pytest.skip("this release has no calibrators")
    inner = worker.UNNAMED + " 1) [Matrix Multiply]_output"
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "conv"),
        helper.make_node("Conv", ["a", "w"], [inner], "product"),
        helper.make_node("Add", [inner, "scale"], ["y"], "sum"),
    ]
    model, engine = save(tmp_path / "m.onnx", nodes), tmp_path / "m.engine"
    options = BuildOptions(constrained=True, in_float={"gemm": ["y"]})
    samples = {"x": sample(1, 4, 8, 8)}
    build = trt.build(model, precision="int8", engine=engine, options=options, calibration=samples)
    assert (build.ok, build.in_float) == (True, ("gemm",))
    assert plan(engine)["held"] == {"conv": "INT8", "product": "FLOAT", "sum": "FLOAT"}


def test_nothing_is_held_where_nothing_is_named(trt: TensorRT, release: Release, tmp_path: Path) -> None:
    """A builder that is told of no layer, or of none that it has, is left its choice."""
    if not release.has("IBuilderConfig.int8_calibrator"):
        pytest.skip("this release has no calibrators")
    model, engine = detector(tmp_path / "m.onnx", named=True), tmp_path / "m.engine"
    options, samples = BuildOptions(in_float={"gone": ["nowhere"]}), {"x": sample(1, 4, 8, 8)}
    build = trt.build(model, precision="int8", engine=engine, options=options, calibration=samples)
    assert (build.ok, build.in_float) == (True, ())
    assert "held" not in plan(engine)
