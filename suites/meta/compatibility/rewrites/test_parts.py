"""The part of a model that folds is small, is given true shapes, and goes back to where it was."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility.rewrites import parts
from fixtures.compatibility.rewrites.parts import cut, refuted, spliced
from fixtures.compatibility.rewrites.weights import split
from suites.meta.networks.rewrite_models import FOLDS, assert_equal, fixed, small

F = np.float32
ONE = np.ones(1, F)
SIZED = [
    helper.make_node("Relu", ["x"], ["r"], name="relu"),
    helper.make_node("Shape", ["r"], ["s"], name="shape"),
    helper.make_node("ConstantOfShape", ["s"], ["z"], name="zeros"),
    helper.make_node("Add", ["r", "z"], ["y"], name="add"),
]


def part(model: ModelProto) -> Any:
    """Cut the only part out of a model, None where it has none."""
    found = cut(*split(model))
    assert len(found) <= 1
    return found[0] if found else None


def names(model: ModelProto) -> list[str]:
    """Return the nodes of a part."""
    return [node.name for node in part(model).model.graph.node]


def test_the_part_takes_what_other_nodes_make() -> None:
    """It begins at the tensor whose shape is asked for, and ends where another node takes what it makes."""
    found = part(small(SIZED))
    assert [value.name for value in found.model.graph.input] == ["r"]
    assert [value.name for value in found.model.graph.output] == ["z"]
    assert names(small(SIZED)) == ["shape", "zeros"]


@pytest.mark.parametrize(
    ("node", "constants"),
    [(helper.make_node("DequantizeLinear", ["q", "one"], ["y"]), {"q": np.array([1], np.int8), "one": F(1)}),
     (helper.make_node("RandomNormalLike", ["c"], ["y"]), {"c": ONE}),
     (helper.make_node("Identity", ["c"], ["y"]), {"c": ONE}),
     (helper.make_node("Own_TRT", ["c"], ["y"], domain="TRT"), {"c": ONE}),
     (helper.make_node("Relu", ["x"], ["y"]), {})],
    ids=lambda value: value.op_type if isinstance(value, onnx.NodeProto) else "",
)  # fmt: skip
def test_what_does_not_fold_is_no_part(node: onnx.NodeProto, constants: dict[str, Any]) -> None:
    """Quantized weights, drawn numbers, constants by another name, plugins, and what hangs on data."""
    assert part(small([node], constants)) is None


def test_constants_that_nodes_hold_are_taken_along() -> None:
    """A Constant behind an Identity is in the part, and stays in the model."""
    value = onnx.numpy_helper.from_array(ONE)
    nodes = [
        helper.make_node("Constant", [], ["c"], value=value, name="constant"),
        helper.make_node("Identity", ["c"], ["i"], name="identity"),
        helper.make_node("Neg", ["i"], ["n"], name="neg"),
        helper.make_node("ReduceSum", ["n"], ["s"], name="sum", keepdims=0),
        helper.make_node("Add", ["x", "s"], ["y"], name="add"),
    ]
    assert names(small(nodes)) == ["constant", "identity", "neg", "sum"]


def told_otherwise(batch: int | str) -> ModelProto:
    """Make a model that still says of an inner tensor that its batch is 1."""
    model = small(SIZED, shape=(batch, 4, 8, 8))
    model.graph.value_info.append(helper.make_tensor_value_info("r", TensorProto.FLOAT, [1, 4, 8, 8]))
    return model


def test_what_a_model_says_of_inner_tensors_is_not_believed() -> None:
    """Exporters leave such shapes behind when the batch is made another one, or dynamic."""
    for batch in (2, "n"):
        (value,) = part(told_otherwise(batch)).model.graph.input
        dims = value.type.tensor_type.shape.dim
        assert (dims[0].dim_value, dims[0].dim_param) == ((2, "") if batch == 2 else (0, "n"))


def test_the_shape_of_a_plugin_is_believed() -> None:
    """Nobody else knows it."""
    nodes = [helper.make_node("Own_TRT", ["x"], ["r"]), *SIZED[1:3], helper.make_node("Neg", ["z"], ["y"])]
    model = small(nodes)
    assert part(model) is None
    model.graph.value_info.append(helper.make_tensor_value_info("r", TensorProto.FLOAT, [3, 5]))
    assert [d.dim_value for d in part(model).model.graph.input[0].type.tensor_type.shape.dim] == [3, 5]


@pytest.mark.parametrize(("given", "said"), [([1, 4, 8, 8], ""), ([2, 4, 8, 8], "r"), ([1, 4, 8], "r")])
def test_a_shape_that_was_assumed_and_is_another_one_is_named(given: list[int], said: str) -> None:
    """The sizes, and the number of axes."""
    assumed = {"r": helper.make_tensor_value_info("r", TensorProto.FLOAT, given)}
    assert refuted(small(SIZED), assumed) == said


def test_a_part_goes_back_before_what_takes_it() -> None:
    """Nodes stand behind what they take, wherever those of the part stood."""
    model = small(SIZED)
    light, weights = split(model)
    (found,) = cut(light, weights)
    after = spliced(light, [(found, found.model)], weights)
    assert [node.name for node in after.graph.node] == ["relu", "shape", "zeros", "add"]
    with pytest.raises(ValueError, match=r"the outputs \['z'\] became \['y'\]"):
        spliced(light, [(found, model)], weights)


def test_what_does_not_hang_together_comes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of at most five nodes has whole pairs of those that hang together."""
    monkeypatch.setattr(parts, "BATCH", 5)
    nodes = []
    for n in range(5):
        nodes += [
            helper.make_node("Shape", [f"x{n}" if n else "x"], [f"s{n}"], name=f"shape{n}"),
            helper.make_node("ConstantOfShape", [f"s{n}"], [f"z{n}"], name=f"zeros{n}"),
            helper.make_node("Add", [f"x{n}" if n else "x", f"z{n}"], [f"x{n + 1}" if n < 4 else "y"]),
        ]
    light, weights = split(small(nodes))
    found = cut(light, weights)
    assert [[node.name[-1] for node in one.model.graph.node] for one in found] == [
        ["0", "0", "1", "1"], ["2", "2", "3", "3"], ["4", "4"],
    ]  # fmt: skip
    after = spliced(light, [(one, one.model) for one in found], weights)
    assert sorted(n.SerializeToString() for n in after.graph.node) == sorted(
        n.SerializeToString() for n in light.graph.node
    )
    assert_equal(small(nodes), after)


@FOLDS
def test_a_chain_of_shapes_folds_at_once() -> None:
    """Each Reshape hangs on the shape of the one before: all are known in the end, and nothing else moves."""
    nodes = []
    for n in range(6):
        nodes += [
            helper.make_node("Shape", [f"x{n}" if n else "x"], [f"s{n}"]),
            helper.make_node("Slice", [f"s{n}", "b", "e"], [f"k{n}"]),
            helper.make_node("Concat", [f"k{n}", "rest"], [f"d{n}"], axis=0),
            helper.make_node("Reshape", [f"x{n}" if n else "x", f"d{n}"], [f"x{n + 1}"], name=f"r{n}"),
        ]
    nodes.append(helper.make_node("Mish", ["x6"], ["y"], name="mish"))
    constants = {"b": np.array([0]), "e": np.array([2]), "rest": np.array([-1])}
    model = small(nodes, constants, opset=18)
    done = fixed(model, "trt8.6")
    kinds = {node.op_type for node in done.model.graph.node}
    assert kinds == {"Reshape", "Softplus", "Tanh", "Mul"}
    assert_equal(model, done.model)
