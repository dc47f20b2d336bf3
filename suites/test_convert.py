"""Every reference model converts at every opset, and gets the opset that was asked for."""

import pytest

from fixtures.cases import Case
from fixtures.pipeline.pipeline import OnnxModel, Pipeline
from fixtures.recording import RecordDraft
from fixtures.verdicts import StageError


@pytest.mark.stage("convert")
def test_converts(case: Case, pipeline: Pipeline, draft: RecordDraft, onnx_model: OnnxModel) -> None:
    """The converter writes a valid ONNX model of the opset asked for, with the outputs in order."""
    model = pipeline.graph(onnx_model)
    draft.measure("nodes", len(model.graph.node), "nodes")
    draft.measure("file_size", onnx_model.path.stat().st_size, "bytes")
    draft.measure("convert", onnx_model.about["seconds"], "s")
    got = {entry.domain: entry.version for entry in model.opset_import}
    if got != {"": case.opset}:
        raise StageError(f"opset is {got}, asked for {case.opset}", "opset")
    names = tuple(output.name for output in model.graph.output)
    if names != pipeline.models[case.model].outputs:
        raise StageError(f"outputs are {names}, expected {pipeline.models[case.model].outputs}", draft.hop)
