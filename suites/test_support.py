"""Which TensorRT releases take each ONNX model, by the support tables alone: no TensorRT is needed."""

from collections.abc import Callable

import pytest

from fixtures.cases import Case
from fixtures.pipeline.pipeline import OnnxModel


@pytest.mark.stage("support")
def test_release_takes_the_model(
    case: Case, onnx_model: OnnxModel, predict: Callable[[OnnxModel], None]
) -> None:
    """The support tables say that a release takes the model, or name each node that it refuses."""
    predict(onnx_model)
