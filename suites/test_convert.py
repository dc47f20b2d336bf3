"""Every reference model converts at every opset, and gets the opset that was asked for."""

import pytest

from fixtures.cases import Case
from fixtures.checks.conversion import Conversion
from fixtures.pipeline.pipeline import Pipeline


@pytest.mark.stage("convert")
def test_converts(case: Case, pipeline: Pipeline, converted: Conversion) -> None:
    """The converter writes a valid ONNX model of the opset asked for, with the outputs in order."""
    converted.require_opset(case.opset)
    converted.require_outputs(pipeline.models[case.model].outputs)
