"""Operators of FLOAT16 and BFLOAT16 whose importers write a constant of FLOAT beside them.

In the text form of ONNX. Rows are those of `parser_cases`, which see. TensorRT-RTX and TensorRT 11 are
strongly typed: FLOAT16 does not meet FLOAT there. Each verdict on TensorRT-RTX 1.4, 1.5 and 1.7 is that of
builds.
"""

from __future__ import annotations

from functools import partial

from onnx import ModelProto

from suites.meta.networks.parser_cases import ALL_RTX, OLD, OPEN, REFUSED, WRONG, Case
from suites.meta.networks.user_situations import NEVER, text

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STRONG = {"11.0-11.5": REFUSED, ALL_RTX: REFUSED}


def product(kind: str, opset: int, attributes: str) -> ModelProto:
    """Make a Gemm of 2 x 3 by 3 x 4 and 4 addends."""
    taken = f"{kind}[2,3] x, {kind}[3,4] w, {kind}[4] c"
    return text(opset, f"({taken}) => ({kind}[2,4] y) {{ y = Gemm<{attributes}>(x, w, c) }}")


def recurrent(
    operator: str, kind: str, opset: int, *, lengths: bool = False, begun: bool = False
) -> ModelProto:
    """Make 5 steps of a batch of 2. lengths: of each sequence; begun: by a state that is given."""
    wide = GATES[operator] * 4
    taken = [f"{kind}[5,2,3] x", f"{kind}[1,{wide},3] w", f"{kind}[1,{wide},4] r"]
    taken += [f"{kind}[1,2,4] h"] * begun
    given = ["x", "w", "r", *["", "l"][: 2 * lengths], *["", "", "h"][2 * lengths :][: 3 * begun]]
    held = "<int32[2] l = {5, 3}>" * lengths
    outputs = f"{kind}[5,1,2,4] y, {kind}[1,2,4] e"
    body = f"y, e = {operator}<hidden_size = 4>({', '.join(given)})"
    return text(opset, f"({', '.join(taken)}) => ({outputs}) {held} {{ {body} }}")


def one(operator: str, kind: str, opset: int, inputs: int = 1) -> ModelProto:
    """Make an operator of tensors of one shape."""
    names = [f"x{n}" for n in range(inputs)]
    taken = ", ".join(f"{kind}[1,4,8,8] {name}" for name in names)
    return text(opset, f"({taken}) => ({kind}[1,4,8,8] y) {{ y = {operator}({', '.join(names)}) }}")


def cast(
    between: str = "m = Relu(x) s = Identity(c)", direction: str = "forward", kind: str = "float16"
) -> ModelProto:
    """Make an LSTM of s, which comes from c, a cast of m to FLOAT."""
    first, _, last = between.partition(" s = ")
    ways = 2 if direction == "bidirectional" else 1
    taken = f"{kind}[5,2,3] x, float[{ways},16,3] w, float[{ways},16,4] r"
    layer = f'y = LSTM<hidden_size = 4, direction = "{direction}">(s, w, r)'
    body = f"{first} c = Cast<to = 1>(m) s = {last} {layer}"
    return text(11, f"({taken}) => (float[5,{ways},2,4] y) {{ {body} }}")


DECONVOLUTION = (
    """(bfloat16[1,4,7,7] x, bfloat16[4,4,3,3] w) => (bfloat16[1,4,9,9] y) { y = ConvTranspose(x, w) }"""
)
NOTHING = "({0}[2,3] x) => ({0}[2,3] y) {{ y = {1}<noop_with_empty_axes = 1>(x) }}"
NORM = "(int32[2,3] x) => (int32[1,1] y) { y = ReduceL2(x) }"
EXPONENTIALS = "(float[2,3,4] x) => (float[2,3,1] y) <int64[1] axes = {2}> { y = ReduceLogSumExp(x, axes) }"

