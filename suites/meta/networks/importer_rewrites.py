"""Models that a rewrite is for, of situations of `importer_cases`."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility.specimens.sketch import Sketch
from suites.meta.networks.importer_models import (
    IMAGE,
    MICROSOFT,
    F,
    attention,
    blocks,
    channels,
    clipped_sum,
    columns,
    made,
    quantized,
    regions,
    sliced,
)
from suites.meta.networks.rewrite_models import resize, single
from suites.meta.networks.user_situations import STATELESS, scanned, text

BYTES = {"kind": TensorProto.INT8, "made": TensorProto.INT8}


def dropped() -> ModelProto:
    """Make a Dropout whose mask has no name."""
    sketch = Sketch(13)
    node = helper.make_node("Dropout", [sketch.feed("FLOAT", 4, 8)], ["y", ""], name="node")
    sketch.nodes, sketch.outputs = [node], ["y"]
    return sketch.model()


def windowed() -> ModelProto:
    """Make a window of a length that is found in the shape of the input, of half as many bits."""
    sketch = Sketch(17)
    length = sketch.add("Squeeze", sketch.add("Shape", sketch.feed("FLOAT", "n")))
    sketch.end("HannWindow", length, output_datatype=TensorProto.FLOAT16)
    return sketch.model()


def fed_bytes(scale: Any, zero: Any) -> ModelProto:
    """Make a DequantizeLinear of bytes that are fed, by one scale or one for each channel."""
    return single("DequantizeLinear", [scale, zero], opset=13, kind=TensorProto.UINT8, axis=1)


def grouped(groups: int, opset: int, *shape: int | str) -> ModelProto:
    """Make a GroupNormalization of four channels, each group or channel of which has a scale of its own."""
    scale = np.arange(1, (groups if opset < 21 else 4) + 1, dtype=F)
    attributes = {"num_groups": groups, "opset": opset, "shape": shape or IMAGE, "epsilon": 0.1}
    return single("GroupNormalization", [scale, scale + 2], **attributes)


def projected(**attributes: Any) -> ModelProto:
    """Make Microsoft's Attention of rows of 16 numbers, queries and keys of 16, values of 8."""
    random = np.random.default_rng(0)
    weights, bias = (random.standard_normal(size).astype(F) for size in ((16, 40), (40,)))
    more = {"num_heads": 2, "qkv_hidden_sizes": [16, 16, 8], **attributes}
    return made("Attention", [("FLOAT", (2, 6, 16))], [weights, bias], opset=17, domain=MICROSOFT, **more)


def headed(*bias: int, type_: str = "FLOAT") -> ModelProto:
    """Make Microsoft's MultiHeadAttention of more keys than queries; bias: its size, or none."""
    rows = [(type_, (2, 6, 16)), (type_, (2, 9, 16)), (type_, (2, 9, 8))]
    dtype = np.float16 if type_ == "FLOAT16" else F
    constants = [np.linspace(-1, 1, bias[0], dtype=dtype)] if bias else []
    return made("MultiHeadAttention", rows, constants, opset=17, domain=MICROSOFT, num_heads=4)


def cache(axis: int, mode: str, *first: int) -> ModelProto:
    """Make a TensorScatter of three steps into a cache of eight, from places on, for each of two batches."""
    sketch, shape = Sketch(24), [2, 8, 8, 4]
    steps = [3 if n == axis % 4 else length for n, length in enumerate(shape)]
    places = [sketch.constant(np.array(first))] if first else []
    sketch.end(
        "TensorScatter",
        sketch.feed("FLOAT", *shape),
        sketch.feed("FLOAT", *steps),
        *places,
        axis=axis,
        mode=mode,
    )
    return sketch.model()


def some_axes(pads: list[int], axes: list[int], **attributes: Any) -> ModelProto:
    """Make a Pad that names some of the axes."""
    return single("Pad", [np.array(pads), None, np.array(axes)], opset=18, **attributes)


