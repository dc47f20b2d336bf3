"""Each rewrite is equal to what it replaces, was needed, and is taken."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fixtures.compatibility import Inspection, Refusal, cautions, inspect, refusals
from fixtures.compatibility.check import microsoft
from fixtures.compatibility.check.remedies import FIXED
from fixtures.compatibility.rewrites import work
from fixtures.compatibility.rewrites.registry import REWRITES
from suites.meta.networks import exact_forms, fused_models, importer_rewrites, narrow_floats, parser_cases
from suites.meta.networks.rewrite_models import SHAPE, assert_equal, fixed, release, resize, single, small

F = np.float32
S = F(0.1)
TWICE = [1.0, 1.0, 2.0, 2.0]
ODD = [1.0, 1.0, 1.625, 1.375]
PADS = np.array([0, 1, 2, 1, 0, 2, 0, 3])
BORDER = np.array([0, 0, 2, 1, 0, 0, 3, 3])
LINE = np.arange(24, dtype=F).reshape(2, 4, 3) / 10
CORNERS: dict[str, Any] = {"coordinate_transformation_mode": "align_corners", "opset": 13}
ASYMMETRIC: dict[str, Any] = {"coordinate_transformation_mode": "asymmetric", "opset": 11}
PAIR, FOUR = np.array([1, 2], F), np.array([1, 2, 3, 4], F)
GROUPS: dict[str, Any] = {"num_groups": 2}
CONV: dict[str, Any] = {"pads": [1, 2], "dilations": [2], "shape": (1, 4, 8)}
DILATED: dict[str, Any] = {"kernel_shape": [3], "dilations": [2], "shape": (2, 3, 9)}
ANY_BATCH = ("n", 4, 8, 8)
KERNEL: dict[str, Any] = {"kernel_shape": [3, 2], "strides": [2, 1], "dilations": [2, 3], "opset": 17}


def quantized(zero: Any, scale: Any = S, **attributes: Any) -> ModelProto:
    """Make a model of a Q/DQ pair and a Relu."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], name="q", **attributes),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"], name="d", **attributes),
        helper.make_node("Relu", ["d"], ["y"]),
    ]
    return small(nodes, {"s": scale, "z": zero})


def weights(values: np.ndarray, zero: Any, scale: Any = S, **attributes: Any) -> ModelProto:
    """Make a model of a convolution whose weights are dequantized."""
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s", "z"], ["d"], name="d", **attributes),
        helper.make_node("Conv", ["x", "d"], ["y"], name="conv"),
    ]
    return small(nodes, {"w": values.reshape(3, 4, 1, 1), "s": scale, "z": zero})


def bounded() -> ModelProto:
    """Make a Clip whose bounds are inputs of the graph."""
    return small(
        [helper.make_node("Clip", ["x", "a", "b"], ["y"], name="node")], opset=11, more={"a": [], "b": []}
    )


