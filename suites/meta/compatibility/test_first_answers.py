"""The support table is well formed and predicts what it says, no more."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fixtures.compatibility import refusals, releases
from fixtures.compatibility.check.measured import RULES, rows
from fixtures.compatibility.check.tensors import BY_TYPE

RTX = "tensorrt-rtx"


def graph(*nodes: str) -> ModelProto:
    """A chain of the named operators from x to y; DequantizeLinear also stands before weights."""
    weight = numpy_helper.from_array(np.ones((1, 1, 1, 1), np.int8), "w")
    scale = numpy_helper.from_array(np.ones((), np.float32), "s")
    extra = {"Conv": ["weight"], "QuantizeLinear": ["s"], "DequantizeLinear": ["s"]}
    made = [helper.make_node("DequantizeLinear", ["w", "s"], ["weight"], name="weights")]
    names = ["x", *(f"t{i}" for i in range(1, len(nodes))), "y"]
    for i, operator in enumerate(nodes):
        attributes: dict[str, Any] = {}
        if operator == "MaxPool":
            attributes = {"kernel_shape": [2, 2], "dilations": [2, 2]}
        inputs = [names[i], *extra.get(operator, [])]
        made.append(helper.make_node(operator, inputs, [names[i + 1]], name=operator.lower(), **attributes))
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 8, 8]) for name in "xy"]
    return helper.make_model(helper.make_graph(made, "g", value[:1], value[1:], [weight, scale]))


QDQ = graph("QuantizeLinear", "DequantizeLinear", "Conv")
WEIGHT_ONLY = graph("Conv")


@pytest.mark.parametrize(
    ("model", "version", "gpu", "named"),
    [
        (QDQ, "1.4.0.76", True, ["conv"]),
        (QDQ, "1.5.0.114", False, ["conv"]),
        (QDQ, "1.6.1.120", True, ["conv"]),
        (QDQ, "1.7.1.116", False, []),
        (WEIGHT_ONLY, "1.4.0.76", False, ["weights"]),
        (WEIGHT_ONLY, "1.4.0.76", True, []),
        (WEIGHT_ONLY, "1.5.0.114", False, []),
        (graph("MaxPool"), "1.7.1.116", False, ["maxpool"]),
        (graph("NonZero"), "1.5.0.114", False, ["nonzero"]),
        (graph("NonZero"), "1.5.0.114", True, []),
    ],
)
def test_the_refused_nodes_are_named(model: ModelProto, version: str, gpu: bool, named: list[str]) -> None:
    """Each version refuses what was measured, at the node that is at fault."""
    assert [refusal.node for refusal in refusals(model, RTX, version, gpu=gpu)] == named


def test_another_flavour_is_not_meant() -> None:
    """A row about TensorRT-RTX says nothing of TensorRT."""
    assert refusals(QDQ, "tensorrt", "10.9.0", gpu=True) == []


def test_every_row_has_a_rule_and_a_reason() -> None:
    """Every row names a rule that exists, and every rule is used."""
    assert {row.rule for row in rows()} == {*RULES, *BY_TYPE}
    assert all(row.why and row.remedy for row in rows())
    assert all(any(row.fits(one.flavour, one.version, gpu=False) for one in releases()) for row in rows())