CROP = np.array([0, -1, -2, 1, 0, 0, 1, -3])
REWRITES: list[tuple[str, str, ModelProto]] = [
    ("outputs named", "trt10.6", dropped()),
    ("outputs named", "rtx1.5", dropped()),
    ("bounds as INT64", "rtx1.7", sliced(axes=True, steps=False)),
    ("bounds as INT64", "rtx1.7", sliced(axes=False, steps=False)),
    ("sliced axes", "trt8.0", sliced(axes=False, steps=False)),
    ("pads left out", "trt10.1", single("MaxPool", kernel_shape=[3, 3], auto_pad="SAME_UPPER", pads=[0] * 4)),
    ("in FLOAT", "trt9.3", made("Mean", [("FLOAT16", (2, 4))] * 3, opset=13)),
    ("in FLOAT", "rtx1.7", made("Mean", [("FLOAT16", (2, 4))] * 2, opset=13)),
    ("in FLOAT", "trt8.5", made("GridSample", [("FLOAT16", IMAGE), ("FLOAT", (1, 5, 5, 2))], opset=16)),
    ("window of FLOAT", "trt10.4", windowed()),
    ("flatten as reshape", "trt7.2", single("Flatten", axis=4, opset=11)),
    ("resize by Gather", "trt8.5",
     resize(sizes=[1, 4, 16, 16], opset=11, coordinate_transformation_mode="tf_half_pixel_for_nn")),
    ("asymmetric in floats", "trt8.4", quantized("UINT8")),
    ("asymmetric in floats", "rtx1.7", quantized()),
    ("weights as floats", "trt10.6", blocks(8, 16, 3)),
    ("weights as floats", "rtx1.5", columns("INT4", 5)),
    ("axis written", "trt8.6", channels(4, 6, count=6)),
    ("axis written", "trt10.0", channels(4, 4, count=4)),
    ("axis written", "trt8.0", channels(4, 6, 8, count=6, axis=-2)),
    *(("vector as matrix", release, text(11, product))
      for release, product in [
          ("trt7.2", "(float[3] v, float[2,3,4] m) => (float[2,4] y) { y = MatMul(v, m) }"),
          ("trt7.0", "(float[2,3,4] m, float[4] v) => (float[2,3] y) { y = MatMul(m, v) }"),
          ("trt8.6", "(float[3] v, float[2,3,4] m) => (float[2,4] y) { y = MatMul(v, m) }"),
          ("trt10.1", "(float[3] v, float[1,2,3,4] m) => (float[1,2,4] y) { y = MatMul(v, m) }"),
          ("rtx1.7", "(float[3] v, float[2,3,4] m) => (float[2,4] y) { y = MatMul(v, m) }")]),
    ("axes from the front", "trt8.6", text(11, scanned("scan_input_axes=[-1],", "2,5", "5,2"))),
    ("axes from the front", "rtx1.7", text(11, scanned("scan_output_axes=[-1],", "5,2", "2,5"))),
    ("a state more", "trt10.0", text(11, STATELESS)),
    ("a state more", "rtx1.5", text(11, STATELESS)),
    ("finite clip", "rtx1.5", single("Clip", [F(0), F(np.inf)], opset=13)),
    ("finite clip", "trt10.3", single("Clip", [F(-np.inf), F(1)], opset=13)),
    *(("sampling by Gather", "trt8.4", made("GridSample", [(one, IMAGE), (other, (1, 5, 5, 2))], opset=16))
      for one, other in [("FLOAT16", "FLOAT"), ("FLOAT", "FLOAT16"), ("FLOAT16", "FLOAT16")]),
    ("clip", "rtx1.7", single("Clip", [None, np.int8(60)], opset=13, **BYTES)),
    ("bytes in floats", "trt8.6", fed_bytes(F(0.1), np.uint8(0))),
    ("bytes in floats", "trt10.1", fed_bytes(np.arange(1, 5, dtype=F), np.array([0, 7, 128, 255], np.uint8))),
    ("asymmetric in floats", "trt10.5", quantized(opset=21, output_dtype=TensorProto.UINT8)),
    ("groups as instances", "trt9.0", grouped(1, 18)),
    ("groups as instances", "trt8.5", grouped(2, 18)),
    ("groups as instances", "trt7.0", grouped(2, 21)),
    ("groups as instances", "trt8.5", grouped(2, 21, "n", 4, 8, 8)),
    ("defaults written", "rtx1.7", single("Trilu", opset=14)),
    ("defaults written", "trt8.6", regions()),
    ("clip", "trt10.12", clipped_sum(0, 2)),
    ("empty names left out", "trt7.0", single("Clip", [F(0), None], opset=11)),
    ("empty names left out", "trt8.4", single("Conv", [np.ones((4, 4, 3, 3), F), None], kernel_shape=[3, 3])),
    ("cropped", "trt8.2", single("Pad", [CROP, F(2)], opset=13)),
    ("cropped", "trt10.3", single("Pad", [np.minimum(CROP, 0)], opset=13)),
    ("cropped", "trt8.6", single("Pad", opset=10, pads=CROP.tolist(), shape=("n", 4, 8, 8))),
    ("cropped", "trt10.1", single("Pad", [CROP[2:4].repeat(2), None, np.array([-1, 1])], opset=18)),
    *(("pad by pieces", "trt8.6", single("Pad", [CROP], opset=19, mode=mode))
      for mode in ("reflect", "edge")),
    ("pad by pieces", "trt10.3", single("Pad", [CROP], opset=19, mode="wrap")),
    ("pad by pieces", "trt7.0", single("Pad", [CROP, F(3)], opset=13)),
    ("pads of all axes", "trt8.6", some_axes([1, 2, 0, 3], [-1, 1])),
    ("pads of all axes", "trt8.4", some_axes([1, 2], [2], mode="edge")),
    ("attention written out", "trt8.6", projected()),
    ("attention written out", "rtx1.7", projected(scale=0.3)),
    ("attention written out", "trt7.0", headed(40)),
    ("attention written out", "trt10.15", headed()),
    ("scattered cache", "rtx1.7", cache(-2, "circular", 6, 1)),
    ("scattered cache", "trt11.0", cache(1, "linear", 5, 0)),
    ("scattered cache", "trt8.2", cache(-2, "circular", 7, 5)),
    ("scattered cache", "trt10.1", cache(2, "linear")),
    ("function body", "trt10.14", attention("FLOAT")),
    ("function body", "rtx1.7", attention("FLOAT", more=[("BOOL", (8, 8))], is_causal=1)),
]  # fmt: skip
"""Rewrite, release, a model that it is for."""
