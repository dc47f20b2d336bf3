"""Situations that users meet, in the text form of ONNX: loops, axes not fixed, Microsoft's attention.

Rows are those of `parser_cases`, which see. Each verdict on TensorRT-RTX is that of builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import onnx
from onnx import ModelProto

from suites.meta.networks.parser_cases import ALL_RTX, OPEN, REFUSED, WRONG, Case

NEVER = {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}
MICROSOFT = ', "com.microsoft" : 1'
TAKES = "float16[1,3,8] q, float16[1,3,8] k, float16[1,3,8] v"


def text(opset: int, graph: str, domains: str = "") -> ModelProto:
    """Read a model of an opset from its text form."""
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}{domains}]>\ng {graph}')


def ones(*shape: int) -> str:
    """Write an initializer of ones named w."""
    return f"float[{','.join(map(str, shape))}] w={{{','.join(['1'] * int(np.prod(shape)))}}}"


def scanned(axes: str, taken: str, made: str) -> str:
    """Write a Scan of a state of two floats over five steps."""
    body = "b (float[2] v, float[2] u) => (float[2] w, float[2] o) { w = Add(v, u) o = Relu(w) }"
    node = f"y, z = Scan<num_scan_inputs=1, {axes} body = {body}>(s, x)"
    return f"(float[2] s, float[{taken}] x) => (float[2] y, float[{made}] z) {{ {node} }}"


STATELESS = """(float[5,2] x) => (float[5,2] z) {
    z = Scan<num_scan_inputs=1, body = b (float[2] u) => (float[2] o) { o = Relu(u) }>(x)
}"""


def branched(kind: str) -> str:
    """Write an If whose branches cast a tensor of a type from outside."""
    then = "then_branch = t () => (float[2] a) { a = Cast<to=1>(x) }"
    other = "else_branch = e () => (float[2] b) { f = Cast<to=1>(x) b = Neg(f) }"
    return f"(bool c, {kind}[2] x) => (float[2] y) {{ y = If(c)<{then}, {other}> }}"


def case(rule: str, opset: int, graph: str, spans: Mapping[str, str], domains: str = "") -> Case:
    """Make a row of a graph in its text form."""
    return Case(rule, partial(text, opset, graph, domains), spans)


def loop(trips: str, going: str, body: str, carried: str = "float[4]", made: str = "float[4]") -> str:
    """Write a Loop over x, by names of its trip count and condition and the text of its body."""
    return (
        f"(float[4] x) => ({made} y) <int64 m={{3}}, int64 great={{2147483647}}, int32 one={{1}}> {{"
        f" t = Cast<to = 9>(one) y = Loop({trips}, {going}, x) <body = b (int64 i, bool c, {carried} a)"
        f" => (bool on, {made} o) {{ {body} }}> }}"
    )


def attention(more: str = "", inputs: str = "q, k, v", outputs: str = "y", attributes: str = "") -> str:
    """Write a MultiHeadAttention of two heads. more: inputs of the model beside query, key and value."""
    return (
        f"({TAKES}{more}) => (float16[1,3,8] y) {{ {outputs} = com.microsoft.MultiHeadAttention"
        f"<num_heads = 2{attributes}>({inputs}) }}"
    )


def called(*, named: bool) -> ModelProto:
    """Make a call of a function of two outputs. named: whether both have a name there."""
    model = text(11, f"(float[4] x) => (float[4] y) {{ y, {'z' * named} = own.Two(x) }}", ', "own" : 1')
    body = [onnx.helper.make_node("Relu", ["a"], ["b"]), onnx.helper.make_node("Neg", ["a"], ["c"])]
    imports = [onnx.helper.make_opsetid("", 11)]
    model.functions.append(onnx.helper.make_function("own", "Two", ["a"], ["b", "c"], body, imports))
    return model


AGAIN = "on = Identity(c) o = Add(a, a)"
NUMBER = "on = Identity(c) f = Cast<to = 1>(i) o = Add(a, f)"
K_OF_SHAPE = (
    "(float[2,{0}] x) => (float[2,K] v, int64[2,K] i) <int64[1] one={{1}}>"
    " {{ s = Shape(x) k = Gather(s, one) v, i = TopK(x, k) }}"
)
ROTATED = (
    "float[8,2] a, float[8,2] b) => (float[1,{0}] y) {{ y = com.microsoft.RotaryEmbedding(x, p, a, b) }}"
)
NO_ROTATED = {"7.0-11.5": REFUSED, ALL_RTX: REFUSED}
HEADS = {"7.0-11.5": REFUSED, "rtx1.4-rtx1.5": REFUSED}
"""Of MultiHeadAttention, which TensorRT-RTX takes since 1.6."""

CASES: Mapping[str, Case] = {
    "a K of the length of 4,000": case(
        "k", 11, K_OF_SHAPE.format(4000), NEVER),
    "a K of the length of 100": case("", 11, K_OF_SHAPE.format(100), {"7.0-8.5": REFUSED}),
    "a K of a length that is not fixed": case("", 11, K_OF_SHAPE.format("N"), {"7.0-8.5": REFUSED}),
    "the greatest of a row": case(
        "", 11, "(float[9] x) => (float[2] v, int64[2] i) <int64[1] k={2}> { v, i = TopK(x, k) }", {}),
    "a depth of a length that is not fixed": case(
        "fixed_value", 11,
        "(int64[4] i, float[4,N] x) => (float[4,M] y) <int64 one={1}, float[2] v={0,1}>"
        " { s = Shape(x) d = Gather(s, one) y = OneHot(i, d, v) }", NEVER),
    "a depth of a fixed length": case(
        "", 11,
        "(int64[4] i, float[N,7] x) => (float[4,7] y) <int64 one={1}, float[2] v={0,1}>"
        " { s = Shape(x) d = Gather(s, one) y = OneHot(i, d, v) }", {"7.0-8.4": REFUSED}),
    "the greatest along an axis that is not fixed": case(
        "fixed_axis", 11, "(float[4,N] x) => (float[4,N] y) { y = Hardmax(x) }", NEVER),
    "the greatest beside an axis that is not fixed": case(
        "", 11, "(float[N,4] x) => (float[N,4] y) { y = Hardmax(x) }", {"7.0-9.1": REFUSED}),
    "a pool over no axis": case(
        "rank", 11, "(float[4,2] x) => (float[4,2] y) { y = GlobalAveragePool(x) }", NEVER),
    "a normalization by place": case(
        "ranks_of", 7,
        f"(float[4,2,2] x) => (float[4,2,2] y) <{ones(2, 2)}>"
        " { y = BatchNormalization<spatial = 0>(x, w, w, w, w) }",
        NEVER),
    "a recurrence of no written size": case(
        "needed_attributes", 11,
        f"(float[5,2,4] x) => (float[5,1,2,3] y) <{ones(1, 3, 4)}, float[1,3,3] r={{1,1,1,1,1,1,1,1,1}}>"
        " { y = RNN(x, w, r) }", NEVER),
    "the rest of floats without fmod": case(
        "whole_modulus", 11, "(float[4] x, float[4] z) => (float[4] y) { y = Mod(x, z) }", NEVER),
    "the rest of floats": case(
        "", 11, "(float[4] x, float[4] z) => (float[4] y) { y = Mod<fmod = 1>(x, z) }", {"7.0-8.4": REFUSED}),
    "filters of a number that is not fixed": case(
        "fed_lengths", 11,
        "(float[1,2,8,8] x, float[O,2,3,3] k) => (float[1,O,6,6] y) { y = Conv<kernel_shape = [3,3]>(x, k) }",
        NEVER),
    "filters that are fed": case(
        "", 11,
        "(float[1,2,8,8] x, float[4,2,3,3] k) => (float[1,4,6,6] y) { y = Conv<kernel_shape = [3,3]>(x, k) }",
        {"7.0-7.2": REFUSED, "8.2-8.4": REFUSED}),
    "a wanted shape of lengths that are not fixed": case(
        "output_shape_unsized", 11,
        f"(float[1,2,H,W] x) => (float[1,1,8,8] y) <{ones(2, 1, 3, 3)}>"
        " { y = ConvTranspose<strides = [2,2], output_shape = [8,8]>(x, w) }", NEVER),
    "nine axes on the way": case(
        "", 11,
        "(float[512] x) => (float[512] y) <int64[9] s={2,2,2,2,2,2,2,2,2}, int64[1] f={-1}>"
        " { u = Reshape(x, s) y = Reshape(u, f) }", NEVER),
    "a squeeze of axes that are not fixed": case(
        "squeezed_unknown", 13, "(float[N,1] x) => (float[N] y) { y = Squeeze(x) }",
        {"7.0-11.4": REFUSED, "rtx1.4-rtx1.6": REFUSED}),
    "a loop that is given all": case("", 11, loop("m", "t", AGAIN), {}),
    "a loop without a condition that is read": case("loop_unregistered", 11, loop("m", "", AGAIN), NEVER),
    "a loop without a condition": case(
        "", 11, loop("m", "", "on = Cast<to = 9>(one) o = Add(a, a)"), {}),
    "an iteration number without a trip count": case(
        "loop_unregistered", 11, loop("", "t", NUMBER), NEVER),
    "an iteration number of an endless loop": case(
        "loop_unregistered", 11, loop("great", "t", NUMBER),
        {"7.0": WRONG, "7.1": REFUSED, "8.5-11.5": REFUSED, ALL_RTX: REFUSED}),
    "an iteration number": case("loop_counter", 11, loop("m", "t", NUMBER), {"7.0": WRONG, "7.1": REFUSED}),
    "a value that doubles": case(
        "loop_shapes", 11,
        loop("m", "t", "on = Identity(c) o = Concat<axis = 0>(a, x)", "float[A]", "float[B]"),
        NEVER),
    "a value that loses its axis": case(
        "loop_shapes", 11,
        loop("m", "t", "on = Identity(c) o = ReduceSum<keepdims = 0>(a)", "float[A]", "float"),
        NEVER),
    "a value of which the last are kept": case(
        "", 11, loop("m", "t", "on = Identity(c) h, l = Split<axis = 0>(a) o = Concat<axis = 0>(l, h)"), {}),
    "a call that leaves out an output": Case(
        "", partial(called, named=False), {"7.0-8.6": REFUSED, "10.6-11.5": REFUSED, ALL_RTX: REFUSED}),
    "a call that names every output": Case("", partial(called, named=True), {"7.0-8.6": REFUSED}),
    "a constant of letters": case(
        "", 13, '(float[4] x) => (float[4] y) { c = Constant<value_string = "a">() y = Relu(x) }', NEVER),
    "heads of Microsoft's": case("", 17, attention(), HEADS, MICROSOFT),
    "heads of Microsoft's with a mask of sums": case(
        "", 17, attention(", float16[1,1,3,3] m", "q, k, v, , , m"), HEADS, MICROSOFT),
    "heads of Microsoft's with a mask of keys": case(
        "multi_head", 17, attention(", int32[1,3] m", "q, k, v, , m"), NEVER, MICROSOFT),
    "heads of Microsoft's with a bias": case(
        "multi_head", 17, attention(", float16[24] m", "q, k, v, m"), NEVER, MICROSOFT),
    "heads of Microsoft's in order with a mask": case(
        "multi_head", 17,
        attention(", float16[1,1,3,3] m", "q, k, v, , , m", attributes=", unidirectional = 1"),
        NEVER, MICROSOFT),
    "heads of Microsoft's in order": case(
        "", 17, attention(attributes=", unidirectional = 1"), HEADS, MICROSOFT),
    "heads of Microsoft's with a value for masks": case(
        "multi_head", 17, attention(attributes=", mask_filter_value = -1000.0"), NEVER, MICROSOFT),
    "heads of Microsoft's that give their products": case(
        "outputs", 17, attention(outputs="y, , , p"), NEVER, MICROSOFT),
    "a shape that is fed": case(
        "", 11, "(float[4,6] x, int64[2] s) => (float[a,b] y) { y = Reshape(x, s) }", {}),
    "the greatest along the first of five axes": case(
        "distant_axis", 11, "(float[2,2,2,2,3] x) => (int64[1,2,2,2,3] y) { y = ArgMax<axis=0>(x) }",
        {"7.0-10.16": REFUSED, "rtx1.4-rtx1.5": REFUSED}),
    "the greatest along the second of five axes": case(
        "", 11, "(float[2,2,2,2,3] x) => (int64[2,1,2,2,3] y) { y = ArgMax<axis=1>(x) }", {}),
    "the two greatest along the second of six axes": case(
        "distant_axis", 11, "(float[2,2,2,2,2,3] x) => (float[2,2,2,2,2,3] y, int64[2,2,2,2,2,3] i) "
        "<int64[1] k={2}> { y, i = TopK<axis=1>(x, k) }", {"7.0-10.16": REFUSED, "rtx1.4-rtx1.5": REFUSED}),
    "a vector times matrices": case(
        "vector_product", 11, "(float[3] v, float[2,3,4] m) => (float[2,4] y) { y = MatMul(v, m) }",
        {"7.0-7.2": WRONG, "8.0-11.5": REFUSED, ALL_RTX: REFUSED}),
    "a vector times matrices of a batch": case(
        "", 11, "(float[3] v, float[1,2,3,4] m) => (float[1,2,4] y) { y = MatMul(v, m) }",
        {"7.0-11.5": WRONG}),
    "a vector times one matrix": case(
        "", 11, "(float[3] v, float[1,3,4] m) => (float[1,4] y) { y = MatMul(v, m) }", {"7.0-7.2": WRONG}),
    "matrices times a vector": case(
        "", 11, "(float[2,3,4] m, float[4] v) => (float[2,3] y) { y = MatMul(m, v) }", {"7.0-7.2": REFUSED}),
    "a Scan from the last axis": case("scan_axes", 11, scanned("scan_input_axes=[-1],", "2,5", "5,2"), NEVER),
    "a Scan to the last axis": case("scan_axes", 11, scanned("scan_output_axes=[-1],", "5,2", "2,5"), NEVER),
    "a Scan along the second axis": case(
        "", 11, scanned("scan_input_axes=[1],scan_output_axes=[1],", "2,5", "2,5"), {}),
    "a Scan without a state": case(
        "scan_stateless", 11, STATELESS, {"7.1-11.5": REFUSED, "rtx1.4-rtx1.7": REFUSED}),
    "a Concat of opset 1 without an axis": case(
        "needed_attributes", 1, "(float[2,3] x, float[2,3] z) => (float[2,6] y) { y = Concat(x, z) }", NEVER),
    "a Pad by paddings": case(
        "", 1, "(float[2,3] x) => (float[2,5] y) { y = Pad<paddings=[0,1,0,1]>(x) }", NEVER),
    "a zero point for six scales": case(
        "zero_points_of_scales", 13, "(float[4,6] x) => (int8[4,6] y) "
        "<float[6] s={1,1,1,1,1,1}, int8 z={0}> { y = QuantizeLinear<axis=1>(x, s, z) }",
        {"7.0-7.2": OPEN, "8.0-11.5": REFUSED, "rtx1.4-rtx1.7": REFUSED}),
    "bytes that a branch takes": case("", 13, branched("uint8"), {
        "7.0-7.2": REFUSED, "8.0-8.4": REFUSED, "8.5-11.5": REFUSED, "rtx1.4-rtx1.7": REFUSED}),
    "whole numbers that a branch takes": case("", 13, branched("int32"), {"7.0-7.2": REFUSED}),
    "rotation of one position": case(
        "rotated", 17, "(float[1,2,3,4] x, int64[1] p, " + ROTATED.format("2,3,4"), NO_ROTATED, MICROSOFT),
    "rotation of no heads": case(
        "rotated", 17, "(float[1,3,8] x, int64[1,3] p, " + ROTATED.format("3,8"), NO_ROTATED, MICROSOFT),
}  # fmt: skip
"""Name -> a situation, with its neighbour that is taken."""
RULES = {case.rule for case in CASES.values()} - {"", "k", "outputs", "rank", "squeezed_unknown"}
"""Rules whose examples stand here alone."""
