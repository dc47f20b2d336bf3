"""Small models of situations that importers of TensorRT's parser refuse, or read otherwise than ONNX defines.

Each row: the rule that speaks, a model, and the verdicts on it by releases, as the importers have them; a
release that no span names takes the model without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fixtures.compatibility.specimens.sketch import Sketch
from suites.meta.networks.rewrite_models import resize, single, small
from suites.meta.networks.support_models import fed, one, recurrent

F = np.float32
REFUSED, WRONG, OPEN = "refused", "taken, but wrong", "undocumented"
NO_OPERATOR = {"7.0-7.2": REFUSED}
ALL_RTX = "rtx1.4-rtx1.7"


class Case(NamedTuple):
    """One situation. rule: the one that speaks, empty where it is another, or none. spans: first to last."""

    rule: str
    model: Callable[[], ModelProto]
    spans: Mapping[str, str]


def scan(batch: int, length: int, *, whole: Sequence[int] = (), summed: bool = False) -> ModelProto:
    """Make a Scan of opset 8 over 3 features. whole: lengths of the sequences; summed: over the features."""
    value, width = helper.make_tensor_value_info, 1 if summed else 3
    last: dict[str, Any] = {"axes": [0], "keepdims": 1} if summed else {}
    nodes = [helper.make_node("Add", ["s", "t"], ["o"]),
             helper.make_node("ReduceSum" if summed else "Tanh", ["o"], ["r"], **last)]  # fmt: skip
    taken = [value(name, TensorProto.FLOAT, [3]) for name in "st"]
    made = [value("o", TensorProto.FLOAT, [3]), value("r", TensorProto.FLOAT, [width])]
    body = helper.make_graph(nodes, "body", taken, made)
    held = [numpy_helper.from_array(np.zeros((batch, 3), F), "i")]
    held += [numpy_helper.from_array(np.array(whole), "l")] if whole else []
    node = helper.make_node("Scan", ["l" if whole else "", "i", "x"], ["f", "y"], name="node", body=body,
                            num_scan_inputs=1)  # fmt: skip
    outputs = [
        value("f", TensorProto.FLOAT, [batch, 3]),
        value("y", TensorProto.FLOAT, [batch, length, width]),
    ]
    inputs = [value("x", TensorProto.FLOAT, [batch, length, 3])]
    graph = helper.make_graph([node], "g", inputs, outputs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)], ir_version=4)


def least(**attributes: Any) -> ModelProto:
    """Make the three least of an axis, and where they are."""
    nodes = [helper.make_node("TopK", ["x", "k"], ["v", "i"], name="node", largest=0, **attributes),
             helper.make_node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
             helper.make_node("Add", ["v", "f"], ["y"])]  # fmt: skip
    return small(nodes, {"k": np.array([3])}, opset=11)


def pair(scale: Any, **attributes: Any) -> ModelProto:
    """Make a Q/DQ pair with a zero point of zeros, and a Relu behind it."""
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], name="node", **attributes),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"], name="back", **attributes),
             helper.make_node("Relu", ["d"], ["y"])]  # fmt: skip
    return small(nodes, {"s": scale, "z": np.zeros(np.shape(scale), np.int8)}, opset=13)


def scattered(rows: int) -> ModelProto:
    """Make a ScatterElements of so many rows into four."""
    sketch = Sketch(13)
    places = sketch.constant(np.zeros((rows, 4), np.int64))
    sketch.end("ScatterElements", sketch.feed("FLOAT", 4, 4), places, sketch.ones("FLOAT", rows, 4))
    return sketch.model()


def gathered(length: int | str) -> ModelProto:
    """Make a GatherElements of a length."""
    sketch = Sketch(13)
    sketch.end("GatherElements", sketch.feed("FLOAT", length, 4), sketch.constant(np.zeros((2, 4), np.int64)))
    return sketch.model()


def normalized(length: int | str, type_: str = "FLOAT") -> ModelProto:
    """Make an InstanceNormalization of images of a height."""
    sketch = Sketch(11 if type_ == "FLOAT" else 22)
    weights = [sketch.ones(type_, 4) for _ in range(2)]
    sketch.end("InstanceNormalization", sketch.feed(type_, 1, 4, length, 8), *weights)
    return sketch.model()


def flattened_scale() -> ModelProto:
    """Make rows scaled by a row that is flattened, as the body of LayerNormalization has it."""
    nodes = [helper.make_node("Flatten", ["w"], ["s"], name="node", axis=0),
             helper.make_node("Mul", ["x", "s"], ["y"])]  # fmt: skip
    return small(nodes, {"w": np.ones(4, F)}, opset=11, shape=(3, 4))


def grouped(groups: int, opset: int, *shape: int) -> ModelProto:
    """Make a GroupNormalization of four channels."""
    scale = np.arange(1, (groups if opset < 21 else 4) + 1, dtype=F)
    return single(
        "GroupNormalization", [scale, scale], num_groups=groups, opset=opset, shape=shape or (1, 4, 8, 8)
    )


def trained(how: str) -> ModelProto:
    """Make a Dropout whose mode is fed, or held as that of training, or of inference."""
    mode = np.array(how == "training")
    return one("Dropout", [F(0.5), mode], opset=13, computed=[2] if how == "fed" else [])


def spectrum(type_: str, *shape: int) -> ModelProto:
    """Make a STFT of a signal."""
    sketch = Sketch(17)
    sketch.end("STFT", sketch.feed(type_, *shape), sketch.constant(np.array(4)), sketch.ones(type_, 16))
    return sketch.model()


VOLUME = np.ones((4, 3, 3, 3, 3), F)
HALVES: dict[str, Any] = {"kind": TensorProto.FLOAT16, "made": TensorProto.FLOAT16}
OLD = {"7.0-7.2": OPEN}
"""Verdicts on what is above opset 11 and right all the same."""
BEYOND_13: dict[str, str] = {"7.0-7.2": OPEN, "8.0-8.2": OPEN}
ABOVE_17: dict[str, str] = {**BEYOND_13, "8.4-8.6": OPEN}
NO_GROUPS: dict[str, str] = {"7.0-8.5": REFUSED}
FROM_11 = {"opset": 11}

CASES: Mapping[str, Case] = {
    "Softmax over the last axis, not written": Case(
        "flattened_softmax", lambda: single("Softmax", opset=13), {"7.0-7.2": WRONG}),
    "LogSoftmax over the channels": Case(
        "flattened_softmax", lambda: single("LogSoftmax", axis=1, opset=13), {"7.0-7.2": WRONG}),
    "Softmax over the last axis, written": Case(
        "flattened_softmax", lambda: single("Softmax", axis=-1, opset=13), OLD),
    "Softmax of rows": Case("flattened_softmax", lambda: single("Softmax", opset=13, shape=(4, 8)), OLD),
    "Softmax of opset 11": Case("flattened_softmax", lambda: single("Softmax", opset=11), {}),
    "the least of an axis": Case("written", least, {"7.0-8.4": WRONG}),
    "the last of equal ones": Case(
        "written", lambda: fed("ArgMax", "FLOAT", 4, 8, opset=12, select_last_index=1), {"7.0-7.2": WRONG}),
    "the first of equal ones": Case(
        "written", lambda: fed("ArgMax", "FLOAT", 4, 8, opset=12, select_last_index=0), OLD),
    "Celu": Case("always", lambda: single("Celu", opset=12), {"7.0-7.2": REFUSED, "8.0-8.2": WRONG}),
    "Reshape of opset 14 without allowzero": Case(
        "attributes_since", lambda: single("Reshape", [[4, -1]], opset=14),
        {"7.0-7.2": OPEN, "8.0-8.2": REFUSED}),
    "Reshape of opset 14 with allowzero": Case(
        "attributes_since", lambda: single("Reshape", [[4, -1]], opset=14, allowzero=0), BEYOND_13),
    "Reshape to nothing": Case(
        "zero_lengths", lambda: fed("Reshape", "FLOAT", 0, 4, opset=14, more=[np.array([4, 0])], allowzero=1),
        {"7.0-7.2": WRONG, "8.0-8.2": OPEN}),
    "a sum over no axis": Case(
        "empty_axes", lambda: single("ReduceSum", opset=13, noop_with_empty_axes=1), {"7.0-9.3": WRONG}),
    "a sum over all axes": Case("empty_axes", lambda: single("ReduceSum", opset=13), OLD),
    "one group of opset 18": Case(
        "one_group", lambda: grouped(1, 18), {**NO_GROUPS, "8.6-11.5": WRONG, ALL_RTX: WRONG}),
    "two groups of opset 18": Case("", lambda: grouped(2, 18), {**NO_GROUPS, "8.6": OPEN}),
    "two groups of opset 21": Case(
        "group_scale", lambda: grouped(2, 21), {"7.0-10.8": REFUSED}),
    "as many groups as channels": Case(
        "", lambda: grouped(4, 21), {**NO_GROUPS, "8.6-9.3": OPEN, "10.0-10.5": OPEN}),
    "groups of three axes": Case(
        "rank", lambda: grouped(2, 21, 1, 4, 8), {"7.0-10.13": REFUSED}),
    "halves clipped by halves": Case(
        "half_bounds", lambda: single("Clip", [np.float16(-1), np.float16(1)], **FROM_11, **HALVES),
        {"7.0-8.4": WRONG}),
    "floats clipped by floats": Case(
        "half_bounds", lambda: single("Clip", [F(-1), F(1)], opset=11), {}),
    "some axes of a Resize": Case(
        "resized_axes_named", lambda: resize([2.0, 2.0], axes=[2, 3]), {"7.0-9.3": REFUSED}),
    "all axes of a Resize": Case(
        "", lambda: resize([1.0, 1.0, 2.0, 2.0], axes=[0, 1, 2, 3]),
        {"7.0-7.2": REFUSED, "8.0-8.6": OPEN}),
    "Flatten of a matrix to a row": Case(
        "flattened", lambda: single("Flatten", axis=0, shape=(3, 4), opset=11), {"7.0-8.2": WRONG}),
    "Flatten of a row": Case(
        "flattened", lambda: single("Flatten", shape=(4,), opset=11),
        {"7.0-8.0": REFUSED, "8.2": WRONG}),
    "Flatten of a row to a matrix": Case(
        "flattened", lambda: single("Flatten", axis=0, shape=(4,), opset=11), {"7.0-8.2": WRONG}),
    "Flatten of a row to a matrix that is broadcast": Case("", flattened_scale, {}),
    "Flatten of a matrix as it is": Case(
        "flattened", lambda: single("Flatten", shape=(3, 4), opset=11), {}),
    "an average padded at the end alone": Case(
        "uneven_pads", lambda: single("AveragePool", kernel_shape=[3, 3], pads=[0, 0, 2, 2], opset=11),
        {"7.0-8.4": REFUSED}),
    "an average padded by one more at the end": Case(
        "uneven_pads", lambda: single("AveragePool", kernel_shape=[3, 3], pads=[0, 0, 1, 1], opset=11), {}),
    "a volume with uneven pads": Case(
        "spatial_pads",
        lambda: single("ConvTranspose", [VOLUME], pads=[0, 1, 1, 1, 1, 0], shape=(1, 4, 3, 3, 3), opset=11),
        {"7.0-8.2": REFUSED}),
    "a volume with more of its first axis": Case(
        "spatial_pads",
        lambda: single("ConvTranspose", [VOLUME], output_padding=[1, 0, 0], strides=[2, 2, 2],
                       shape=(1, 4, 3, 3, 3), opset=11),
        {"7.0-8.0": REFUSED}),
    "a volume with even pads": Case(
        "spatial_pads",
        lambda: single("ConvTranspose", [VOLUME], pads=[1] * 6, shape=(1, 4, 3, 3, 3), opset=11), {}),
    "an affine activation": Case(
        "known_activations", lambda: recurrent("Affine", "Affine"), {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "a softplus activation": Case(
        "known_activations", lambda: recurrent("Softplus", "Softplus"), BEYOND_13),
    "a Scan of sequences of two lengths": Case(
        "scan_lengths", lambda: scan(2, 4, whole=[3, 4]), {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "a Scan whose body sums over an axis": Case(
        "scan_batches", lambda: scan(2, 4, summed=True), {"7.0-11.5": WRONG, ALL_RTX: WRONG}),
    "a Scan whose body has no axes": Case("scan_batches", lambda: scan(2, 4), {"10.0-11.5": OPEN}),
    "InstanceNormalization of any height": Case("fixed_lengths", lambda: normalized("h"), {"7.0": REFUSED}),
    "InstanceNormalization of a height": Case("fixed_lengths", lambda: normalized(8), {}),
    "GatherElements of any length": Case(
        "fixed_lengths", lambda: gathered("n"), {"7.0-8.0": REFUSED}),
    "GatherElements of a length": Case("", lambda: gathered(4), NO_OPERATOR),
    "EyeLike of any length": Case(
        "fixed_lengths", lambda: fed("EyeLike", "FLOAT", "n", 4, opset=11),
        {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "more updates than data": Case(
        "scattered_lengths", lambda: scattered(6), {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "fewer updates than data": Case("", lambda: scattered(2), {"7.0-8.0": REFUSED}),
    "an axis beside a single scale": Case(
        "axis_of_one_scale", lambda: pair(F(0.1), axis=1), {**OLD, "8.0": REFUSED}),
    "a single scale": Case("axis_of_one_scale", lambda: pair(F(0.1)), OLD),
    "a scale of 0 for one channel": Case(
        "positive_scales", lambda: pair(np.array([0.1, 0, 0.2, 0.1], F), axis=1),
        {"7.0-7.2": OPEN, "8.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "Dropout that is told to train": Case(
        "initializer_inputs", lambda: trained("fed"),
        {"7.0-7.2": OPEN, "8.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "Dropout that trains": Case(
        "training", lambda: trained("training"),
        {"7.0": REFUSED, "7.1-7.2": WRONG, "8.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "a whole exponent of floats": Case(
        "refused_types", lambda: fed("Pow", "FLOAT", 4, more=[np.int64(2)]),
        {"7.0-8.6": REFUSED, "10.1-10.7": REFUSED}),
    "a whole base": Case(
        "refused_types", lambda: fed("Pow", "INT64", 4, more=[np.int64(2)]),
        {"7.0-8.6": REFUSED, "10.1-10.11": REFUSED}),
    "brain floats, normalized by instance": Case(
        "refused_types", lambda: normalized(8, "BFLOAT16"), {"7.0-10.6": REFUSED}),
    "brain floats in a pool of norms": Case(
        "refused_types", lambda: fed("LpPool", "BFLOAT16", 1, 4, 8, 8, opset=22, kernel_shape=[2, 2]),
        {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "Upsample of four axes": Case(
        "resized_axes", lambda: single("Upsample", [np.full(4, 2, F)], mode="linear", opset=9),
        {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "the spectrum of a complex signal": Case(
        "real_signals", lambda: spectrum("FLOAT", 1, 128, 2), {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "the spectrum of a real signal": Case(
        "", lambda: spectrum("FLOAT", 1, 128, 1), {"7.0-10.4": REFUSED}),
    "the spectrum of halves": Case(
        "refused_types", lambda: spectrum("FLOAT16", 1, 128, 1),
        {"7.0-11.1": REFUSED, "rtx1.4-rtx1.5": REFUSED}),
}  # fmt: skip
"""Name -> a situation, with its neighbour that is taken."""
RULES = {case.rule for case in CASES.values()} - {
    "", "initializer_inputs", "rank", "refused_types", "resized_axes", "training", "written",
}  # fmt: skip
"""Rules whose examples stand here alone."""


def average(**attributes: Any) -> ModelProto:
    """Make an AveragePool of three by two."""
    return single("AveragePool", kernel_shape=[3, 2], opset=11, **attributes)


REWRITES: list[tuple[str, str, ModelProto]] = [
    ("least by negation", "trt8.4", least()),
    ("least by negation", "trt7.0", least(axis=1)),
    ("last index", "trt7.2", single("ArgMax", select_last_index=1, axis=2, opset=12, made=TensorProto.INT64)),
    (
        "last index",
        "trt7.0",
        single("ArgMin", select_last_index=1, axis=-1, keepdims=0, opset=12, made=TensorProto.INT64),
    ),
    ("zero is no length", "trt8.2", single("Reshape", [[4, -1]], opset=14)),
    ("axis left out", "trt8.0", pair(F(0.1), axis=1)),
    ("reduced by nothing", "trt9.3", single("ReduceMean", opset=18, noop_with_empty_axes=1)),
    (
        "reduced by nothing",
        "trt8.0",
        single("ReduceSum", [np.zeros(0, np.int64)], opset=13, noop_with_empty_axes=1),
    ),
    ("flatten as reshape", "trt8.0", single("Flatten", axis=0, shape=(3, 4), opset=11)),
    ("flatten as reshape", "trt7.0", single("Flatten", axis=2, shape=(3, 4), opset=11)),
    ("flatten as reshape", "trt7.2", single("Flatten", shape=(4,), opset=11)),
    ("exponent of floats", "trt10.1", single("Pow", [np.array(2)], opset=13)),
    ("exponent of floats", "trt8.6", single("Pow", [np.array([-3], np.int32)], opset=13)),
    ("even average", "trt8.4", average(pads=[0, 0, 2, 1])),
    ("even average", "trt7.0", average(pads=[2, 1, 0, 0], strides=[2, 2])),
    ("even average", "trt8.0", average(pads=[0, 1, 2, 0], count_include_pad=1, strides=[2, 1])),
    (
        "even deconvolution",
        "trt8.2",
        single(
            "ConvTranspose",
            [VOLUME / 9],
            pads=[0, 1, 1, 1, 1, 0],
            strides=[2, 2, 2],
            shape=(1, 4, 3, 3, 3),
            opset=13,
        ),
    ),
    (
        "even deconvolution",
        "trt7.0",
        single(
            "ConvTranspose",
            [VOLUME / 9],
            pads=[1, 0, 0, 1, 1, 1],
            output_padding=[1, 0, 1],
            strides=[2, 2, 2],
            shape=(1, 4, 3, 3, 3),
            opset=11,
        ),
    ),
    ("function body", "trt8.2", single("Celu", opset=12, alpha=0.7)),
    ("groups as instances", "trt11.5", grouped(1, 21)),
    ("groups as instances", "trt10.16", grouped(1, 18)),
    ("groups as instances", "trt10.7", grouped(2, 21)),
    ("groups as instances", "trt10.9", grouped(2, 21, 1, 4, 8)),
    ("clip", "trt8.4", single("Clip", [np.float16(-0.5), np.float16(0.5)], opset=13, **HALVES)),
    ("opset", "trt7.2", single("Softmax", opset=13)),
    ("opset", "trt7.0", single("LogSoftmax", axis=1, opset=13)),
    ("opset", "trt10.1", scan(2, 5, summed=True)),
    ("opset", "rtx1.7", scan(3, 4, summed=True)),
    ("opset", "trt8.6", scan(1, 4, whole=[4])),
    ("nearest asymmetric floor by scales", "trt9.3", resize([2.0, 2.0], axes=[2, 3])),
]
"""Rewrite, release, a model that it is for."""
