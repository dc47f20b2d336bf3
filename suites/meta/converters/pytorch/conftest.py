"""What many exports need is read once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec

import pytest


@pytest.fixture(scope="package", autouse=True)
def dynamos_operators() -> Iterator[None]:
    """Let dynamo's table of operators, half the time of a small export, be made once an opset."""
    if find_spec("torch") is None or find_spec("onnxscript") is None:
        yield
        return
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(cache(ONNXRegistry.from_torchlib)))
        yield
