"""A model for each row of the support tables that neither a specimen nor a situation speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto

from fixtures.compatibility.specimens.sketch import Sketch
from suites.meta.compatibility.test_loops import loop
from suites.meta.networks.importer_models import MICROSOFT, F, made
from suites.meta.networks.support_models import fed, halves, one

FOUR, KERNEL = np.ones(4, F), np.ones((4, 4, 3, 3), F)
WINDOW: dict[str, Any] = {"kernel_shape": [3, 3]}


def suppressed(*, axes: int = 3, computed: bool = False) -> ModelProto:
    """Make a NonMaxSuppression of boxes of so many axes; computed: its greatest number is."""
    sketch = Sketch(11)
    boxes, scores = sketch.feed("FLOAT", *(1, 8, 4)[-axes:]), sketch.feed("FLOAT", 1, 1, 8)
    sketch.end(
        "NonMaxSuppression", boxes, scores, sketch.given(np.array([3]), "shape" if computed else "constant")
    )
    return sketch.model()


def frames(*, computed: bool) -> ModelProto:
    """Make a STFT by steps that are constant, or of the shape of its signal."""
    sketch = Sketch(17)
    x = sketch.feed("FLOAT", 1, 128, 1)
    sketch.end(
        "STFT", x, sketch.given(np.array(4), "shape" if computed else "constant"), sketch.ones("FLOAT", 16)
    )
    return sketch.model()


def sampled(type_: str) -> ModelProto:
    """Make a GridSample of an image of a type."""
    return made("GridSample", [(type_, (1, 4, 8, 8)), ("FLOAT", (1, 5, 5, 2))], opset=16)


def deformed(type_: str, *image: int) -> ModelProto:
    """Make a DeformConv of an image of a type."""
    sketch = Sketch(22)
    axes = len(image) - 2
    weights = sketch.ones(type_, 4, image[1], *[3] * axes)
    offsets = sketch.ones(type_, 1, axes * 3**axes, *(length - 2 for length in image[2:]))
    sketch.end("DeformConv", sketch.feed(type_, *image), weights, offsets)
    return sketch.model()


def normal_like_held() -> ModelProto:
    """Make random numbers in the shape of an initializer."""
    sketch = Sketch(13)
    sketch.feed("FLOAT", 4)
    sketch.end("RandomNormalLike", sketch.ones("FLOAT", 4, 8))
    return sketch.model()


MODELS: Mapping[str, ModelProto] = {
    "a mask of Dropout": one("Dropout", opset=11, outputs=2),
    "random numbers of DOUBLE": one("RandomUniformLike", dtype=TensorProto.DOUBLE),
    "random numbers like halves": fed("RandomNormalLike", "FLOAT16", 4),
    "random numbers like an initializer": normal_like_held(),
    "a triangle of four axes": fed("Trilu", "FLOAT", 1, 4, 8, 8, opset=14),
    "a triangle of one axis": fed("Trilu", "FLOAT", 4, opset=14),
    "depth of three axes": fed("DepthToSpace", "FLOAT", 4, 8, 8, blocksize=2),
    "a Gemm of three axes": fed("Gemm", "FLOAT", 1, 4, 4, more=[np.eye(4, dtype=F)]),
    "boxes of two axes": suppressed(axes=2),
    "so many boxes as the shape says": suppressed(computed=True),
    "the beginning of a shape": one("Shape", opset=15, end=2),
    "groups of two axes": fed(
        "GroupNormalization", "FLOAT", 1, 4, opset=18, more=[FOUR[:2]] * 2, num_groups=2),
    "instances of two axes": fed("InstanceNormalization", "FLOAT", 1, 4, more=[FOUR] * 2),
    "a Loop that goes on": loop(5),
    "a Loop without an end": loop(None),
    "parts of unequal length": halves(5),
    "dequantized to halves": fed("DequantizeLinear", "INT8", 4, opset=23, more=[F(0.1)],
                                 output_dtype=TensorProto.FLOAT16),
    "a deformable convolution of volumes": deformed("FLOAT", 1, 4, 8, 8, 8),
    "a deformable convolution of BFLOAT16": deformed("BFLOAT16", 1, 4, 8, 8),
    "a computed bias": one("Conv", [KERNEL, FOUR], computed=[2], **WINDOW),
    "a computed bias, transposed": one("ConvTranspose", [KERNEL, FOUR], computed=[2], **WINDOW),
    "computed weights, transposed": one("ConvTranspose", [KERNEL], computed=[1], **WINDOW),
    "frames of a computed step": frames(computed=True),
    "an Upsample of integers": fed(
        "Upsample", "INT32", 1, 4, 8, 8, opset=9, more=[np.array([1, 1, 2, 2], F)]),
    "elements of truth values": fed("GatherElements", "BOOL", 4, more=[np.array([0, 1])]),
    "slices of truth values": fed("GatherND", "BOOL", 4, more=[np.array([[0], [1]])]),
    "depth of truth values": fed("DepthToSpace", "BOOL", 1, 4, 8, 8, blocksize=2),
    "samples of truth values": sampled("BOOL"),
    "a norm of integers": fed("ReduceL2", "INT32", 4, 8, axes=[1]),
    "a pool of norms of BFLOAT16": fed("GlobalLpPool", "BFLOAT16", 1, 4, 8, 8, opset=22),
    "HardSwish of BFLOAT16": fed("HardSwish", "BFLOAT16", 4, opset=22),
    "Mish of BFLOAT16": fed("Mish", "BFLOAT16", 4, opset=22),
    "Shrink of BFLOAT16": fed("Shrink", "BFLOAT16", 4),
    "Shrink of INT8": fed("Shrink", "INT8", 4),
    "Mod of INT8": fed("Mod", "INT8", 4, more=[np.int8(3)]),
    "halves up to a fed bound": made("Clip", [("FLOAT16", (4,)), ("FLOAT16", ())], opset=13),
    "pads of one axis": made(
        "Pad", [("FLOAT", (1, 4, 8, 8))], [np.array([1, 2]), None, np.array([2])], opset=18),
    "a transposed convolution of one axis to a length": fed(
        "ConvTranspose", "FLOAT", 1, 4, 8, more=[KERNEL[:, :, 0]], strides=[2], output_shape=[16]),
    "reflected pads below 0": made(
        "Pad", [("FLOAT", (1, 8))], [np.array([0, -1, 0, 2])], opset=13, mode="reflect"),
    "many heads of Microsoft's": made(
        "MultiHeadAttention", [("FLOAT", (2, 6, 16))] * 3, opset=17, domain=MICROSOFT, num_heads=4),
    "masked heads of Microsoft's": made(
        "MultiHeadAttention", [("FLOAT", (2, 6, 16))] * 3, [None, np.ones((2, 6), np.int32)], opset=17,
        domain=MICROSOFT, num_heads=4),
    "a cast of bytes to bytes": fed("Cast", "UINT8", 4, to=TensorProto.UINT8),
    "a cast of bytes to integers": fed("Cast", "UINT8", 4, to=TensorProto.INT32),
    "a constant beyond INT32": fed("Add", "INT64", 4, more=[np.array(1 << 40)]),
}  # fmt: skip
"""Name -> a model."""
