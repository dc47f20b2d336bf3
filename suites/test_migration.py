"""Nothing is lost when one TensorRT replaces another: ``pytest suites --migrate FROM TO``."""

import pytest

from fixtures.cases import Case
from fixtures.checks.migration import Migration
from fixtures.checks.parity import Comparison
from fixtures.pipeline.pipeline import OnnxModel, Pipeline
from fixtures.recording import RecordDraft
from fixtures.runtimes.tensorrt.client import TensorRT


@pytest.fixture
def migration(
    pipeline: Pipeline, draft: RecordDraft, comparison: Comparison, baseline: TensorRT, tensorrt: TensorRT
) -> Migration:
    """The way of an ONNX model from the one version to the other."""
    return Migration(draft, pipeline, comparison, baseline, tensorrt)


@pytest.mark.stage("migration")
def test_the_model_migrates(onnx_model: OnnxModel, migration: Migration) -> None:
    """The second version takes what the first does, and its engine gives the first one's outputs."""
    migration.hold(onnx_model)


@pytest.mark.stage("migration", part="int8")
def test_the_quantized_model_migrates(
    case: Case, pipeline: Pipeline, draft: RecordDraft, onnx_model: OnnxModel, migration: Migration
) -> None:
    """The same holds of the model in INT8, by each quantization route."""
    draft.hop = "calibration"
    model = pipeline.to_int8(case.model, onnx_model, case.route)
    draft.artifact = str(model.path)
    migration.hold(model)