WEIGHTS = np.arange(100, 112)
ROWS: list[tuple[str, str, ModelProto]] = [
    ("nearest asymmetric floor by scales", "trt7.0", resize(TWICE, opset=11)),
    ("nearest asymmetric floor by scales", "trt7.1", resize(sizes=[1, 4, 16, 24], mode="nearest")),
    ("linear align_corners by sizes", "trt7.1", resize([1, 1, 3, 3], mode="linear", **CORNERS)),
    ("linear asymmetric by scales", "trt7.0", resize(sizes=[1, 4, 16, 20], mode="linear", **ASYMMETRIC)),
    ("nearest half_pixel round_prefer_floor by scales", "rtx1.7",
     resize(sizes=[13, 13], axes=[2, 3], keep_aspect_ratio_policy="not_smaller")),
    ("linear half_pixel by scales", "trt7.1", resize(sizes=[1, 4, 16, 12], mode="linear", opset=19,
                                                     coordinate_transformation_mode="half_pixel_symmetric")),
    ("linear half_pixel by scales", "rtx1.7", resize(TWICE, mode="linear", antialias=1)),
    ("resize of nothing", "trt7.0", resize(sizes=SHAPE, mode="cubic")),
    ("resize by Gather", "trt7.0", resize(ODD)),
    ("resize by Gather", "trt7.2", resize(TWICE, nearest_mode="ceil")),
    ("resize by MatMul", "trt7.0", resize(ODD, mode="linear", opset=11)),
    ("resize by MatMul", "trt8.4", resize(TWICE, mode="cubic", opset=17)),
    ("resize by MatMul", "rtx1.7", resize([1, 1, 0.5, 0.375], mode="linear", antialias=1)),
    ("resize by MatMul", "rtx1.7", resize([1, 1, 0.5, 0.5], mode="cubic", antialias=1, exclude_outside=1)),
    ("resize by MatMul", "trt7.0", resize([1, 1, 3, 3], mode="linear", opset=13,
                                          coordinate_transformation_mode="align_corners")),
    ("weights as int8", "trt8.0", weights(WEIGHTS.astype(np.uint8), np.uint8(128))),
    ("weights as floats", "rtx1.7", weights(WEIGHTS.astype(np.uint8) * 2, np.uint8(9))),
    ("weights as int8", "rtx1.7",
     weights(WEIGHTS.astype(np.int8), np.array([1, 2, 3], np.int8), np.array([1, 2, 3], F), axis=0)),
    ("uint8 as int8", "trt8.0", quantized(np.uint8(128))),
    ("uint8 as int8", "rtx1.7", quantized(np.full(4, 128, np.uint8), FOUR / 9, axis=1)),
    ("asymmetric in floats", "trt8.4", quantized(np.uint8(77))),
    ("asymmetric in floats", "rtx1.7", quantized(np.full(4, -3, np.int8), FOUR / 9)),
    ("max by slices", "trt10.0", single("MaxPool", **KERNEL)),
    ("max by slices", "rtx1.7", single("MaxPool", pads=[1, 1, 2, 1], ceil_mode=1, **KERNEL)),
    ("max by slices", "rtx1.4", single("MaxPool", pads=[2, 2], **DILATED)),
    ("pad by pieces", "trt7.0", single("Pad", [PADS, F(3)], opset=11)),
    ("pad by pieces", "trt8.0", single("Pad", [BORDER], mode="reflect", opset=13)),
    ("pad by pieces", "trt7.2", single("Pad", [BORDER], mode="edge", opset=13)),
    ("exclusive or", "trt7.0", exact_forms.both()),
    ("clip", "trt7.0", bounded()),
    ("indices from the front", "trt8.0", single("Gather", [[-1, 2, -4]], axis=1, opset=13)),
    ("part of shape", "trt8.0",
     single("Shape", start=1, opset=15, made=TensorProto.INT64, shape=ANY_BATCH)),
    *exact_forms.ROWS,
    *parser_cases.REWRITES,
    *importer_rewrites.REWRITES,
    *narrow_floats.REWRITES,
    ("fused written out", *fused_models.FUSED[0]),
    *(("function body", version, model) for version, model in [
        ("trt8.6", single("Mish", opset=18)),
        ("trt7.0", single("Mish", opset=22)),
        ("trt7.0", single("HardSwish", opset=14)),
        ("trt7.0", single("LayerNormalization", [np.ones(8, F)], opset=17, shape=ANY_BATCH)),
                        ("trt8.0", single("HardSwish", opset=14)),
        ("trt8.6", single("Gelu", opset=20)),
        ("trt8.6", single("Gelu", opset=20, approximate="tanh")),
        ("trt7.0", single("Celu", opset=12, alpha=0.7)),
        ("trt8.5", single("LayerNormalization", [np.arange(8, dtype=F), np.ones(8, F)], opset=17)),
        ("trt7.0", single("LayerNormalization", [np.arange(64, dtype=F).reshape(8, 8)], axis=2, opset=17)),
        ("trt11.5", single("GroupNormalization", [np.ones(1, np.float16)] * 2, opset=18, num_groups=1,
                           kind=TensorProto.FLOAT16, made=TensorProto.FLOAT16)),
        ("trt10.0", single("RMSNormalization", [np.arange(8, dtype=F)], opset=23)),
        ("trt7.0", single("MeanVarianceNormalization", opset=11)),
        ("trt10.0", single("Swish", opset=24, alpha=1.5)),
        ("rtx1.4", single("Swish", opset=24)),
        ("trt7.0", single("LessOrEqual", [F(0.5)], opset=12, made=TensorProto.BOOL)),
        ("trt7.2", single("GreaterOrEqual", [F(0.5)], opset=12, made=TensorProto.BOOL)),
        ("trt9.0", single("CastLike", [np.int32(1)], opset=15, made=TensorProto.INT32)),
        ("rtx1.7", single("CenterCropPad", [[6, 12]], axes=[2, 3], opset=18)),
    ]),
]  # fmt: skip
"""Rewrite, release, a model that it is for."""


