"""Situations of public reports and of builds beside them, in the text form of ONNX.

Rows are those of `parser_cases`, which see. Each verdict on TensorRT-RTX 1.5 and 1.7 is that of builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from onnx import ModelProto, TensorProto, helper

from suites.meta.networks.parser_cases import ALL_RTX, OLD, REFUSED, WRONG, Case
from suites.meta.networks.user_situations import NEVER, case, text

NO_TRUTH = {"7.0": REFUSED, "7.1-7.2": "undocumented"}
"""Of weights of BOOL, at an opset beyond the documented ones."""
SINCE_10 = {"10.0-11.5": REFUSED, ALL_RTX: REFUSED}
TWO = "kernel_shape=[2,2]"
UNEQUAL = {"7.0-10.12": REFUSED}
"""Of branches of unequal lengths and one rank, chosen by what is fed."""


def slope(data: str, shape: str, count: int) -> str:
    """Write a PRelu of a tensor by a slope of ones."""
    values = ",".join(["1"] * count)
    return f"(float[{data}] x) => (float[{data}] y) <float[{shape}] s={{{values}}}> {{ y = PRelu(x, s) }}"


def logic(operator: str, shape: str, value: str) -> str:
    """Write an And or Or with a constant."""
    return f"(bool[3,2] x) => (bool[3,2] y) <bool{shape} t={{{value}}}> {{ y = {operator}(x, t) }}"


def averaged(shape: str, attributes: str) -> str:
    """Write an AveragePool."""
    return f"(float[1,2,{shape}] x) => (float[1,2,H,W] y) {{ y = AveragePool<{attributes}>(x) }}"


def squeezed(length: str, how: str = "ReduceSum<keepdims = 0>") -> str:
    """Write an If on the length of an axis, as PyTorch makes of squeeze(1). how: what leaves the axis out."""
    then = f"then_branch = t () => (float[N,4] a) {{ a = {how}(x, one) }}"
    other = f"else_branch = e () => (float[N,{length},4] b) {{ b = Identity(x) }}"
    return (
        f"(float[N,{length},4] x) => (float z) <int64[1] one={{1}}> {{ s = Shape(x) n = Gather(s, one) "
        f"c = Equal(n, one) y = If(c)<{then}, {other}> z = ReduceSum<keepdims = 0>(y) }}"
    )


def resized(length: str, scale: float, mode: str = "nearest") -> str:
    """Write a Resize of opset 10 along one axis."""
    node = f'y = Resize<mode = "{mode}">(x, s)'
    return f"(float[1,2,{length},4] x) => (float[1,2,K,4] y) <float[4] s={{1,1,{scale:.1f},1}}> {{ {node} }}"


def eighths(zero: float) -> ModelProto:
    """Make a Q/DQ pair of FP8 with a zero point."""
    model = text(
        19, "(float[1,4] x) => (float[1,4] y) <float s={0.5}>"
        " { q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) }")  # fmt: skip
    model.graph.initializer.append(helper.make_tensor("z", TensorProto.FLOAT8E4M3FN, [], [zero]))
    return model


ROWS = "float[2,4] k={1,1,1,1,1,1,1,1}, float[1,4] l={1,1,1,1}"
BOTH = (
    "then_branch = t () => (float[2,4] a) { a = Identity(k) }, "
    "else_branch = e () => (float[1,4] b) { b = Identity(l) }"
)

CASES: Mapping[str, Case] = {
    "a slope for each channel, of one axis": case("slope_shape", 9, slope("1,4,8,8", "4", 4), NEVER),
    "a slope for each channel": case("", 9, slope("1,4,8,8", "4,1,1", 4), {}),
    "a slope for each channel of rows": case("", 9, slope("N,4", "4", 4), {}),
    "a slope of the last axis": case("", 9, slope("1,4,8,8", "8", 8), {}),
    "a slope of axes that are not fixed": case("", 9, slope("N,4,H,W", "4", 4), {}),
    "an average beyond the end": case(
        "empty_windows", 11, averaged("4,4", "kernel_shape=[1,1], strides=[2,2], ceil_mode=1"), SINCE_10),
    "an average beyond the padding": case(
        "empty_windows", 11, averaged("7,7", f"{TWO}, strides=[3,3], pads=[1,1,1,1], ceil_mode=1"),
        SINCE_10),
    "an average of padding alone": case(
        "empty_windows", 11, averaged("5,5", f"{TWO}, strides=[2,2], pads=[2,2,2,2]"), SINCE_10),
    "an average of padding that counts": case(
        "", 11, averaged("5,5", f"{TWO}, strides=[2,2], pads=[2,2,2,2], count_include_pad=1"), {}),
    "an average that rounds up": case(
        "", 11, averaged("8,8", "kernel_shape=[3,3], strides=[2,2], ceil_mode=1"), {}),
    "an average that fits": case(
        "", 11, averaged("5,5", f"{TWO}, strides=[2,2], ceil_mode=1"), {}),
    "an average of no fixed length": case(
        "", 11, averaged("h,w", "kernel_shape=[1,1], strides=[2,2], ceil_mode=1"), {}),
    "an axis summed up if it is of length 1": case("branches", 13, squeezed("M"), NEVER),
    "an axis of length 1 squeezed if it is": case("", 13, squeezed("1", "Squeeze"), {"7.0-10.5": REFUSED}),
    "an axis of length 3 summed up if it is of 1": case("", 13, squeezed("3"), {"7.0-10.5": REFUSED}),
    "one row or two by what is fed": case(
        "branches", 13, f"(bool c) => (float[K,4] y) <{ROWS}> {{ y = If(c)<{BOTH}> }}", UNEQUAL),
    "one row or two, as two lengths are equal": case(
        "branches", 13,
        f"(float[N,M] x) => (float[K,4] y) <{ROWS}, int64 zero={{0}}, int64 one={{1}}> {{ s = Shape(x) "
        f"n = Gather(s, zero) m = Gather(s, one) c = Equal(n, m) y = If(c)<{BOTH}> }}", UNEQUAL),
    "And with false for all": case("", 13, logic("And", "", "0"), {**NO_TRUTH, "11.2": REFUSED}),
    "And with false for each column": case("", 13, logic("And", "[2]", "0,0"), {**NO_TRUTH, "11.2": REFUSED}),
    "And with true for all": case("", 13, logic("And", "", "1"), NO_TRUTH),
    "And with both": case("", 13, logic("And", "[2]", "0,1"), NO_TRUTH),
    "And with false of the same shape": case("", 13, logic("And", "[3,2]", "0,0,0,0,0,0"), NO_TRUTH),
    "Or with true for all": case("", 13, logic("Or", "", "1"), {**NO_TRUTH, "11.2": REFUSED}),
    "Or with true of as many axes": case("", 13, logic("Or", "[1,1]", "1"), {**NO_TRUTH, "11.2": REFUSED}),
    "Or with false for all": case("", 13, logic("Or", "", "0"), NO_TRUTH),
    "a zero point of FP8": Case(
        "zero_point", partial(eighths, 1.0), {"7.0-8.6": REFUSED, "9.0-11.5": WRONG, ALL_RTX: WRONG}),
    "a zero point of FP8 that is 0": Case("", partial(eighths, 0.0), {"7.0-8.6": REFUSED}),
    "three times as many of opset 10": case("nearest_by_corners", 10, resized("8", 3), {"8.0": WRONG}),
    "one and a half times as many of opset 10": case(
        "nearest_by_corners", 10, resized("8", 1.5), {"8.0": WRONG}),
    "three times any number of opset 10": case("nearest_by_corners", 10, resized("H", 3), {"8.0": WRONG}),
    "three times one of opset 10": case("", 10, resized("1", 3), {}),
    "twice as many of opset 10": case("", 10, resized("8", 2), {}),
    "twice any number of opset 10": case("", 10, resized("H", 2), {}),
    "between elements of opset 10": case("", 10, resized("8", 3, "linear"), {}),
    "Softmax of a row, of opset 11": case(
        "", 11, "(float[5] x) => (float[5] y) { y = Softmax<axis=0>(x) }", {}),
    "Hardmax of a row, of opset 11": case(
        "", 11, "(float[5] x) => (float[5] y) { y = Hardmax<axis=0>(x) }", {"7.0-9.1": REFUSED}),
    "LogSoftmax of a row": case(
        "rank", 13, "(float[5] x) => (float[5] y) { y = LogSoftmax<axis=0>(x) }",
        {**OLD, "8.0-11.5": REFUSED, ALL_RTX: REFUSED}),
}  # fmt: skip
"""Name -> a situation, with its neighbour that is taken."""
RULES = {case.rule for case in CASES.values()} - {"", "rank", "branches", "zero_point"}
"""Rules whose examples stand here alone."""
