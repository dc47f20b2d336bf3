"""Pairs stand where TensorRT's rules want them, and nowhere else."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fixtures.quantization.placement import Placement, heads, place
from suites.meta.networks import quantizable


def reads(model: onnx.ModelProto, placement: Placement) -> set[tuple[str, str]]:
    """Return (name of the node, tensor that it reads quantized)."""
    return {(model.graph.node[index].name, name) for (index, _), name in placement.reads.items()}


def test_every_rule_in_one_network() -> None:
    """Operands of weighted operators, both residual branches, what a pooling and a Concat take; no head."""
    model = quantizable.residual()
    placement = place(model)
    assert reads(model, placement) == {
        ("conv0", "image"), ("conv1", "r0"), ("add", "c1"), ("add", "r0"), ("pool", "sum"),
        ("conv2", "pooled"), ("concat", "left"), ("concat", "pooled"), ("conv3", "both"), ("gemm", "flat"),
    }  # fmt: skip
    assert "scores" not in placement.groups


def test_what_moves_values_shares_one_scale() -> None:
    """MaxPool and Concat make one group of what they take and give; a chain of them is one group."""
    groups = place(quantizable.residual()).groups
    assert {name for name, first in groups.items() if first == "sum"} == {"sum", "pooled", "left", "both"}
    assert all(groups[name] == name for name in ("image", "r0", "c1", "flat"))


def test_an_add_behind_the_last_weights_stays_float() -> None:
    """A residual sum that no weighted operator reads is the output of a head."""
    model = quantizable.residual()
    del model.graph.node[4:]
    model.graph.output[0].name = "sum"
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    assert reads(model, place(model)) == {("conv0", "image"), ("conv1", "r0")}


def test_heads_are_the_last_weighted_operators() -> None:
    """Those before no other, each of several; a network that has nothing else has no head."""
    model = quantizable.residual()
    assert heads(model) == ["gemm"]
    del model.graph.node[8:]
    model.graph.node.add().CopyFrom(helper.make_node("Conv", ["both", "w3"], ["other"], "conv4"))
    model.graph.node.add().CopyFrom(helper.make_node("Sigmoid", ["other"], ["scores"]))
    assert heads(model) == ["conv3", "conv4"]
    assert heads(deconvolution(1)) == []


def deconvolution(groups: int) -> onnx.ModelProto:
    """Return a ConvTranspose of four channels."""
    weight = numpy_helper.from_array(np.ones((4, 4 // groups, 2, 2), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], "up", group=groups)], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 4, 3, 3))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 4, 4, 4))], [weight],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


@pytest.mark.parametrize(("groups", "axis"), [(1, 1), (2, None)])
def test_weights_have_the_axis_of_their_output_channels(groups: int, axis: int | None) -> None:
    """Axis 1 of a ConvTranspose; a grouped one has no axis that counts all outputs: one scale for all."""
    assert place(deconvolution(groups)).weights == {(0, 1): axis}
