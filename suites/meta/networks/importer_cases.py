"""More situations of importers: attention, quantization, windows, types, functions, up to TensorRT 11.0.

Rows are those of `parser_cases`, which see.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto

from suites.meta.networks.importer_models import (
    IMAGE,
    MICROSOFT,
    SIGNAL,
    F,
    attention,
    blocks,
    cached,
    called,
    cast_to,
    channels,
    clipped_sum,
    columns,
    grouped_deconvolution,
    instances,
    layered,
    layers,
    made,
    named_axes,
    padded,
    parted,
    quantized,
    regions,
    scattered,
    shifted_by_input,
    sliced,
)
from suites.meta.networks.parser_cases import ALL_RTX, BEYOND_13, OLD, OPEN, REFUSED, WRONG, Case
from suites.meta.networks.rewrite_models import resize, single
from suites.meta.networks.support_models import clipped, fed

TF = "tf_half_pixel_for_nn"
EDGES = np.array([0, 0, 1, 1, 0, 0, 1, 1])
ABOVE_20 = {**BEYOND_13, "8.4-8.6": OPEN, "9.0-9.3": OPEN, "10.0-10.5": OPEN}
NO_ATTENTION = {"7.0-10.13": REFUSED}
NO_SCATTER = {"7.0-10.14": REFUSED}
NEVER = {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}
"""Refused by all."""


def scales(count: int) -> list[np.ndarray]:
    """Return so many scales, and zero points of INT8."""
    return [np.full(count, 0.1, np.float32), np.zeros(count, np.int8)]


CASES: Mapping[str, Case] = {
    "attention of halves": Case("", attention, NO_ATTENTION),
    "attention of floats": Case("attention_kernel", lambda: attention("FLOAT"), NEVER),
    "attention that may be taken apart": Case(
        "", lambda: attention("FLOAT", TRT_decomposable=1), NO_ATTENTION),
    "heads of eight elements": Case(
        "attention_kernel", lambda: attention(size=8), {**NO_ATTENTION, ALL_RTX: REFUSED}),
    "heads of 257 elements": Case(
        "attention_kernel", lambda: attention(size=257), {**NO_ATTENTION, ALL_RTX: REFUSED}),
    "a single query": Case(
        "attention_kernel", lambda: attention(queries=1, keys=32), {**NO_ATTENTION, ALL_RTX: REFUSED}),
    "a single query of more heads": Case(
        "", lambda: attention(heads=8, queries=1, keys=32), NO_ATTENTION),
    "attention of a cache": Case("excess_inputs", cached, NEVER),
    "attention of padded keys": Case(
        "excess_inputs", padded, {"7.0-10.13": REFUSED, "10.14-11.5": WRONG}),
    "attention of Microsoft's": Case(
        "microsoft",
        lambda: made("Attention", [("FLOAT", (1, 8, 16))], [np.ones((16, 48), F), np.ones(48, F)], opset=17,
                     domain=MICROSOFT, num_heads=2), NEVER),
    "rotary embedding of Microsoft's": Case(
        "read_as_another",
        lambda: made("RotaryEmbedding", [("FLOAT", (1, 2, 8, 16)), ("INT64", (1, 8))],
                     [np.ones((32, 8), F)] * 2, opset=17, domain=MICROSOFT),
        {"7.0-11.5": REFUSED, "rtx1.4": REFUSED}),
    "a cache of four axes": Case("", lambda: scattered(2, 2, 8, 4), NO_SCATTER),
    "a cache of three axes": Case("rank", lambda: scattered(2, 8, 4), NEVER),
    "a cache along the heads": Case("attributes", lambda: scattered(2, 8, 2, 4, axis=1), NEVER),
    "a ring": Case("attributes", lambda: scattered(2, 2, 8, 4, mode="circular"), NEVER),
    "UINT8 around 0": Case(
        "bytes_as_int8", lambda: quantized("UINT8"), {"7.0-7.2": REFUSED, "8.0-11.5": WRONG, ALL_RTX: WRONG}),
    "UINT8 by default": Case(
        "bytes_as_int8", quantized, {"7.0-8.5": REFUSED, "8.6-11.5": WRONG, ALL_RTX: WRONG}),
    "INT8 around 0": Case("", lambda: quantized("INT8"), OLD),
    "UINT8 by its attribute": Case(
        "attributes", lambda: quantized(opset=21, output_dtype=TensorProto.UINT8),
        {"7.0-8.5": REFUSED, "8.6-9.3": WRONG, "10.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "INT8 by its attribute": Case(
        "", lambda: quantized(opset=21, output_dtype=TensorProto.INT8),
        {"7.0-8.5": REFUSED, "8.6": OPEN, "9.0-9.3": OPEN, "10.0-10.5": OPEN}),
    "four bits as floats": Case(
        "", lambda: quantized("FLOAT4E2M1", opset=23), {"7.0-10.7": REFUSED, "10.8-10.10": OPEN}),
    "whole blocks": Case("", lambda: blocks(8, 16, 4), {"7.0-9.3": REFUSED, "10.0-10.5": OPEN}),
    "blocks that leave a rest": Case("whole_blocks", lambda: blocks(8, 16, 3), NEVER),
    "blocks of one element": Case("whole_blocks", lambda: blocks(4, 6, 1), NEVER),
    "four bits of an odd number": Case(
        "even_count", lambda: columns("INT4", 5), NEVER),
    "four bits of an odd axis": Case(
        "even_count", lambda: blocks(8, 5, 4), {"7.0-10.5": REFUSED}),
    "scales of a channel each": Case(
        "", lambda: made("QuantizeLinear", [("FLOAT", (2, 4))], scales(4), opset=13, axis=1), OLD),
    "scales of too many channels": Case(
        "scales_of_axis",
        lambda: made("QuantizeLinear", [("FLOAT", (2, 4))], scales(5), opset=13),
        {**OLD, "8.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "the mean of floats": Case("", lambda: made("Mean", [("FLOAT", (2, 4))] * 2, opset=13), OLD),
    "a window of halves": Case(
        "attributes", lambda: made("HannWindow", (), [np.int64(10)], opset=17, output_datatype=10), NEVER),
    "a window": Case(
        "", lambda: made("HannWindow", (), [np.int64(10)], opset=17), {"7.0-10.3": REFUSED}),
    "a spectrum of no window": Case(
        "given_one", lambda: made("STFT", [("FLOAT", SIGNAL)], [np.array(4)], opset=17), NEVER),
    "a spectrum of frames": Case(
        "", lambda: made("STFT", [("FLOAT", SIGNAL)], [np.array(4), None, np.array(16)], opset=17),
        {"7.0-10.4": REFUSED}),
    "pads that wrap": Case(
        "attributes", lambda: single("Pad", [EDGES], mode="wrap", opset=19), {"7.0-9.3": REFUSED}),
    "many heads of Microsoft's": Case(
        "", lambda: made("MultiHeadAttention", [("FLOAT", (2, 6, 16))] * 3, opset=17, domain=MICROSOFT,
                         num_heads=4), {"7.0-11.5": REFUSED, "rtx1.4-rtx1.5": REFUSED}),
    "pads below 0": Case(
        "negative_pads", lambda: single("Pad", [np.array([0, 0, -1, -1, 0, 0, 1, 1])], opset=13),
        {"7.0-7.2": OPEN, "8.2-10.3": REFUSED}),
    "TensorFlow's nearest by sizes": Case(
        "resize", lambda: resize(sizes=[1, 4, 16, 16], opset=11, coordinate_transformation_mode=TF),
        {"7.0-7.2": REFUSED, "8.5-11.5": REFUSED, ALL_RTX: REFUSED}),
    "some axes by fed scales": Case(
        "resized_axes_named", lambda: named_axes(fed_scales=True), NEVER),
    "some axes by sizes": Case(
        "resized_axes_named", lambda: named_axes(fed_scales=False), {"7.0-9.3": REFUSED}),
    "TopK in any order": Case(
        "", lambda: fed("TopK", "FLOAT", 4, 8, opset=11, more=[np.array([3])], outputs=2, sorted=0), {}),
    "a batch that stands first": Case(
        "written", lambda: layered("GRU", 3), {"7.0-11.5": WRONG}),
    "a grid of other floats": Case(
        "same_types",
        lambda: made("GridSample", [("FLOAT16", IMAGE), ("FLOAT", (1, 5, 5, 2))], opset=16), NEVER),
    "layers of halves, scaled by FLOAT": Case("same_types", lambda: layers("FLOAT16", "FLOAT"), NEVER),
    "layers of FLOAT, moved by halves": Case("", lambda: layers("FLOAT", "FLOAT", "FLOAT16"), NEVER),
    "layers of halves alone": Case("", lambda: layers("FLOAT16", "FLOAT16"), {"7.0-8.5": REFUSED}),
    "groups of halves, scaled by FLOAT": Case(
        "",
        lambda: layers("FLOAT16", "FLOAT", "FLOAT", operator="GroupNormalization", opset=21, num_groups=2),
        NEVER),
    "instances of halves, scaled by FLOAT": Case(
        "", lambda: layers("FLOAT16", "FLOAT", "FLOAT", operator="InstanceNormalization", opset=10),
        {"9.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "scales of an axis that is not written": Case(
        "axis_by_default", lambda: channels(4, 6, count=6), {**OLD, "8.0-10.10": REFUSED}),
    "scales of either of two axes": Case(
        "axis_by_default", lambda: channels(4, 4, count=4), {**OLD, "8.0-10.10": WRONG}),
    "scales of an axis that is written": Case("", lambda: channels(4, 4, count=4, axis=1), OLD),
    "scales of an axis from the end": Case(
        "axis_from_end", lambda: channels(4, 6, 8, count=6, axis=-2), {**OLD, "8.0": REFUSED}),
    "a zero point that is fed": Case("", shifted_by_input, NEVER),
    "a quantized deconvolution": Case(
        "", lambda: grouped_deconvolution(1), {"7.0-7.2": REFUSED, "rtx1.4-rtx1.6": REFUSED}),
    "a quantized deconvolution of groups": Case(
        "", lambda: grouped_deconvolution(2), {"7.0-7.2": REFUSED}),
    "a slice by INT32": Case(
        "sliced_words", lambda: sliced(axes=True, steps=False), {**OLD, "rtx1.7": REFUSED}),
    "a slice by INT32 with steps": Case("", lambda: sliced(axes=True, steps=True), OLD),
    "a slice by INT32 without axes": Case(
        "slice_axes", lambda: sliced(axes=False, steps=False), {"7.0-8.6": REFUSED, "rtx1.7": REFUSED}),
    "a call of a function with all inputs": Case(
        "", lambda: called(2), {"7.0-8.6": REFUSED}),
    "a call of a function that leaves one out": Case(
        "", lambda: called(1), {"7.0-8.6": REFUSED, "9.1-11.5": REFUSED, ALL_RTX: REFUSED}),
    "instances by computed scales": Case(
        "initializer_inputs", lambda: instances(4, computed=True), {"7.0-9.3": REFUSED}),
    "instances of six axes": Case("rank", lambda: instances(6, computed=False), {"7.0-9.3": REFUSED}),
    "a Flatten up to the last axis": Case(
        "axis_at_end", lambda: single("Flatten", axis=4, opset=11), {"7.0-8.0": REFUSED}),
    "a cast to eight bits of floats": Case(
        "", lambda: cast_to(TensorProto.FLOAT8E4M3FN), NEVER),
    "operands of two ranks of opset 6": Case(
        "old_broadcast", lambda: fed("Add", "FLOAT", *IMAGE, opset=6, more=[np.ones((8, 8), F)], broadcast=1),
        {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "operands of one rank of opset 6": Case(
        "old_broadcast", lambda: fed("Add", "FLOAT", *IMAGE, opset=6, more=[np.ones(IMAGE, F)]),
        {"10.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "a product of two ranks of opset 6": Case(
        "old_broadcast", lambda: fed("MatMul", "FLOAT", 2, 4, 8, opset=6, more=[np.ones((8, 4), F)]), NEVER),
    "a product of one rank of opset 6": Case(
        "", lambda: fed("MatMul", "FLOAT", 4, 8, opset=6, more=[np.ones((8, 4), F)]), {"10.0-11.5": OPEN}),
    "a norm of length 1 of opset 6": Case(
        "old_broadcast", lambda: fed("LpNormalization", "FLOAT", 4, 8, opset=6), NEVER),
    "a logarithm of sums of opset 6": Case(
        "old_broadcast", lambda: fed("ReduceLogSumExp", "FLOAT", 4, 8, opset=6),
        {"10.0-11.5": OPEN, "rtx1.7": REFUSED}),
    "an upsampling of height and width": Case(
        "",
        lambda: fed("Upsample", "FLOAT", *IMAGE, opset=1, height_scale=2.0, width_scale=2.0), NEVER),
    "a repetition along one axis": Case(
        "excess_inputs", lambda: fed("Tile", "FLOAT", 4, 8, opset=1, more=[F(2), F(0)]), NEVER),
    "letters of Einsum that are capital": Case(
        "", lambda: made("Einsum", [("FLOAT", (2, 3)), ("FLOAT", (3, 4))], opset=12,
                               equation="IJ,JK->IK"), NEVER),
    "an output without a name": Case(
        "named_outputs", lambda: parted(""), {**OLD, "10.6-11.5": REFUSED, ALL_RTX: REFUSED}),
    "outputs with names": Case("", lambda: parted("b"), OLD),
    "a deformable convolution with uneven pads": Case(
        "even_pads",
        lambda: made("DeformConv", [("FLOAT", IMAGE)], [np.ones((4, 4, 3, 3), F), np.zeros((1, 18, 7, 7), F)],
                     opset=19, pads=[0, 0, 1, 1]), NEVER),
    "an upper bound of INT8 alone": Case(
        "elementwise_clip", lambda: single("Clip", [None, np.int8(6)], kind=TensorProto.INT8,
                                           made=TensorProto.INT8, opset=13), NEVER),
    "a bound of INT8 that is fed": Case("elementwise_clip", lambda: clipped("fed"), NEVER),
    "a window of three axes": Case(
        "rank", lambda: single("LRN", size=3, opset=11, shape=(1, 4, 8)), NEVER),
    "a bound of infinity": Case(
        "finite_bounds", lambda: single("Clip", [F(0), F(np.inf)], opset=11),
        {"10.0-11.1": REFUSED, "rtx1.4-rtx1.5": REFUSED}),
    "a pool of norms that rounds up": Case(
        "written",
        lambda: fed("LpPool", "FLOAT", *IMAGE, opset=18, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        {"7.0-7.2": REFUSED, "8.0-9.3": WRONG}),
    "Microsoft's norm": Case(
        "", lambda: made("SimplifiedLayerNormalization", [("FLOAT", (2, 8, 16))], [np.ones(16, F)], opset=17,
                         domain=MICROSOFT), {"7.0-11.5": REFUSED}),
    "quantization of Model Optimizer": Case(
        "", lambda: made("TRT_FP8QuantizeLinear", [("FLOAT", (4, 8))], [F(0.1)], opset=17, domain="trt"),
        {"7.0-8.5": REFUSED}),
    "a triangle by default": Case(
        "unwritten", lambda: fed("Trilu", "FLOAT", 4, 4, opset=14),
        {"7.0-8.4": REFUSED, "8.5-11.5": WRONG, ALL_RTX: WRONG}),
    "an upper triangle": Case(
        "", lambda: fed("Trilu", "FLOAT", 4, 4, opset=14, upper=1), {"7.0-8.4": REFUSED}),
    "regions of as many samples as fit": Case(
        "unwritten", regions, {"7.0-8.4": REFUSED, "8.5-11.5": WRONG, ALL_RTX: REFUSED}),
    "regions of two samples": Case(
        "", lambda: regions(sampling_ratio=2), {"7.0-8.4": REFUSED, ALL_RTX: REFUSED}),
    "a norm of no bias": Case("numbers_within", lambda: single("LRN", size=3, opset=11, bias=0.0), NEVER),
    "a norm to the power of 0": Case(
        "numbers_within", lambda: single("LRN", size=3, opset=11, beta=0.0), NEVER),
    "a norm of the least bias": Case("", lambda: single("LRN", size=3, opset=11, bias=1e-5), {}),
    "the greatest of a number": Case("rank", lambda: fed("ReduceMax", "FLOAT", opset=11), NEVER),
    "the rest of INT8": Case(
        "refused_types", lambda: fed("Mod", "INT8", 4, opset=13, more=[np.int8(3)]), NEVER),
    "the rest of INT32": Case(
        "", lambda: fed("Mod", "INT32", 4, opset=13, more=[np.int32(3)]), {"7.0-8.4": REFUSED}),
    "a Clip whose upper bound is an empty name": Case(
        "trailing_input", lambda: single("Clip", [F(0), None], opset=11), {"7.0-7.2": REFUSED}),
    "a bias that is an empty name": Case(
        "trailing_input",
        lambda: single("Conv", [np.ones((4, 4, 3, 3), F), None], opset=11, kernel_shape=[3, 3]),
        {"7.0-8.4": REFUSED}),
    "the shape from an axis on": Case(
        "written", lambda: single("Shape", opset=15, start=1, made=TensorProto.INT64),
        {**BEYOND_13, "7.0-9.3": WRONG}),
    "the greatest along axes of opset 18": Case(
        "unread_inputs", lambda: single("ReduceMax", [np.array([1])], opset=18), {"7.0-9.3": WRONG}),
    "a product clipped from 0 on": Case(
        "", lambda: clipped_sum(0, 6), {"10.12-10.13": WRONG}),
    "a product clipped from 1 on": Case("", lambda: clipped_sum(1, 6), {}),
    "a product without a bound above": Case("", lambda: clipped_sum(0, None), {}),
    "a product up to infinity": Case(
        "finite_bounds", lambda: clipped_sum(0, np.inf), {"10.0-11.1": REFUSED, "rtx1.4-rtx1.5": REFUSED}),
    "pads beside auto_pad": Case(
        "pads_beside_auto_pad",
        lambda: single("MaxPool", kernel_shape=[3, 3], auto_pad="SAME_UPPER", pads=[0] * 4, opset=11),
        {"10.0-11.5": REFUSED, ALL_RTX: REFUSED}),
}  # fmt: skip
"""Name -> a situation, with its neighbour that is taken."""
RULES = {case.rule for case in CASES.values()} - {
    "", "attributes", "initializer_inputs", "negative_pads", "rank", "refused_types", "resize",
    "resized_axes_named", "slice_axes", "unread_inputs", "written",
}  # fmt: skip
"""Rules whose examples stand here alone."""
