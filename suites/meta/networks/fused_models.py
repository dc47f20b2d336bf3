"""Operators that ONNX Runtime's optimizer fuses, in the text form of ONNX: written out, and not."""

from __future__ import annotations

from functools import partial

import numpy as np
from onnx import ModelProto

from suites.meta.networks.user_situations import MICROSOFT, text

fused = partial(text, domains=MICROSOFT)


def numbers(name: str, *shape: int) -> str:
    """Write an initializer of numbers from -1 to 1."""
    values = np.linspace(-1, 1, int(np.prod(shape)))
    return f"float[{','.join(map(str, shape))}] {name} = {{{', '.join(f'{value:.4f}' for value in values)}}}"


def counts(shape: str, *values: int) -> str:
    """Write a mask m of keys that count, and of those that do not."""
    return f"int32[{shape}] m = {{{', '.join(map(str, values))}}}"


def projected(inputs: str = "x, w, b", attributes: str = "", held: str = "") -> ModelProto:
    """Make an Attention of two batches of three queries. held: initializers beside the weights."""
    constants = ", ".join([numbers("w", 8, 24), numbers("b", 24), *([held] if held else [])])
    graph = f"y = com.microsoft.Attention<num_heads = 2{attributes}>({inputs})"
    return fused(17, f"(float[2,3,8] x) => (float[2,3,8] y) <{constants}> {{ {graph} }}")


def headed(
    inputs: str = "q, k, v", attributes: str = "", held: str = "", keys: int | str = 5, cached: str = "",
    outputs: str = "y",
) -> ModelProto:  # fmt: skip
    """Make a MultiHeadAttention of two batches of three queries. cached: the length of its cache."""
    taken = f"float[2,3,8] q, float[2,{keys},8] k, float[2,{keys},8] v"
    taken += f", float[2,2,{cached},4] c, float[2,2,{cached},4] d" if cached else ""
    given = "".join(f", float[2,2,T,4] {name}" for name in ("r", "s") if f" {name}" in outputs)
    graph = f"{outputs} = com.microsoft.MultiHeadAttention<num_heads = 2{attributes}>({inputs})"
    return fused(17, f"({taken}) => (float[2,3,8] y{given}) <{held}> {{ {graph} }}")


CACHE, KEPT = "q, k, v, , , , c, d", "y, r, s"
ORDER = ", unidirectional = 1"
FIVE, SIX = counts("2,5", 1, 1, 0, 1, 0, 1, 0, 1, 1, 1), counts("2,3", 1, 1, 0, 1, 0, 0)
SQUARE = counts("2,3,3", 1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0)
NORM = "(float[2,3,4] x, float[2,3,4] z) => (float[2,3,4] y{0}) <{1}> {{ {2} }}"
ROWS = "(float[2,4] x) => (float[2,4] y) <{0}> {{ y = com.microsoft.{1} }}"
ROW, OTHER, MORE = numbers("g", 4), numbers("b", 4), numbers("c", 4)
SKIP, RMS = "com.microsoft.SkipLayerNormalization", "com.microsoft.SkipSimplifiedLayerNormalization"

ATTENTION: list[tuple[str, ModelProto]] = [
    ("trt7.2", projected(attributes=ORDER)),
    ("trt8.6", projected("x, w, b, m", held=SIX)),
    ("trt10.16", projected("x, w, b, m", ORDER + ", mask_filter_value = -5.0", SIX)),
    ("rtx1.5", projected("x, w, b, m", held=SQUARE)),
    ("trt8.0", headed("q, k, v, , m", held=FIVE)),
    ("rtx1.7", headed("q, k, v, , m", ", mask_filter_value = -7.0", FIVE)),
    ("rtx1.6", headed(CACHE, keys=3, cached="4", outputs=KEPT)),
    ("trt9.3", headed(CACHE, ORDER, keys=3, cached="4", outputs=KEPT)),
    ("trt11.5", headed("q, k, v, , m, , c, d", "", counts("2,7", *[1, 0, 1, 1, 1, 0, 1] * 2), 3, "4", KEPT)),
    ("trt8.5", headed(attributes=ORDER, keys=3)),
]
"""Release, and attention with a mask, a cache or an order that is written out for it."""
KEPT_AS_THEY_ARE: list[ModelProto] = [
    projected("x, w, b, m", held=counts("2", 3, 1)),
    headed(attributes=ORDER),
    headed(keys="N", attributes=ORDER),
    headed(CACHE, keys=3, cached="4"),
    headed(outputs=KEPT),
    fused(17, "(float[1,2,4,4] x, float[3,2,3,3] w) => (float[1,3,2,2] y) { y = com.microsoft.FusedConv"
              '<activation = "Clip", activation_params = [0.0, 1.0]>(x, w) }'),
    fused(17, "(float[2,4] x, float[4,2] z) => (float[2,2] y) { y = com.microsoft.FusedMatMul"
              "<transBatchA = 1>(x, z) }"),
]  # fmt: skip
"""What has another meaning in ONNX Runtime, or none that is written out, and is said to need an export."""
FUSED: list[tuple[str, ModelProto]] = [
    ("trt7.2", fused(11, ROWS.format("", "Gelu(x)"))),
    ("trt8.6", fused(13, ROWS.format(OTHER, "BiasGelu(x, b)"))),
    ("trt10.1", fused(13, ROWS.format(OTHER, "FastGelu(x, b)"))),
    ("rtx1.7", fused(13, ROWS.format("", "FastGelu(x)"))),
    ("trt11.5", fused(13, ROWS.format("", "QuickGelu<alpha = 1.1>(x)"))),
    ("trt8.0", fused(13, "(float[2,3,4] x, float[2,5,4] z) => (float[2,3,5] y)"
                         " { y = com.microsoft.FusedMatMul<transB = 1, alpha = 0.5>(x, z) }")),
    ("rtx1.4", fused(13, "(float[2,4,3] x, float[4,5] z) => (float[2,3,5] y)"
                         " { y = com.microsoft.FusedMatMul<transA = 1>(x, z) }")),
    ("trt8.4", fused(13, f"(float[1,2,4,4] x) => (float[1,3,4,4] y) <{numbers('w', 3, 2, 3, 3)}>"
                         ' { y = com.microsoft.FusedConv<activation = "LeakyRelu", activation_params = [0.3],'
                         " pads = [1, 1, 1, 1], kernel_shape = [3, 3]>(x, w) }")),
    ("trt9.0", fused(13, f"(float[2,4] x) => (float[2,3] y) <{numbers('w', 4, 3)}, {numbers('c', 3)}>"
                         ' { y = com.microsoft.FusedGemm<activation = "Sigmoid", alpha = 0.7>(x, w, c) }')),
    ("trt7.0", fused(11, NORM.format("", f"{ROW}, {OTHER}", f"y = {SKIP}(x, z, g, b)"))),
    ("trt8.6", fused(13, NORM.format(
        ", float[2,3,4] s", f"{ROW}, {OTHER}, {MORE}", f"y, , , s = {SKIP}<epsilon = 0.01>(x, z, g, b, c)"))),
    ("trt10.5", fused(18, NORM.format("", ROW, f"y = {SKIP}(x, z, g)"))),
    ("trt11.0", fused(18, NORM.format(
        ", float[2,3,4] s", f"{ROW}, {OTHER}", f"y, , , s = {RMS}(x, z, g, b)"))),
]  # fmt: skip
"""Release, and a fused operator that is written out for it."""
