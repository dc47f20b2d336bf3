"""Engines are found again by all that they depend on, and by a name that says it."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import onnx
import pytest

from fixtures.pipeline import engines
from fixtures.pipeline.models import OnnxModel
from fixtures.pipeline.pipeline import Pipeline
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import Device, Identity
from fixtures.runtimes.tensorrt.versions import default_interpreter
from fixtures.store.artifacts import ArtifactStore
from suites.meta.runtimes.tensorrt.test_build_options import linear

MODEL = OnnxModel(Path("m.onnx"), "0" * 64, {}, "digits-torchscript-opset13-batch-1")
HERE = Identity(
    flavour="tensorrt", version="10.16.1", python="3.11", platform="linux", fp16="flag",
    device=Device("NVIDIA L4", "8.9", "580", 1), device_reason="", interpreter=Path("python"),
)  # fmt: skip


@dataclass
class Client:
    """Says which TensorRT it would be, and builds nothing."""

    identity: Identity


def engine_build(
    digest: str = MODEL.digest, precision: str = "fp16", identity: Identity = HERE, **options: Any
) -> engines.EngineBuild:
    """Return a build that nobody starts."""
    client, model = cast(TensorRT, Client(identity)), replace(MODEL, digest=digest)
    return engines.EngineBuild(ArtifactStore(Path()), client, model, precision, {}, **options)


OTHERS = [
    engine_build(digest="1" * 64),
    engine_build(precision="fp32"),
    engine_build(constrained=True),
    engine_build(optimization_level=0),
    engine_build(identity=replace(HERE, version="10.15.1")),
    engine_build(identity=replace(HERE, flavour="tensorrt-rtx")),
    engine_build(identity=replace(HERE, device=Device("NVIDIA L4", "9.0", "580", 1))),
    engine_build(identity=replace(HERE, device=Device("NVIDIA T4", "8.9", "580", 1))),
]


@pytest.mark.parametrize("other", OTHERS)
def test_whatever_an_engine_depends_on_is_in_its_name(other: engines.EngineBuild) -> None:
    """Another model, precision, version, flavour or device is another key and another file name."""
    key = engine_build().key
    assert key != other.key
    assert engines.engine_name(MODEL.title, key) != engines.engine_name(MODEL.title, other.key)


def test_the_name_can_be_read() -> None:
    """A person sees model, version, precision and device, and nothing that a file name must not hold."""
    name = engines.engine_name(MODEL.title, engine_build().key)
    assert name.startswith("digits-torchscript-opset13-batch-1-tensorrt-10.16.1-fp16-NVIDIA-L4-8.9-")
    assert "/" not in name
    assert " " not in name


def test_only_tensorrt_on_a_device_keeps_a_timing_cache(tmp_path: Path) -> None:
    """One file a version and device; none for TensorRT-RTX, none without a device."""
    assert engines.timing_cache(tmp_path, HERE) == str(tmp_path / "timing" / "trt10.16.1-NVIDIA-L4.cache")
    assert engines.timing_cache(tmp_path, replace(HERE, flavour="tensorrt-rtx")) == ""
    assert engines.timing_cache(tmp_path, replace(HERE, device=None)) == ""


@pytest.mark.parametrize(
    ("fp16", "precision", "typed"),
    [("typed", "fp16", True), ("typed", "fp32", False), ("flag", "fp16", False)],
)
def test_what_is_built_follows_from_the_tensorrt(
    fp16: Literal["flag", "typed"], precision: str, typed: bool, tmp_path: Path
) -> None:
    """The build of fp16 has the typed form where a TensorRT needs it; nobody has to ask for it before."""
    model = replace(MODEL, path=linear(tmp_path / "m.onnx", 1.0))
    client = cast(TensorRT, Client(replace(HERE, fp16=fp16)))
    made = Pipeline(ArtifactStore(tmp_path / "artifacts"), {}).engine_build(client, model, precision)
    assert (made.model.title == f"{MODEL.title}-fp16") is typed
    types = {tensor.data_type for tensor in onnx.load(made.model.path).graph.initializer}
    assert types == {onnx.TensorProto.FLOAT16 if typed else onnx.TensorProto.FLOAT}


@pytest.mark.parametrize(
    ("fp16", "precision", "held"),
    [("flag", "fp16", True), ("flag", "int8", True), ("flag", "tf32", False), ("typed", "int8", False)],
)
def test_layers_are_held_where_a_flag_leaves_the_choice(
    fp16: Literal["flag", "typed"], precision: str, held: bool, tmp_path: Path
) -> None:
    """Where types follow from the model, the same engine serves whoever asks and whoever does not."""
    model = replace(MODEL, path=linear(tmp_path / "m.onnx", 1.0))
    client = cast(TensorRT, Client(replace(HERE, fp16=fp16)))
    pipeline = Pipeline(ArtifactStore(tmp_path / "artifacts"), {})
    assert pipeline.engine_build(client, model, precision, constrained=True).constrained is held
    assert not pipeline.engine_build(client, model, precision).constrained


def test_a_build_is_made_once(tmp_path: Path) -> None:
    """The second build comes from the store, with the first one's seconds; rebuilds are new files."""
    interpreter = default_interpreter()
    if interpreter is None:
        pytest.skip(f"{sys.executable} has no TensorRT")
    model = replace(MODEL, path=linear(tmp_path / "m.onnx", 1.0))
    with TensorRT(interpreter, timeout=120) as client:
        pipeline = Pipeline(ArtifactStore(tmp_path / "artifacts"), {})
        made = pipeline.engine_build(client, model, "fp32")
        first, second = (made.build()[0] for _ in range(2))
        engines_of_it = made.all_engines(tmp_path)
    assert first.ok, first.problem
    assert second == first
    anew = [tmp_path / f"{n}.engine" for n in range(engines.REBUILDS)]
    assert [path.stat().st_size for path in anew] == [first.engine_bytes] * engines.REBUILDS
    assert engines_of_it[-engines.REBUILDS :] == anew