def name_of(row: Any) -> str | None:
    """Name a row of the table in the test's id."""
    return row if isinstance(row, str) else None


@pytest.mark.parametrize(("rewrite", "version", "model"), ROWS, ids=name_of)
def test_a_rewrite_is_needed_taken_and_equal(rewrite: str, version: str, model: ModelProto) -> None:
    """The version refuses the model or computes it wrong; what is written it takes, and it is equal."""
    row, before = release(version), model.SerializeToString()
    assert refusals(model, row.flavour, row.version, gpu=True) or cautions(inspect(model), row)
    done = fixed(model, version)
    assert done.good
    assert rewrite in {change.rewrite for change in done.changes}
    assert model.SerializeToString() == before
    assert refusals(done.model, row.flavour, row.version, gpu=True) == []
    for seed in range(2):
        assert_equal(model, done.model, seed)


def test_every_rewrite_has_an_example() -> None:
    """No row of the registry is without a model, here or in `test_grouped` and `test_packed`, but three.

    No table calls for these.
    """
    uncalled = {"unit dilations", "slope of full rank", "slope without PRelu"}
    uncalled |= {row.name for row in REWRITES if row.operators <= microsoft.ELSE.keys()}
    examples = {rewrite for rewrite, *_ in ROWS} | {rewrite for rewrite, *_ in BY_HAND}
    assert (examples - {"opset"}) | uncalled == {row.name for row in REWRITES}


BY_HAND: list[tuple[str, ModelProto]] = [
    ("one axis as two", single("MaxPool", kernel_shape=[3], pads=[1, 0], shape=(1, 4, 8))),
    ("one axis as two", single("Conv", [LINE], kernel_shape=[3], **CONV)),
    ("reciprocal", single("Reciprocal", opset=13)),
    ("dropout", single("Dropout", [F(0.5), np.array(False)], opset=12)),
]
"""Rewrites that no table calls for today, and a model that is refused by a planted row."""


@pytest.mark.parametrize(("rewrite", "model"), BY_HAND)
def test_a_rewrite_that_no_table_calls_for_is_equal(
    rewrite: str, model: ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a release refuse the node, it is written in its other form, which gives the same outputs."""
    operator = model.graph.node[0].op_type

    def planted(given: Inspection, *_: object, **__: object) -> list[Refusal]:
        return [
            Refusal(node.name, operator, "parser", "planted", "", "")
            for node in given.model.graph.node
            if node.op_type == operator
            and all(len(a.ints) == 1 for a in node.attribute if a.name == "kernel_shape")
        ]

    monkeypatch.setattr(work, "refusals", planted)
    done = fixed(model, "trt8.6")
    assert rewrite in {change.rewrite for change in done.changes}
    assert done.remaining == ()
    assert_equal(model, done.model)


@pytest.mark.parametrize("operator", sorted(FIXED))
def test_a_remedy_that_names_the_command_is_true(operator: str) -> None:
    """Each operator of which a remedy says that ``fix`` writes it has a row above."""
    assert operator in {node.op_type for _, _, model in ROWS for node in model.graph.node}


PLANTED = {
    "resize by Gather",
    "resize by MatMul",
    "weights as int8",
    "weights as floats",
    "indices from the front",
}


@pytest.mark.parametrize(("rewrite", "version", "model"), [r for r in ROWS if r[0] in PLANTED], ids=name_of)
def test_a_wrong_constant_is_seen(rewrite: str, version: str, model: ModelProto) -> None:
    """The comparison trips when the elements of what a rewrite wrote are moved by one."""
    done = fixed(model, version).model
    before = {tensor.name for tensor in model.graph.initializer}
    tensor = next(t for t in done.graph.initializer if t.name not in before and len(t.dims) > 0)
    array = np.roll(numpy_helper.to_array(tensor), 1)
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_equal(model, done)
