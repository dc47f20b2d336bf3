"""What is recorded of an ONNX model that a converter wrote."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from fixtures.cases import Case
from fixtures.checks.conversion import conversion
from fixtures.pipeline.models import OnnxModel
from fixtures.recording import RecordDraft


def test_the_operators_and_the_nodes_are_counted(tmp_path: Path) -> None:
    """Operators stand in the alphabet's order with how many there are of each, as the report reads them."""
    names = [("x", "a", "Relu"), ("a", "b", "Abs"), ("b", "y", "Relu")]
    nodes = [helper.make_node(operator, [source], [target]) for source, target, operator in names]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    onnx.save(model, tmp_path / "m.onnx")
    draft = RecordDraft(Case("convert", "digits", "torchscript", 13), {"name": "digits"})
    form = conversion(draft, OnnxModel(tmp_path / "m.onnx", "", {"seconds": 0.5}, "m"), model)
    assert draft.model["operators"] == "Abs 1, Relu 2"
    assert draft.metrics["nodes"].value == 3
    assert form.outputs == ("y",)
