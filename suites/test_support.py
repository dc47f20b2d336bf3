"""Which TensorRT releases take each ONNX model, by the support tables alone: no TensorRT is needed."""

import pytest

from fixtures.checks.build import require_support
from fixtures.compatibility.answers import Answer


@pytest.mark.stage("support")
def test_release_takes_the_model(predicted: Answer) -> None:
    """The support tables say that a release takes the model and computes what ONNX defines."""
    require_support(predicted)
