"""Where a node stands, how large the weights are and who else uses a tensor makes no difference."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility.rewrites import files
from fixtures.compatibility.rewrites.weights import split
from suites.meta.networks.rewrite_models import assert_equal, fixed, small

F = np.float32
MISH = helper.make_node("Mish", ["x"], ["y"], name="gate")


def branches(*names: str) -> ModelProto:
    """Make an If whose branches are a Mish and a Relu of a tensor outside, by the names of their outputs."""
    nodes = [helper.make_node(operator, ["x"], [name], name=f"in {operator}")
             for operator, name in zip(("Mish", "Relu"), names, strict=True)]  # fmt: skip
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    then, other = (helper.make_graph([n], n.op_type, [], [v]) for n, v in zip(nodes, values, strict=True))
    made = helper.make_node("If", ["c"], ["y"], name="either", then_branch=then, else_branch=other)
    total = helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0)
    return small([total, helper.make_node("Greater", ["s", "zero"], ["c"]), made], {"zero": F(0)}, opset=18)


def shared() -> ModelProto:
    """Make a quantized tensor that two nodes dequantize, and one more that is dequantized by itself."""
    inputs = ["q", "s", "z"]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], name="q"),
        *(helper.make_node("DequantizeLinear", inputs, [name], name=name) for name in ("a", "b")),
        helper.make_node("Mul", ["a", "b"], ["y"]),
    ]
    return small(nodes, {"s": F(0.1), "z": np.uint8(128)})


def unnamed() -> ModelProto:
    """Make two Mish without names."""
    return small([helper.make_node("Mish", ["x"], ["m"]), helper.make_node("Mish", ["m"], ["y"])], opset=18)


@pytest.mark.parametrize(
    ("model", "version", "changed"),
    [
        (branches("a", "b"), "trt8.6", ["in Mish"]),
        (shared(), "rtx1.7", ["a", "b"]),
        (unnamed(), "trt8.6", ["m", "y"]),
    ],
)
def test_nodes_are_rewritten_wherever_they_are(model: ModelProto, version: str, changed: list[str]) -> None:
    """Branches, shared tensors and nodes without names: each is named, and the outputs are the same."""
    done = fixed(model, version)
    assert done.remaining == ()
    assert [change.node for change in done.changes if change.rewrite != "opset"] == changed
    for seed in range(4):
        assert_equal(model, done.model, seed)


def test_names_that_are_taken_are_not_given_again() -> None:
    """A tensor that has the name which a rewrite would give keeps it."""
    nodes = [helper.make_node("Relu", ["x"], ["y.Softplus_1"], name="y.min"),
             helper.make_node("Mish", ["y.Softplus_1"], ["y"], name="gate")]  # fmt: skip
    model = small(nodes, opset=18)
    after = fixed(model, "trt8.6").model
    outputs = [name for node in after.graph.node for name in node.output]
    assert len(outputs) == len(set(outputs))
    assert_equal(model, after)


def test_a_quantized_tensor_that_is_an_output_stays() -> None:
    """Where something else than DequantizeLinear takes the tensor, its QuantizeLinear stays and is said."""
    model = shared()
    model.graph.output.append(helper.make_tensor_value_info("q", TensorProto.UINT8, None))
    done = fixed(model, "rtx1.7")
    assert [refusal.operator for refusal in done.remaining] == ["QuantizeLinear"]
    assert_equal(model, done.model)


def test_branches_that_use_the_same_names_are_left_alone() -> None:
    """What cannot be told apart by name is not rewritten, and stays refused."""
    model = branches("a", "a")
    done = fixed(model, "trt8.6")
    assert {change.rewrite for change in done.changes} <= {"opset"}
    assert "in Mish" in {refusal.node for refusal in done.remaining}
    assert_equal(model, done.model)


def test_functions_of_the_model_are_left_alone() -> None:
    """What stands in a function of the model is not rewritten, and stays refused."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model = small([helper.make_node("Own", ["x"], ["y"], name="call", domain="own")], opset=18)
    model.opset_import.append(opsets[1])
    model.functions.append(helper.make_function("own", "Own", ["x"], ["y"], [MISH], opsets[:1]))
    done = fixed(model, "trt9.0")
    assert done.changes == ()
    assert ("gate", "Mish") in {(refusal.node, refusal.operator) for refusal in done.remaining}


def test_a_model_too_large_for_one_file_is_written_as_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what one file holds, weights go beside it though they did not before."""
    weight = np.linspace(-1, 1, 8 * 200, dtype=F).reshape(8, 200)
    model = small([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weight})
    monkeypatch.setattr(files, "LARGEST", 5000)
    path = tmp_path / "m.onnx"
    assert files.write(*split(model), path, beside=False) == [path, tmp_path / "m.onnx.data"]
    assert path.stat().st_size < 1000
    assert_equal(model, onnx.load(path))
