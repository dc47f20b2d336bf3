"""Each restriction refuses what it is about and takes its neighbour."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility import Refusal, inspect, refusals
from fixtures.compatibility.check.limits import LIMITS
from suites.meta.networks import (
    importer_cases,
    narrow_floats,
    parser_cases,
    reported_situations,
    user_situations,
)
from suites.meta.networks.importer_models import attention
from suites.meta.networks.support_models import (
    chosen,
    drawn,
    fed,
    filled,
    grid,
    one,
    recurrent,
    resize,
    reversed_rows,
    scaled,
    span_of,
)

W = np.ones((1, 1, 3, 3), np.float32)
LINE = np.ones((1, 1, 3), np.float32)
EYE, ROW = np.eye(4, dtype=np.float32), np.ones(4, np.float32)
SCALE, ZERO, SIX = np.float32(0.1), np.float32(0), np.float32(6)
ZEROTH, FIRST = np.array([0]), np.array([1])
BORDER = np.array([0, 0, 1, 1, 0, 0, 1, 1])
CHANNELS = np.array([0, 1, 1, 1, 0, 0, 0, 0])
FLOOR: dict[str, Any] = {"nearest_mode": "floor"}
ASYMMETRIC: dict[str, Any] = {"coordinate_transformation_mode": "asymmetric", **FLOOR}
TF: dict[str, Any] = {"coordinate_transformation_mode": "tf_half_pixel_for_nn"}
CROP: dict[str, Any] = {"coordinate_transformation_mode": "tf_crop_and_resize"}
KERNEL: dict[str, Any] = {"kernel_shape": [2, 2]}
WINDOW: dict[str, Any] = {"kernel_shape": [3, 3]}

ROWS: list[tuple[str, str, ModelProto, ModelProto]] = [
    ("attributes", "8.0", one("Pad", [BORDER], mode="reflect"), one("Pad", [BORDER], mode="constant")),
    ("cast", "7.0", one("Cast", opset=11, to=TensorProto.DOUBLE), one("Cast", opset=11, to=TensorProto.BOOL)),
    ("constant_inputs", "8.4", one("Conv", [W], computed=[1], **WINDOW), one("Conv", [W], **WINDOW)),
    ("initializer_inputs", "7.0", one("Clip", [ZERO, SIX], opset=11, computed=[2]),
     one("Clip", [ZERO], opset=11)),
    ("initializer_inputs", "8.0", one("Pad", [BORDER], computed=[1]), one("Pad", [BORDER])),
    ("initializer_inputs", "8.5", one("TopK", [[5]], outputs=2, computed=[1]), one("TopK", [[5]], outputs=2)),
    ("initializer_inputs", "8.0", one("Squeeze", [[0]], computed=[1]), one("Squeeze", [[0]])),
    ("initializers_of", "8.2", span_of("FLOAT", computed=True), span_of("FLOAT", computed=False)),
    ("initializers_of", "7.0", span_of("FLOAT", computed=True), span_of("INT64", computed=True)),
    ("same_activations", "11.5", recurrent("Tanh", "Relu"), recurrent("Relu", "Relu")),
    ("reversed_unknown", "8.5", reversed_rows("n"), reversed_rows(2)),
    ("attributes", "8.5", one("LpPool", p=3, **KERNEL), one("LpPool", p=1, **KERNEL)),
    ("refused_types", "10.11", fed("Pow", "INT32", 4, more=[np.int32(2)]),
     fed("Pow", "FLOAT", 4, more=[SIX])),
    ("resized_axes", "8.5", scaled(2, 2, 2), scaled(1, 2, 2)),
    ("resized_axes", "10.0", scaled(2, 2, 2, axes=[1, 2, 3]), scaled(2, 2, axes=[2, 3])),
    ("window", "8.6", one("LRN", size=4), one("LRN", size=5)),
    ("causal_mask", "10.14", attention(more=[("BOOL", (8, 8))], is_causal=1),
     attention(more=[("BOOL", (8, 8))])),
    ("einsum", "11.5", one("Einsum", equation="iJ->Ji"), one("Einsum", equation="ij->ji")),
    ("slice_axes", "10.10", fed("Slice", "FLOAT", 4, 8, more=[ZEROTH, FIRST]),
     fed("Slice", "FLOAT", 4, 8, more=[ZEROTH, FIRST, ZEROTH])),
    ("squeezed_unknown", "11.4", fed("Squeeze", "FLOAT", 1, "n", opset=13),
     fed("Squeeze", "FLOAT", 1, 4, opset=13)),
    ("given_tensor", "10.10", drawn(held=True), drawn(held=False)),
    ("einsum", "10.11", one("Einsum", equation="ii->i"), one("Einsum", equation="ij->ji")),
    ("attributes", "10.15", attention(softcap=2.0), attention()),
    ("forbidden_attributes", "11.0", attention(softmax_precision=1), attention()),
    ("given_inputs", "8.5", one("QuantizeLinear", [SCALE]), one("QuantizeLinear", [SCALE, np.int8(0)])),
    ("unread_inputs", "7.2", one("Squeeze", [[0]]), one("Squeeze", opset=11, axes=[0])),
    ("unread_inputs", "7.1", one("ReduceSum", [[1]]), one("ReduceSum", opset=11, axes=[1])),
    ("unread_inputs", "7.0", one("Split", [[1, 1]], outputs=2),
     one("Split", opset=11, outputs=2, split=[1, 1])),
    ("plugin_attributes", "8.6", one("EfficientNMS_TRT", [ROW], domain="TRT", score_threshold=0.5),
     one("Relu")),
    ("constant_inputs", "8.6", one("QuantizeLinear", [SCALE, np.int8(0)], computed=[1]),
     one("QuantizeLinear", [SCALE, np.int8(0)])),
    ("initializer_inputs", "10.3", one("Pad", [[1, 1], None, [1]], opset=18, computed=[3]),
     one("Pad", [[1, 1], None, [1]], opset=18)),
    ("initializer_inputs", "10.7", one("CumSum", [0], computed=[1]), one("CumSum", [0])),
    ("outputs", "8.6", one("LayerNormalization", [ROW], outputs=2, opset=17),
     one("LayerNormalization", [ROW], opset=17)),
    ("forbidden_attributes", "10.8", one("ScatterND", [[[0]], [1.0]], opset=16, reduction="none"),
     one("ScatterND", [[[0]], [1.0]], opset=16)),
    ("attributes", "10.9", one("ScatterND", [[[0]], [1.0]], opset=16, reduction="add"),
     one("ScatterND", [[[0]], [1.0]], opset=16, reduction="none")),
    ("spatial_dims", "8.5", one("LpPool", kernel_shape=[2]), one("LpPool", **KERNEL)),
    ("rank", "10.10", fed("EyeLike", "FLOAT", 4, opset=9), fed("EyeLike", "FLOAT", 4, 4, opset=9)),
    ("refused_types", "10.10", fed("Abs", "BOOL", 4), fed("Abs", "INT64", 4)),
    ("einsum", "10.10", one("Einsum", equation="ii->i"), one("Einsum", equation="...ij->...ji")),
    ("wanted_attributes", "7.2", one("Squeeze", opset=11), one("Squeeze", opset=11, axes=[0])),
    ("kernel_shape", "8.5", one("Conv", [W], computed=[1]), one("Conv", [W], computed=[1], **WINDOW)),
    ("given_types", "8.6", fed("DequantizeLinear", "UINT8", 4, more=[SCALE, np.uint8(0)]),
     fed("DequantizeLinear", "INT8", 4, more=[SCALE, np.int8(0)])),
    ("negative_pads", "8.6", one("Pad", [-BORDER]), one("Pad", [BORDER])),
    ("branches", "8.6", chosen(4, 8), chosen(4, 4)),
    ("branches", "8.0", chosen(4, 4, names=("y", "y")), chosen(4, 4)),
    ("branches", "10.5", chosen(4, 8), chosen(4, 4)),
    ("branches", "10.12", chosen(4, 8), chosen(4, 8, held=True)),
    ("branches", "10.13", chosen(4, None), chosen(4, 8)),
    ("branches", "rtx1.7", chosen(4, None), chosen(4, None, held=True)),
    ("branches", "rtx1.5", chosen(4, None), chosen(4, 8)),
    ("rank", "7.1", fed("ArgMax", "FLOAT", 4, opset=11), fed("ArgMax", "FLOAT", 4, 4, opset=11)),
    ("rank", "10.1", grid(5), grid(4)),
    ("rank", "11.1", grid(5), grid(4)),
    ("given_inputs", "7.2", one("Gemm", [EYE], opset=11), one("Gemm", [EYE, ROW], opset=11)),
    ("value_type", "7.0", filled(TensorProto.BOOL, opset=11), filled(TensorProto.FLOAT, opset=11)),
    ("rank", "8.5", fed("Softmax", "FLOAT", 4), fed("Softmax", "FLOAT", 4, opset=11)),
    ("refused_types", "8.4", fed("Gather", "BOOL", 4, more=[[1]]), fed("Gather", "INT32", 4, more=[[1]])),
    ("refused_types", "7.2", fed("Tile", "BOOL", 4, more=[[2]], opset=11),
     fed("Tile", "FLOAT", 4, more=[[2]], opset=11)),
    ("dilations", "10.0", one("MaxPool", dilations=[2, 2], **KERNEL), one("MaxPool", **KERNEL)),
    ("einsum", "8.5", one("Einsum", equation="...ij->...ji"), one("Einsum", equation="ij->ji")),
    ("einsum", "8.5", one("Einsum", equation="ii->i"), one("Einsum", equation="ij,jk->ik")),
    ("forbidden_attributes", "10.1", one("Constant", value_string="a"), one("Constant", value_int=1)),
    ("k", "10.1", one("TopK", [[3840]], outputs=2), one("TopK", [[3839]], outputs=2)),
    ("k", "rtx1.7", one("TopK", [[3841]], outputs=2), one("TopK", [[3840]], outputs=2)),
    ("negative_indices", "8.0", one("Gather", [[-1]]), one("Gather", [[1]])),
    ("outputs", "8.6", one("MaxPool", outputs=2, **KERNEL), one("MaxPool", **KERNEL)),
    ("outputs", "rtx1.4", one("MaxPool", outputs=2, **KERNEL), one("MaxPool", **KERNEL)),
    ("pad", "7.1", one("Pad", [CHANNELS], opset=11), one("Pad", [BORDER], opset=11)),
    ("pad", "8.0", one("Pad", [BORDER, np.float32(1)]), one("Pad", [BORDER, np.float32(0)])),
    ("pad", "7.1", one("Pad", opset=10, pads=CHANNELS.tolist()), one("Pad", opset=10, pads=BORDER.tolist())),
    ("resize", "7.0", resize(), resize(**ASYMMETRIC)),
    ("resize", "7.0", resize(computed=[2], **ASYMMETRIC), resize(**ASYMMETRIC)),
    ("resize", "8.2", resize(computed=[2]), resize()),
    ("resize", "7.0", one("Resize", [None, None, [9]], opset=11, **ASYMMETRIC), resize(**ASYMMETRIC)),
    ("resize", "7.1", resize(mode="linear", **TF), resize(mode="linear")),
    ("resize", "8.4", resize(mode="cubic"), resize(mode="linear")),
    ("resize", "8.6", resize(**TF, **FLOOR), resize(**TF)),
    ("resize", "rtx1.7", resize(**CROP), resize(mode="cubic")),
    ("resize", "10.9", resize(opset=18, mode="linear", antialias=1), resize(opset=18, mode="linear")),
    ("spatial_dims", "8.6", one("MaxPool", kernel_shape=[2] * 4), one("MaxPool", kernel_shape=[2])),
    ("cast", "rtx1.7", one("Cast", to=TensorProto.INT16), one("Cast", to=TensorProto.INT64)),
    ("constant_inputs", "rtx1.5", one("ReduceSum", [[1]], computed=[1]), one("ReduceSum", [[1]])),
    ("dilations", "rtx1.5", one("LpPool", dilations=[2, 2], **KERNEL), one("LpPool", **KERNEL)),
    ("spatial_dims", "rtx1.7", one("MaxPool", kernel_shape=[2] * 4), one("MaxPool", kernel_shape=[2])),
    ("rank", "rtx1.7", fed("Softmax", "FLOAT", 4), fed("Softmax", "FLOAT", 4, 4)),
    ("rank", "rtx1.7", fed("Softmax", "FLOAT", 4), fed("Softmax", "FLOAT", 4, opset=11)),
    ("rank", "rtx1.5", grid(5), grid(4)),
    ("refused_types", "rtx1.7", fed("Erf", "INT32", 4), fed("Erf", "FLOAT16", 4)),
    ("deconvolution", "rtx1.7", one("ConvTranspose", [W], strides=[2, 2], dilations=[2, 2]),
     one("ConvTranspose", [W], strides=[2, 2])),
    ("deconvolution", "rtx1.7", one("ConvTranspose", [LINE], output_shape=[16]),
     one("ConvTranspose", [W], output_shape=[16, 16])),
    ("value_type", "rtx1.7", filled(TensorProto.INT8), filled(TensorProto.INT32)),
    ("training", "rtx1.7", one("Dropout", [SCALE, True]), one("Dropout", [SCALE, False])),
    ("zero_point", "rtx1.7", one("QuantizeLinear", [SCALE, np.int8(3)]),
     one("QuantizeLinear", [SCALE, np.int8(0)])),
]  # fmt: skip
"""Rule, version, a model that it refuses, one that it takes."""
ELSEWHERE = {
    "uneven_split", "loop_condition", "output_shape", "resize_between", "scan_outputs", "written",
    *parser_cases.RULES, *importer_cases.RULES, *user_situations.RULES,
    *reported_situations.RULES,
    *narrow_floats.RULES,
}  # fmt: skip
"""Rules of what is computed wrong, and those whose examples stand in a table of their own."""


def ask(model: ModelProto, version: str) -> list[Refusal]:
    """Return what a version refuses; ``rtx1.7`` is TensorRT-RTX."""
    flavour = "tensorrt-rtx" if version.startswith("rtx") else "tensorrt"
    return refusals(model, flavour, version.removeprefix("rtx"), gpu=True)


@pytest.mark.parametrize(("rule", "version", "refused", "taken"), ROWS)
def test_a_restriction_refuses_and_takes(
    rule: str, version: str, refused: ModelProto, taken: ModelProto
) -> None:
    """The one node is refused by the rule, with a reason, a remedy and the row; the other is taken.

    Rules about more than a node, which refuse some of them too, are not meant.
    """
    assert ask(taken, version) == []
    (refusal,) = (one for one in ask(refused, version) if one.where.startswith("operators.json"))
    assert refusal.node == "node"
    assert refusal.why
    assert refusal.remedy
    assert f" {rule} " in refusal.where


def test_every_restriction_has_an_example() -> None:
    """No rule is without a refused and a taken model; what is computed wrong has its own tests."""
    assert {rule for rule, *_ in ROWS} == set(LIMITS) - ELSEWHERE


def test_the_builder_is_blamed_where_it_refuses() -> None:
    """TensorRT-RTX parses a great K, and its builder refuses it."""
    assert [r.stage for r in ask(one("TopK", [[3841]], outputs=2), "rtx1.7")] == ["builder"]
    assert [r.stage for r in ask(one("TopK", [[3841]], outputs=2), "10.1")] == ["parser"]


def test_a_value_that_is_not_in_the_file_is_no_problem() -> None:
    """An emptied or external initializer is constant, and nothing is said of its value."""
    model = one("Gather", [[-1]])
    model.graph.initializer[0].ClearField("raw_data")
    assert ask(model, "8.0") == []
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    assert ask(model, "8.0") == []


@pytest.mark.parametrize(
    ("maker", "version", "named"),
    [("Identity", "8.4", []), ("Neg", "8.4", []), ("RandomUniformLike", "8.4", ["node"]),
     ("Identity", "7.2", []), ("Neg", "7.2", ["node"])],
)  # fmt: skip
def test_what_is_made_from_constants(maker: str, version: str, named: list[str]) -> None:
    """Where weights must be constant they may be made from constants; an initializer is only handed on."""
    model = one("ConvTranspose", [W], opset=11, **WINDOW)
    source = "x" if maker == "RandomUniformLike" else "c1"
    model.graph.node[0].input[1] = "made"
    model.graph.node.insert(0, helper.make_node(maker, [source], ["made"]))
    assert [refusal.node for refusal in ask(model, version)] == named


def test_the_remedy_of_what_is_made_from_constants_is_to_fold_it() -> None:
    """A simplifier helps where nothing depends on an input; elsewhere shapes must be fixed first."""
    model = one("Pad", [BORDER], opset=11)
    model.graph.node[0].input[1] = "made"
    model.graph.node.insert(0, helper.make_node("Neg", ["c1"], ["made"]))
    (refusal,) = ask(model, "8.0")
    assert refusal.why.endswith("is computed from constants")
    assert refusal.remedy.startswith("fold constants")


def test_a_branch_that_is_never_built_is_not_looked_at() -> None:
    """A known condition decides which graph of an If is held against the table."""
    inner = one("Det", opset=13).graph
    model = one("If", [np.array(True)], opset=13, then_branch=one("Relu").graph, else_branch=inner)
    model.graph.node[0].input[0] = "c1"
    assert ask(model, "8.6") == []
    model.graph.initializer[0].raw_data = b"\0"
    assert [refusal.operator for refusal in ask(model, "8.6")] == ["Det"]


def test_nodes_of_inner_graphs_are_looked_at() -> None:
    """A branch of If is held against the table like the rest, and sees the constants outside."""
    inner = one("Mish", opset=13).graph
    model = one("If", opset=13, then_branch=inner, else_branch=one("Relu").graph)
    assert [refusal.operator for refusal in ask(model, "8.6")] == ["Mish"]
    assert inspect(model).count == 3


def test_functions_of_the_model_are_looked_into() -> None:
    """Since 9.0 a call of the model's own function is no unknown operator, and its nodes are looked at."""
    model = one("Own", domain="own")
    body = [helper.make_node("Det", ["x"], ["y"], name="inside")]
    opsets = [onnx.helper.make_opsetid("", 13)]
    model.functions.append(helper.make_function("own", "Own", ["x"], ["y"], body, opsets))
    found: list[Any] = [(refusal.node, refusal.operator) for refusal in ask(model, "10.1")]
    assert found == [("inside", "Det")]
    assert ("node", "Own") in [(refusal.node, refusal.operator) for refusal in ask(model, "8.6")]
