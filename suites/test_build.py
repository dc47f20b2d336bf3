"""Every ONNX model builds into an engine, or is refused for the reason that the support table gives."""

from collections.abc import Callable

import pytest

from fixtures.cases import Case
from fixtures.pipeline.pipeline import OnnxModel


@pytest.mark.stage("tensorrt-build")
def test_engine_builds(
    case: Case, onnx_model: OnnxModel, build_as_predicted: Callable[[OnnxModel], None]
) -> None:
    """The parser and the builder take the model, or refuse it as the support table predicts."""
    build_as_predicted(onnx_model)
