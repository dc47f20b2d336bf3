"""Which TensorRT releases take each ONNX model, by the support tables alone: no TensorRT is needed."""

import pytest

from fixtures.checks.build import require_support
from fixtures.compatibility import Refusal


@pytest.mark.stage("support")
def test_release_takes_the_model(predicted_refusals: list[Refusal]) -> None:
    """The support tables say that a release takes the model, or name each node that it refuses."""
    require_support(predicted_refusals)
