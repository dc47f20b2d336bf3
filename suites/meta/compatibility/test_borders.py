"""Types at the borders of a model: DOUBLE is FLOAT, UINT8 wants a cast, INT8 wants quantization."""

import pytest
from onnx import ModelProto, TensorProto

from fixtures.compatibility import by_label
from fixtures.compatibility.answers import ask
from fixtures.compatibility.check.inspection import inspect
from fixtures.compatibility.specimens.sketch import Sketch, number
from suites.meta.networks.support_models import fed


def cast_between(*types: str, last: str = "Relu") -> ModelProto:
    """Make a model that casts its FLOAT input through types, and ends in an operator."""
    sketch = Sketch(13)
    name = sketch.feed("FLOAT", 4, 8)
    for one in types:
        name = sketch.add("Cast", name, to=number(one))
    sketch.end(last, name)
    return sketch.model()


def quantized(low: str) -> ModelProto:
    """Make a model of a QuantizeLinear, whose output is the model's."""
    sketch = Sketch(13)
    zero = sketch.constant(0, low)
    sketch.end("QuantizeLinear", sketch.feed("FLOAT", 4, 8), sketch.constant(0.1, "FLOAT"), zero)
    return sketch.model()


def held(operator: str) -> ModelProto:
    """Make a model that gives a constant, or what an operator makes of it."""
    sketch = Sketch(11)
    sketch.feed("FLOAT", 4)
    sketch.end(operator, sketch.ones("FLOAT", 4))
    return sketch.model()


BACK = cast_between("INT8", "FLOAT")


@pytest.mark.parametrize(
    ("model", "label", "verdict"),
    [(fed("Relu", "DOUBLE", 4), "trt8.5", "taken, but wrong"), (fed("Relu", "FLOAT", 4), "trt8.5", "taken"),
     (fed("Cast", "FLOAT", 4, ends=True, to=TensorProto.DOUBLE), "rtx1.7", "taken, but wrong"),
     (cast_between("DOUBLE", "FLOAT"), "trt8.6", "taken"), (fed("Relu", "DOUBLE", 4), "trt7.2", "refused"),
     (BACK, "trt8.5", "refused"), (BACK, "trt8.6", "taken, but wrong"), (BACK, "rtx1.7", "taken"),
     (fed("Identity", "INT8", 4), "trt8.6", "refused"), (cast_between("INT32", "FLOAT"), "trt8.6", "taken"),
     (fed("Cast", "FLOAT", 4, to=TensorProto.INT8), "trt8.5", "refused"),
     (fed("Cast", "FLOAT", 4, to=TensorProto.INT8), "trt8.6", "taken, but wrong"),
     (fed("Cast", "INT8", 4, to=TensorProto.INT8), "trt8.6", "refused"),
     (quantized("UINT8"), "trt8.6", "refused"), (quantized("UINT8"), "rtx1.7", "taken"),
     (quantized("INT8"), "trt8.6", "taken"),
     (fed("Cast", "FLOAT", 4, to=TensorProto.UINT8), "trt8.6", "taken"),
     (held("Identity"), "trt7.1", "refused"), (held("Identity"), "trt7.2", "taken"),
     (held("Neg"), "trt7.0", "taken")],
)  # fmt: skip
def test_the_type_of_a_border_decides(model: ModelProto, label: str, verdict: str) -> None:
    """What a builder refuses or computes otherwise is said; the same type within, or another, is taken."""
    row = by_label(label)
    assert row is not None
    (answer,) = ask(inspect(model), [row], gpu=True)
    assert answer.verdict == verdict, answer.reasons
