"""Situations of public bug reports, rebuilt small: the answer is what was reported or read in the parser."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto

from fixtures.compatibility import inspect, releases
from fixtures.compatibility.answers import Answer, ask
from fixtures.compatibility.specimens.quantized import parameters
from fixtures.compatibility.specimens.sketch import Sketch
from suites.meta.networks.support_models import fed, one, resize, span_of

FLOOR: Mapping[str, Any] = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
TWICE = np.array([1, 1, 2, 2], np.float32)


def scaled(how: str) -> ModelProto:
    """A Resize by scales that are given in some way."""
    sketch = Sketch(11)
    x = sketch.feed("FLOAT", 1, 4, 8, 8)
    roi = sketch.constant(np.array([], np.float32))
    sketch.end("Resize", x, roi, sketch.given(TWICE, how), mode="nearest", **FLOOR)
    return sketch.model()


def padded_by_constants() -> ModelProto:
    """A Pad whose pads are made of constants, as PyTorch writes them at opset 11."""
    sketch = Sketch(11)
    x = sketch.feed("FLOAT", 1, 3, 8, 8)
    half = sketch.constant(np.array([0, 0, 1, 1]))
    pads = sketch.add("Concat", half, sketch.add("Mul", half, half), axis=0)
    sketch.end("Pad", x, pads, mode="constant")
    return sketch.model()


def axes_as_inputs() -> ModelProto:
    """Squeeze, Unsqueeze, ReduceSum and Split in their forms of opset 13."""
    sketch = Sketch(13)
    axis = sketch.constant(np.array([1]))
    flat = sketch.add("Squeeze", sketch.feed("FLOAT", 4, 1, 6), axis)
    total = sketch.add("ReduceSum", sketch.add("Unsqueeze", flat, axis), axis)
    sketch.end("Split", total, sketch.constant(np.array([1, 3])), outputs=2)
    return sketch.model()


def compared() -> ModelProto:
    """An Equal of two truth values."""
    sketch = Sketch(13)
    sketch.end("Equal", sketch.feed("BOOL", 4), sketch.feed("BOOL", 4))
    return sketch.model()


def masked() -> ModelProto:
    """A truth value among the weights."""
    sketch = Sketch(11)
    x = sketch.feed("FLOAT", 4)
    sketch.end("Where", sketch.ones("BOOL", 4), x, sketch.add("Neg", x))
    return sketch.model()


def deconvolution(axis: int) -> ModelProto:
    """A quantized ConvTranspose of 8 channels to 5, a scale for each channel of an axis."""
    sketch = Sketch(13)
    x, (scale, point) = (
        sketch.feed("FLOAT", 1, 8, 6, 6),
        parameters(sketch, "INT8", 0, 0, "constant", "FLOAT"),
    )
    scales, points = parameters(sketch, "INT8", 0, (8, 5)[axis], "constant", "FLOAT")
    data = sketch.add("DequantizeLinear", sketch.add("QuantizeLinear", x, scale, point), scale, point)
    weights = sketch.add("DequantizeLinear", sketch.ones("INT8", 8, 5, 3, 3), scales, points, axis=axis)
    sketch.end("ConvTranspose", data, weights, kernel_shape=[3, 3])
    return sketch.model()


def sampled(mode: str | None, opset: int) -> ModelProto:
    """A GridSample of a mode."""
    sketch = Sketch(opset)
    sketch.end("GridSample", sketch.feed("FLOAT", 1, 4, 8, 8), sketch.ones("FLOAT", 1, 5, 5, 2), mode=mode)
    return sketch.model()


BORDER, LINE = np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.array([0, 0, 1, 0, 0, 1])
HALF: Mapping[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
SIZED: Mapping[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}
WRONG, OPEN = "taken, but wrong", "undocumented"

CASES: Mapping[str, tuple[Callable[[], ModelProto], Mapping[str, str]]] = {
    "a float Range up to a length": (lambda: span_of("FLOAT", computed=True), {"7.0-8.2": "refused"}),
    "scales of the shape": (lambda: scaled("shape"), {"7.0-8.2": "refused"}),
    "pads made of constants": (padded_by_constants, {"7.0-8.0": "refused"}),
    "Equal of truth values": (compared, {"7.0-8.4": "refused"}),
    "axes as inputs": (axes_as_inputs, {"7.0-7.2": "refused"}),
    "an image of bytes": (
        lambda: fed("Cast", "UINT8", 1, 3, 8, 8, opset=11, to=TensorProto.FLOAT), {"7.0-8.4": "refused"}
    ),
    "truth values as weights": (masked, {"7.0": "refused"}),
    "Expand of truth values": (
        lambda: fed("Expand", "BOOL", 4, more=[np.array([2, 4])], opset=11), {"7.0-7.2": "refused"}
    ),
    "Slice of truth values": (
        lambda: fed("Slice", "BOOL", 4, more=[np.array([0]), np.array([2])], opset=11), {"7.0-7.2": "refused"}
    ),
    "Gather of truth values": (
        lambda: fed("Gather", "BOOL", 4, more=[np.array([0])], opset=11), {"7.0-8.4": "refused"}
    ),
    "scales by input channel": (
        lambda: deconvolution(0), {"7.0-7.2": "refused", "8.0-8.2": WRONG}
    ),
    "scales by output channel": (
        lambda: deconvolution(1),
        {"7.0-7.2": "refused", "8.0": "refused", "8.2": WRONG, "rtx1.4-rtx1.6": "refused"},
    ),
    "opset 12": (lambda: one("Relu", opset=12), {"7.0-7.2": OPEN}),
    "linear of opset 20": (
        lambda: sampled("linear", 20),
        {"7.0-8.4": "refused", "8.5-11.1": WRONG, "rtx1.4-rtx1.5": WRONG},
    ),
    "cubic of opset 20": (
        lambda: sampled("cubic", 20),
        {"7.0-8.4": "refused", "8.5-11.1": WRONG, "rtx1.4-rtx1.5": WRONG},
    ),
    "no mode at opset 20": (lambda: sampled(None, 20), {"7.0-8.4": "refused", "8.5-9.3": OPEN}),
    "bilinear of opset 16": (lambda: sampled("bilinear", 16), {"7.0-8.4": "refused"}),
    "suppression": (lambda: one("NonMaxSuppression", [np.ones((1, 1, 4), np.float32)], opset=11),
                    {"7.0-7.2": "refused"}),
    "Einsum": (lambda: one("Einsum", [np.ones((4, 4), np.float32)], opset=12, equation="ij,jk->ik"),
               {"7.0-8.0": "refused"}),
    "ScatterND": (lambda: one("ScatterND", [[[0]], [1.0]], opset=11), {"7.0-8.0": "refused"}),
    "sizes, linear and asymmetric": (
        lambda: one("Resize", [None, None, np.array([1, 4, 16, 16])], opset=11, **SIZED),
        {"7.0-7.2": "refused"},
    ),
    "scales, linear and half_pixel": (lambda: resize(**HALF), {"7.0": "refused"}),
    "padding with another value": (
        lambda: one("Pad", [BORDER, np.float32(1)], opset=11), {"7.0-8.0": "refused"}
    ),
    "padding of three axes": (
        lambda: fed("Pad", "FLOAT", 1, 4, 8, more=[LINE], opset=11), {"7.0": "refused"}
    ),
    "no zero point": (lambda: one("QuantizeLinear", [np.float32(0.1)], opset=10), {"7.0-8.5": "refused"}),
}  # fmt: skip
"""Name -> a model, and the verdicts on it by releases; what is not named takes it without a word."""


def verdicts(model: ModelProto) -> dict[str, str]:
    """The verdict of every release, by version, ``rtx1.7`` for TensorRT-RTX."""
    answers = ask(inspect(model), releases(), gpu=True)
    return {answer.release.label.removeprefix("trt"): answer.verdict for answer in answers}


def expected(spans: Mapping[str, str]) -> dict[str, str]:
    """The same from a row, whose spans are first to last label."""
    labels = [row.label.removeprefix("trt") for row in releases()]
    found = dict.fromkeys(labels, "taken")
    for span, verdict in spans.items():
        first, _, last = span.partition("-")
        for label in labels[labels.index(first) : labels.index(last or first) + 1]:
            found[label] = verdict
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_release_gives_the_reported_answer(name: str) -> None:
    """Refused, wrong, undocumented or taken, from TensorRT 7.0 to 11.5 and TensorRT-RTX 1.4 to 1.7."""
    make, spans = CASES[name]
    assert verdicts(make()) == expected(spans)


def answer(model: ModelProto, label: str) -> Answer:
    """Return what one release says."""
    return ask(inspect(model), [row for row in releases() if row.label == label], gpu=True)[0]


@pytest.mark.parametrize(
    ("make", "label", "remedy"),
    [
        (padded_by_constants, "trt7.0", "fold constants"),
        (lambda: scaled("shape"), "trt7.2", "fold constants"),
        (axes_as_inputs, "trt7.2", "convert at opset 12"),
        (compared, "trt8.4", "cast it to INT32"),
        (lambda: sampled("linear", 20), "trt10.1", "leave mode out"),
        (lambda: one("Relu", opset=12), "trt7.1", "convert at opset 11"),
    ],
)
def test_the_remedy_is_one_that_helps(make: Callable[[], ModelProto], label: str, remedy: str) -> None:
    """Folding, another opset or a cast, as the reports found; opset 10 is none for computed scales."""
    (first, *_) = answer(make(), label).reasons
    assert remedy in first.remedy
    assert "opset 10" not in first.remedy
