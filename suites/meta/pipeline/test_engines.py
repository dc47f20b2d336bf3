"""Engines are found again by all that they depend on, and by a name that says it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.pipeline import engines
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import Device, Identity
from fixtures.runtimes.tensorrt.versions import default_interpreter
from fixtures.store.artifacts import ArtifactStore
from suites.meta.runtimes.tensorrt.test_build_options import linear

ORDER = engines.BuildRequest(Path("m.onnx"), "0" * 64, "digits-torchscript-opset13-batch-1", "fp16", {})
HERE = Identity(
    flavour="tensorrt", version="10.16.1", python="3.11", platform="linux", fp16="flag",
    device=Device("NVIDIA L4", "8.9", "580", 1), device_reason="", interpreter=Path("python"),
)  # fmt: skip
OTHERS = [
    (replace(ORDER, digest="1" * 64), HERE),
    (replace(ORDER, precision="fp32"), HERE),
    (ORDER, replace(HERE, version="10.15.1")),
    (ORDER, replace(HERE, flavour="tensorrt-rtx")),
    (ORDER, replace(HERE, device=Device("NVIDIA L4", "9.0", "580", 1))),
    (ORDER, replace(HERE, device=Device("NVIDIA T4", "8.9", "580", 1))),
]


@pytest.mark.parametrize(("order", "identity"), OTHERS)
def test_whatever_an_engine_depends_on_is_in_its_name(
    order: engines.BuildRequest, identity: Identity
) -> None:
    """Another model, precision, version, flavour or device is another key and another file name."""
    keys = engines.key_of(ORDER, HERE), engines.key_of(order, identity)
    assert keys[0] != keys[1]
    assert engines.engine_name(ORDER.title, keys[0]) != engines.engine_name(order.title, keys[1])


def test_the_name_can_be_read() -> None:
    """A person sees model, version, precision and device, and nothing that a file name must not hold."""
    name = engines.engine_name(ORDER.title, engines.key_of(ORDER, HERE))
    assert name.startswith("digits-torchscript-opset13-batch-1-tensorrt-10.16.1-fp16-NVIDIA-L4-8.9-")
    assert "/" not in name
    assert " " not in name


def test_only_tensorrt_on_a_device_keeps_a_timing_cache(tmp_path: Path) -> None:
    """One file a version and device; none for TensorRT-RTX, none without a device."""
    assert engines.timing_cache(tmp_path, HERE) == str(tmp_path / "timing" / "trt10.16.1-NVIDIA-L4.cache")
    assert engines.timing_cache(tmp_path, replace(HERE, flavour="tensorrt-rtx")) == ""
    assert engines.timing_cache(tmp_path, replace(HERE, device=None)) == ""


def test_a_build_is_made_once(tmp_path: Path) -> None:
    """The second build comes from the store, with the first one's seconds; rebuilds are new files."""
    interpreter = default_interpreter()
    if interpreter is None:
        pytest.skip(f"{sys.executable} has no TensorRT")
    order = replace(ORDER, model=linear(tmp_path / "m.onnx", 1.0), precision="fp32")
    store = ArtifactStore(tmp_path / "artifacts")
    with TensorRT(interpreter, timeout=120) as client:
        first, second = (engines.build(store, client, order)[0] for _ in range(2))
        again = engines.rebuild(client, order, tmp_path)
    assert first.ok, first.problem
    assert second == first
    assert [path.stat().st_size for path in again] == [first.engine_bytes] * engines.REBUILDS
