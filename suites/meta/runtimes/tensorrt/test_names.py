"""The lists of each TensorRT's names, and the stand-in that has these names and no other."""

from __future__ import annotations

import json
import shutil
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onnx import helper

from suites.meta.runtimes.tensorrt.test_worker import RELU, save
from suites.meta.stand_ins.tensorrt_bindings import derive, module, names
from suites.meta.stand_ins.tensorrt_bindings.names import Release

RELEASES = names.releases()
PROBED = "10.16.1.11"


def load(release: Release) -> Any:
    """Return the stand-in of a release as a module of this process."""
    made = types.ModuleType("tensorrt")
    module.populate(made, release)
    return made


@pytest.fixture
def trt() -> Any:
    """The stand-in of one release, 10.16."""
    return load(RELEASES[PROBED])


def build(trt: Any, path: Path, change: Callable[[Any], None]) -> Any:
    """Build a Relu with a configuration; gives the plan."""
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    flags = trt.NetworkDefinitionCreationFlag
    network = builder.create_network(
        1 << int(flags.EXPLICIT_BATCH) if hasattr(flags, "EXPLICIT_BATCH") else 0
    )
    assert trt.OnnxParser(network, logger).parse_from_file(str(save(path, RELU)))
    config = builder.create_builder_config()
    change(config)
    return builder.build_serialized_network(network, config)


def test_the_list_is_the_wheels() -> None:
    """The committed names are what the real wheel has, derived anew from the package index."""
    if lacking := [tool for tool in ("gcc", "nm", "readelf") if shutil.which(tool) is None]:
        pytest.skip(f"deriving names needs {lacking[0]}: install gcc and binutils")
    try:
        found = derive.derive(PROBED)
    except derive.NoWheelError as error:
        pytest.skip(f"the wheel of TensorRT {PROBED} cannot be had here: {error}")
    assert names.flatten(found) == RELEASES[PROBED].rows


def test_versions() -> None:
    """Each release says what its names rest on, and only those with a wheel are verified."""
    bases = {version: release.basis for version, release in RELEASES.items()}
    assert {version for version, basis in bases.items() if basis == "wheel"} == set(derive.WHEELS)
    assert {version for version, basis in bases.items() if basis != "wheel"} == {"7.0", "7.2", "8.0", "8.5"}


@pytest.mark.parametrize(
    ("name", "having"),
    [
        ("Builder.build_engine", "7.0 7.2 8.0 8.5 8.6.1"),
        ("Builder.build_cuda_engine", "7.0 7.2"),
        ("IExecutionContext.execute_async_v3", "8.5 8.6.1 10.0.1 10.9.0.34 10.16.1.11 11.0.0.114 11.4.0.106"),
        ("BuilderFlag.FP16", "7.0 7.2 8.0 8.5 8.6.1 10.0.1 10.9.0.34 10.16.1.11"),
        ("HardwareCompatibilityLevel.SAME_COMPUTE_CAPABILITY", "10.9.0.34 10.16.1.11 11.0.0.114 11.4.0.106"),
        ("DataType.INT64", "10.0.1 10.9.0.34 10.16.1.11 11.0.0.114 11.4.0.106"),
    ],
)
def test_what_changed_when(name: str, having: str) -> None:
    """Names known from the release notes to have come or gone did so in the lists."""
    assert [version for version, release in RELEASES.items() if release.has(name)] == having.split()


