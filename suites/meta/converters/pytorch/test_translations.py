"""Exports by dynamo share the table of their opset, and give what they give without."""

from contextlib import nullcontext
from importlib.util import find_spec

import onnx
import pytest

from fixtures.converters.pytorch import convert as converter
from suites.meta.networks.pytorch_nets import image

MISSING = [name for name in ("torch", "onnxscript") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)


def test_a_table_is_made_once_an_opset_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two exports of one opset make one table, of another opset one more; they are what torch gives alone."""
    import torch
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    module, make, made = torch.nn.ReLU(), ONNXRegistry.from_torchlib, []

    def counted(**options: int) -> ONNXRegistry:
        made.append(options["opset_version"])
        return make(**options)

    def exported(opset: int) -> onnx.ModelProto:
        return converter.convert(module, image(), ["y"], opset, "dynamo")

    before = ONNXRegistry.from_torchlib
    with monkeypatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(counted))
        first, second, _ = (exported(opset) for opset in (18, 18, 19))
    assert made == [18, 19]
    assert before == ONNXRegistry.from_torchlib
    monkeypatch.setattr(converter, "tables_kept", nullcontext)
    assert first == second == exported(18)
