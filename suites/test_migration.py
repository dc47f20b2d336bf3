"""Nothing is lost when one TensorRT replaces another: ``pytest suites --migrate FROM TO``."""

import pytest

from fixtures.checks.migration import Migration
from fixtures.pipeline.pipeline import OnnxModel


@pytest.mark.stage("migration")
def test_the_model_migrates(onnx_model: OnnxModel, migration: Migration) -> None:
    """The second version takes what the first does, and its engine gives the first one's outputs."""
    migration.require_nothing_lost(onnx_model)


@pytest.mark.stage("migration", part="int8")
def test_the_quantized_model_migrates(quantized_model: OnnxModel, migration: Migration) -> None:
    """The same holds of the model in INT8, by each quantization route."""
    migration.require_nothing_lost(quantized_model)