def test_integers_are_the_versions_own() -> None:
    """Enumerators keep their names and change their integers, as they do in the wheels."""
    flags = {
        v: int(load(r).NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        for v, r in RELEASES.items()
        if v.split(".")[0] in ("10", "11")
    }
    assert flags == {"10.0.1": 1, "10.9.0.34": 1, "10.16.1.11": 1, "11.0.0.114": 0, "11.4.0.106": 0}
    assert [int(load(RELEASES[v]).BuilderFlag.TF32) for v in ("8.6.1", "10.0.1")] == [7, 6]


def test_packing_loses_nothing() -> None:
    """What is written into one file for all versions is what each of them had."""
    about = {
        "1": {"functions": ["f"], "constants": {"k": "E.A"}, "enums": {"E": {"A": 1}}, "classes": {"B": {}}},
        "2": {
            "functions": [], "constants": {}, "enums": {"E": {"A": 0}},
            "classes": {"B": {"method": ["m"]}, "A": {}, "C": {"bases": ["B", "A"]}},
        },
    }  # fmt: skip
    table = json.loads(names.pack(about))
    for index, version in enumerate(table["versions"]):
        rows = {
            (owner, kind, word)
            for owner, kinds in table["rows"].items() for kind, sets in kinds.items()
            for pattern, words in sets.items() if pattern[index] == "1" for word in words.split()
        }  # fmt: skip
        assert rows == names.flatten(about[version])
    assert ("C", "bases", "B,A") in names.flatten(about["2"])


TOUCHES: dict[str, Callable[[Any], Any]] = {
    "no IExecutionContext.execute_async_v2": lambda t: t.IExecutionContext.execute_async_v2,
    "no BuilderFlag.STRICT_TYPES": lambda t: t.BuilderFlag.STRICT_TYPES,
    "no Builder.build_engine": lambda t: t.Builder(t.Logger()).build_engine,
    "no CaffeParser": lambda t: t.CaffeParser,
    "no IBuilderConfig.max_workspace_size to set": lambda t: setattr(
        t.Builder(t.Logger()).create_builder_config(), "max_workspace_size", 1
    ),
    "no IHostMemory.hex": lambda t: t.IHostMemory(b"plan").hex,
}


@pytest.mark.parametrize("message", TOUCHES)
def test_a_name_that_is_not_in_the_list_is_not_there(trt: Any, message: str) -> None:
    """Planted: to touch what TensorRT 10.16 lacks, wherever it is, raises and names it."""
    with pytest.raises(AttributeError, match=f"TensorRT {PROBED} has {message}"):
        TOUCHES[message](trt)


def test_a_name_without_behaviour_is_not_taken_for_absent(trt: Any) -> None:
    """Planted: what the release has and nobody has played is there, and its use is an error."""
    builder = trt.Builder(trt.Logger())
    config = builder.create_builder_config()
    assert hasattr(builder, "reset")
    with pytest.raises(module.NotPlayedError, match=r"Builder\.reset"):
        builder.reset()
    assert hasattr(builder, "num_DLA_cores")
    with pytest.raises(module.NotPlayedError, match=r"Builder\.num_DLA_cores"):
        int(builder.num_DLA_cores)
    with pytest.raises(module.NotPlayedError, match=r"IBuilderConfig\.builder_optimization_level"):
        assert config.builder_optimization_level == 3
    config.builder_optimization_level = 5
    assert config.builder_optimization_level == 5
    with pytest.raises(AttributeError):
        builder.num_DLA_cores = 1


def test_enumerators_are_no_integers(trt: Any) -> None:
    """A flag wants an enumerator of its own kind, as in the real module, and shifts only by `int`."""
    config = trt.Builder(trt.Logger()).create_builder_config()
    for wrong in (6, trt.TensorIOMode.INPUT):
        with pytest.raises(TypeError, match="is no BuilderFlag"):
            config.set_flag(wrong)
    with pytest.raises(TypeError):
        1 << trt.BuilderFlag.TF32
    assert str(trt.BuilderFlag.TF32) == "BuilderFlag.TF32"
    with pytest.raises(TypeError, match="create_network: flags 0b100000 beyond"):
        trt.Builder(trt.Logger()).create_network(1 << 5)


def test_memory_that_was_freed_is_seen() -> None:
    """Planted: an address that was never given, or whose memory was freed, is named and not read."""
    from suites.meta.stand_ins.tensorrt_bindings import cuda

    memory = cuda.mem_alloc(8)
    address = int(memory)
    assert cuda.view(address, (2,), "float32").tolist() == [0, 0]
    with pytest.raises(cuda.Error, match="12 bytes"):
        cuda.view(address, (3,), "float32")
    del memory
    with pytest.raises(cuda.Error, match="illegal memory access"):
        cuda.view(address, (2,), "float32")


@pytest.mark.parametrize(("version", "key"), [("8.6.1", "Bindings"), ("11.4.0.106", "I/O Tensors")])
def test_inspector(tmp_path: Path, version: str, key: str) -> None:
    """The inspector tells of the layers, in detail only where the engine was built so."""
    trt = load(RELEASES[version])

    def detailed(config: Any) -> None:
        config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED

    layers = []
    for change in (detailed, lambda config: None):
        plan = build(trt, tmp_path / "m.onnx", change)
        engine = trt.Runtime(trt.Logger()).deserialize_cuda_engine(plan)
        assert engine.num_layers == 1
        text = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
        assert json.loads(text, strict=False)[key] == ["x", "y"]
        layers += json.loads(text, strict=False)["Layers"]
    assert (layers[0]["Name"], layers[1]) == ("rectify", "rectify")


def test_refit(trt: Any, tmp_path: Path) -> None:
    """An engine built for it takes new weights from an ONNX model; any other gives no refitter."""
    logger = trt.Logger()
    fixed = trt.Runtime(logger).deserialize_cuda_engine(build(trt, tmp_path / "m.onnx", lambda config: None))
    with pytest.raises(TypeError):
        trt.Refitter(fixed, logger)
    plan = build(trt, tmp_path / "m.onnx", lambda config: config.set_flag(trt.BuilderFlag.REFIT))
    engine = trt.Runtime(logger).deserialize_cuda_engine(plan)
    refitter = trt.Refitter(engine, logger)
    assert not refitter.refit_cuda_engine()
    other = save(tmp_path / "other.onnx", [helper.make_node("Neg", ["x"], ["y"])])
    assert trt.OnnxParserRefitter(refitter, logger).refit_from_file(str(other))
    assert refitter.refit_cuda_engine()
    assert engine._plan.model.graph.node[0].op_type == "Neg"


@pytest.mark.parametrize(
    ("flag", "host_code", "taken"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_version_compatible(tmp_path: Path, flag: bool, host_code: bool, taken: bool) -> None:
    """A runtime takes an older plan only if that was built for it and host code is allowed."""
    old, new = load(RELEASES[PROBED]), load(RELEASES["11.4.0.106"])

    def change(config: Any) -> None:
        if flag:
            config.set_flag(old.BuilderFlag.VERSION_COMPATIBLE)

    plan, runtime = build(old, tmp_path / "m.onnx", change), new.Runtime(new.Logger())
    runtime.engine_host_code_allowed = host_code
    assert (runtime.deserialize_cuda_engine(plan) is not None) == taken