CASES: dict[str, Case] = {
    "halves times alpha": Case(
        "misread_types", partial(product, "float16", 11, "alpha = 0.5"), {"rtx1.4": REFUSED}),
    "halves plus beta": Case(
        "misread_types", partial(product, "float16", 11, "beta = 0.5"), {"rtx1.4": REFUSED}),
    "halves times 1": Case("", partial(product, "float16", 11, "alpha = 1.0"), {}),
    "short floats times alpha": Case(
        "misread_types", partial(product, "bfloat16", 13, "alpha = 0.5"),
        {"7.0-10.16": REFUSED, "rtx1.4": REFUSED}),
    "short floats plus beta": Case(
        "misread_types", partial(product, "bfloat16", 13, "beta = 0.5"),
        {"7.0-10.16": REFUSED, "rtx1.4": REFUSED}),
    "an RNN of halves": Case(
        "misread_types", partial(recurrent, "RNN", "float16", 11), {"11.0": REFUSED, "rtx1.4": REFUSED}),
    "a GRU of halves": Case(
        "misread_types", partial(recurrent, "GRU", "float16", 11), {"11.0": REFUSED, "rtx1.4": REFUSED}),
    "a GRU of halves that is begun": Case("", partial(recurrent, "GRU", "float16", 11, begun=True), {}),
    "an LSTM of halves": Case("", partial(recurrent, "LSTM", "float16", 11), {}),
    "sequences of halves": Case(
        "misread_types", partial(recurrent, "LSTM", "float16", 11, lengths=True), STRONG),
    "sequences of floats": Case("", partial(recurrent, "LSTM", "float", 11, lengths=True), {}),
    "an LSTM of short floats": Case(
        "misread_types", partial(recurrent, "LSTM", "bfloat16", 22), {"7.0-10.13": REFUSED}),
    "an RNN of short floats": Case(
        "misread_types", partial(recurrent, "RNN", "bfloat16", 22), {"7.0-11.0": REFUSED, "rtx1.4": REFUSED}),
    "a GRU of short floats": Case(
        "misread_types", partial(recurrent, "GRU", "bfloat16", 22, begun=True), NEVER),
    "sequences of short floats": Case(
        "misread_types", partial(recurrent, "RNN", "bfloat16", 22, lengths=True, begun=True), NEVER),
    "the mean of short floats": Case(
        "misread_types", partial(one, "Mean", "bfloat16", 13, 2),
        {"7.0-9.1": REFUSED, "9.2-11.5": WRONG, ALL_RTX: WRONG}),
    "the mean of halves": Case(
        "misread_types", partial(one, "Mean", "float16", 13, 2), {**OLD, "9.2-11.5": WRONG, ALL_RTX: WRONG}),
    "short floats of no mean and variance 1": Case(
        "misread_types", partial(one, "MeanVarianceNormalization", "bfloat16", 13), NEVER),
    "halves of no mean and variance 1": Case(
        "misread_types", partial(one, "MeanVarianceNormalization", "float16", 13),
        {"7.0-8.4": REFUSED, **STRONG}),
    "a sequence of halves cast": Case("cast_sequence", cast, {ALL_RTX: REFUSED}),
    "a sequence of halves cast, negated": Case("", partial(cast, "m = Relu(x) s = Neg(c)"), {}),
    "a sequence of halves cast, both ways": Case("", partial(cast, direction="bidirectional"), {}),
    "a sequence of halves cast, from its end": Case("", partial(cast, direction="reverse"), {}),
    "a deconvolution of short floats": Case(
        "refused_types", partial(text, 22, DECONVOLUTION),
        {"7.0-8.6": REFUSED, "9.0-10.5": OPEN, ALL_RTX: REFUSED}),
    "integers reduced by nothing": Case(
        "refused_types", partial(text, 18, NOTHING.format("int32", "ReduceL2")), {"7.0-9.3": REFUSED}),
    "integers reduced": Case("reduced_types", partial(text, 18, NORM), NEVER),
    "truths reduced by nothing": Case(
        "refused_types", partial(text, 20, NOTHING.format("bool", "ReduceMax")),
        {"7.0-11.5": REFUSED, "rtx1.4-rtx1.6": REFUSED}),
    "a sequence of whole numbers cast": Case(
        "", partial(cast, "m = Identity(x) s = Identity(c)", kind="int32"), {}),
    "exponentials over an axis": Case(
        "unread_inputs", partial(text, 18, EXPONENTIALS), {"7.0-10.13": WRONG}),
}  # fmt: skip

RULES = {"cast_sequence", "misread_types", "reduced_types"}
"""Rules whose examples stand here alone."""

REWRITES: list[tuple[str, str, ModelProto]] = [
    ("sequence plus zero", "rtx1.7", cast()),
    ("in FLOAT", "rtx1.4", product("float16", 11, "alpha = 0.5")),
    ("in FLOAT", "trt11.0", recurrent("RNN", "float16", 11)),
    ("in FLOAT", "rtx1.7", recurrent("LSTM", "float16", 11, lengths=True)),
    ("in FLOAT", "rtx1.7", recurrent("GRU", "float16", 11, lengths=True, begun=True)),
]
"""Name of the rewrite, release and model."""
