"""Refusals by the type, the rank or the origin of a tensor: each names its node and takes the neighbour."""

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility import Caution, by_label, cautions, inspect, refusals
from fixtures.compatibility.check.measured import RULES, rows
from fixtures.compatibility.check.tensors import BY_TYPE
from fixtures.compatibility.specimens.quantized import weights
from fixtures.compatibility.specimens.sketch import Sketch
from suites.meta.networks.support_models import fed


def sized(how: str) -> ModelProto:
    """A Reshape whose shape is given in some way."""
    sketch = Sketch(13)
    x = sketch.feed("FLOAT", 4, 8)
    sketch.end("Reshape", x, sketch.given(np.array([-1]), how))
    return sketch.model()


def squeezed(how: str) -> ModelProto:
    """An Unsqueeze whose axis is given in some way."""
    sketch = Sketch(13)
    sketch.end("Unsqueeze", sketch.feed("FLOAT", 4, 8), sketch.given(np.array([0]), how), rank=3)
    return sketch.model()


def summed(how: str) -> ModelProto:
    """A CumSum whose axis is given in some way."""
    sketch = Sketch(14)
    sketch.end("CumSum", sketch.feed("FLOAT", 4, 8), sketch.given(np.array([0]), how))
    return sketch.model()


def added(type_: str, *, constant: bool) -> ModelProto:
    """An Add whose second input is constant or fed."""
    sketch = Sketch(14)
    x = sketch.feed(type_, 4)
    sketch.end("Add", x, sketch.ones(type_, 4) if constant else sketch.feed(type_, 4))
    return sketch.model()


def scaled_size() -> ModelProto:
    """A Resize to a size that is the shape of the input, as a float, times two: what exporters write."""
    sketch = Sketch(13)
    x = sketch.feed("FLOAT", 1, 4, 8, 8)
    shape = sketch.add("Cast", sketch.add("Shape", x), to=TensorProto.FLOAT)
    twice = sketch.add("Mul", shape, sketch.constant(np.array([1, 1, 2, 2], np.float32)))
    sketch.end("Resize", x, "", "", sketch.add("Cast", sketch.add("Floor", twice), to=TensorProto.INT64))
    return sketch.model()


def decided(operator: str, *, truth: bool) -> ModelProto:
    """A comparison joined with one constant truth value that is broadcast."""
    sketch = Sketch(13)
    less = sketch.add("Less", sketch.feed("FLOAT", 3, 2), sketch.feed("FLOAT", 3, 2))
    sketch.end("Cast", sketch.add(operator, less, sketch.constant(np.array(truth))), to=TensorProto.FLOAT)
    return sketch.model()


def product(low: str, scales: int, operator: str = "Conv") -> ModelProto:
    """A product of an INT8 tensor and weights quantized to a type, by one scale or one a channel."""
    sketch = Sketch(21)
    weights(sketch, low, 0, scales > 1, operator, True, "FLOAT")
    return sketch.model()


def held(type_: str) -> ModelProto:
    """A Cast of weights of a type, added to the input."""
    sketch = Sketch(11)
    x = sketch.feed("FLOAT", 4)
    sketch.end("Add", x, sketch.add("Cast", sketch.ones(type_, 4), to=TensorProto.FLOAT))
    return sketch.model()


def convolved(operator: str, axis: int | None, *, data: bool) -> ModelProto:
    """A convolution of 8 channels to 5, with scales of its weights along an axis; data: a quantized input."""
    sketch = Sketch(13)
    x = sketch.feed("FLOAT", 1, 8, 8, 8)
    if data:
        scale, zero = sketch.constant(0.1, "FLOAT"), sketch.constant(0, "INT8")
        x = sketch.add("DequantizeLinear", sketch.add("QuantizeLinear", x, scale, zero), scale, zero)
    shape = (8, 5, 3, 3) if operator == "ConvTranspose" else (5, 8, 3, 3)
    count = () if axis is None else (shape[axis],)
    weights = sketch.constant(np.ones(shape), "INT8")
    scales, zeros = sketch.constant(np.full(count, 0.1), "FLOAT"), sketch.constant(np.zeros(count), "INT8")
    sketch.end(operator, x, sketch.add("DequantizeLinear", weights, scales, zeros, axis=axis))
    return sketch.model()


@pytest.mark.parametrize(
    ("operator", "axis", "refused"),
    [("Conv", None, True), ("Conv", 0, True), ("Conv", -4, True), ("Conv", 1, False),
     ("ConvTranspose", None, True), ("ConvTranspose", 1, True), ("ConvTranspose", 0, False)],
)  # fmt: skip
@pytest.mark.parametrize("version", ["1.5", "1.6"])
def test_a_convolution_of_quantized_input_and_weights(
    operator: str, axis: int | None, refused: bool, version: str
) -> None:
    """What 1.5 and 1.6 build is taken: weights alone, and scales along the input channels; 1.7 builds all."""
    both, alone = (convolved(operator, axis, data=data) for data in (True, False))
    assert bool(refusals(both, "tensorrt-rtx", version, gpu=False)) == refused
    assert refusals(alone, "tensorrt-rtx", version, gpu=False) == []
    assert refusals(both, "tensorrt-rtx", "1.7", gpu=False) == []


def expanded(how: str) -> ModelProto:
    """Make an Expand to a shape that is found in the data, or a shape."""
    sketch = Sketch(13)
    sketch.end("Expand", sketch.feed("FLOAT", 1), sketch.given(np.array([4]), how))
    return sketch.model()


ROWS: list[tuple[str, ModelProto, ModelProto]] = [
    ("absent_type", fed("Identity", "INT16", 4), fed("Identity", "INT64", 4)),
    ("absent_type", added("UINT64", constant=False), added("INT64", constant=False)),
    ("byte_type", fed("Transpose", "UINT8", 4, 4), fed("Identity", "UINT8", 4, 4)),
    ("byte_type", fed("Cast", "FLOAT", 4, to=TensorProto.UINT8, ends=False),
     fed("Cast", "FLOAT", 4, to=TensorProto.UINT8)),
    ("packed_type", fed("Cast", "FLOAT", 4, opset=21, to=TensorProto.INT4),
     fed("Cast", "FLOAT", 4, opset=21, to=TensorProto.INT32)),
    ("quantized_constant", added("INT8", constant=True), added("INT32", constant=True)),
    ("many_axes", fed("Relu", "FLOAT", *[1] * 9), fed("Relu", "FLOAT", *[1] * 8)),
    ("computed_size", sized("computed"), sized("argmax")),
    ("computed_size", sized("computed"), sized("shape")),
    ("computed_size", sized("computed"), scaled_size()),
    ("mixed_quantization", product("INT4", 1), product("INT4", 1, "ConvTranspose")),
    ("mixed_quantization", product("INT4", 1, "MatMul"), product("INT4", 4, "MatMul")),
    ("mixed_quantization", product("FLOAT8E4M3FN", 4), product("INT8", 4)),
    ("axis_unknown_at_build", squeezed("argmax"), squeezed("shape")),
    ("depth_unknown_at_build", summed("argmax"), summed("shape")),
]  # fmt: skip
"""Rule, a model that it refuses, one that it takes."""


@pytest.mark.parametrize(("rule", "refused", "taken"), ROWS)
def test_a_rule_refuses_and_takes(rule: str, refused: ModelProto, taken: ModelProto) -> None:
    """TensorRT-RTX refuses the one by a row of refusals.toml, with reason and remedy, and takes the other."""
    assert refusals(taken, "tensorrt-rtx", "1.7", gpu=False) == []
    found = refusals(refused, "tensorrt-rtx", "1.7", gpu=False)
    assert found, rule
    assert all(refusal.where.startswith("refusals.toml row") for refusal in found)
    assert all(refusal.node and refusal.why and refusal.remedy for refusal in found)


@pytest.mark.parametrize(
    ("version", "gpu", "count"), [("1.4", False, 1), ("1.4", True, 0), ("1.5", False, 0)]
)
def test_int8_needs_a_gpu_in_1_4_only(version: str, gpu: bool, count: int) -> None:
    """The builder of 1.4 refuses INT8 tensors where no GPU is; nothing is said of it with one, or of 1.5."""
    assert len(refusals(fed("Relu", "INT8", 4, opset=14), "tensorrt-rtx", version, gpu=gpu)) == count


@pytest.mark.parametrize(("flavour", "version"), [("tensorrt", "7.0"), ("tensorrt", "11.5")])
def test_eight_axes_hold_for_every_release(flavour: str, version: str) -> None:
    """TensorRT documents eight axes."""
    (refusal,) = refusals(fed("Relu", "FLOAT", *[1] * 9, opset=11), flavour, version, gpu=True)
    assert refusal.where.endswith("documented")


TENSORRT: list[tuple[str, str, ModelProto, ModelProto]] = [
    ("index_expansion", "8.5", expanded("argmax"), expanded("shape")),
    ("input_type", "8.4", fed("Identity", "UINT8", 4), fed("Identity", "INT32", 4)),
    ("weights_type", "7.0", held("BOOL"), held("INT32")),
    ("weights_type", "7.2", held("UINT8"), held("BOOL")),
    ("byte_cast", "8.5", fed("Cast", "UINT8", 4, to=TensorProto.INT32),
     fed("Cast", "UINT8", 4, to=TensorProto.FLOAT16)),
    ("byte_to_byte", "8.5", fed("Cast", "UINT8", 4, to=TensorProto.UINT8),
     fed("Cast", "UINT8", 4, to=TensorProto.FLOAT)),
    ("int8_without_quantization", "8.5", fed("Relu", "INT8", 4, opset=14), product("INT8", 1, "MatMul")),
    ("absent_type", "8.6", fed("Identity", "BFLOAT16", 4), fed("Identity", "DOUBLE", 4)),
    ("absent_type", "7.2", fed("Identity", "DOUBLE", 4, opset=11), fed("Identity", "INT64", 4, opset=11)),
    ("decided_truth", "11.2", decided("And", truth=False), decided("And", truth=True)),
    ("decided_truth", "11.2", decided("Or", truth=True), decided("Or", truth=False)),
    ("absent_type", "9.3", fed("Identity", "INT16", 4), fed("Identity", "BFLOAT16", 4)),
]  # fmt: skip
"""Rule, TensorRT, a model that it refuses, one that it takes."""


@pytest.mark.parametrize(("rule", "version", "refused", "taken"), TENSORRT)
def test_a_type_is_refused_by_the_releases_that_lack_it(
    rule: str, version: str, refused: ModelProto, taken: ModelProto
) -> None:
    """TensorRT refuses the one by a row of the rule and takes the other."""
    assert refusals(taken, "tensorrt", version, gpu=True) == []
    found = refusals(refused, "tensorrt", version, gpu=True)
    named = {row.where: row.rule for row in rows()}
    assert [named.get(refusal.where) for refusal in found] == [rule]


def test_every_rule_about_tensors_has_an_example() -> None:
    """No rule of tensors.py is without a refused and a taken model, here or in a test of its own."""
    about = {name for name, rule in RULES.items() if rule.__module__.endswith(".tensors")} | set(BY_TYPE)
    examples = {rule for rule, *_ in ROWS} | {rule for rule, *_ in TENSORRT}
    assert about - examples == {"int8_tensor", "index_size", "fed_size", "clamped"}


def test_a_fed_size_wants_a_profile() -> None:
    """A length that an integer input gives is taken with a profile; one of an image needs none."""
    sketch = Sketch(11)
    sketch.end("Expand", sketch.feed("FLOAT", 1), sketch.feed("INT64", 1))
    for label in ("trt7.0", "trt11.5", "rtx1.4", "rtx1.7"):
        assert [caution.kind for caution in cautions_at(label, sketch.model())] == ["profile"], label
    assert cautions_at("rtx1.7", expanded("shape")) == []


def cautions_at(label: str, model: ModelProto) -> list[Caution]:
    """Return what a release takes of a model with a caution."""
    row = by_label(label)
    assert row is not None
    return cautions(inspect(model), row)


def test_86_takes_a_cast_of_bytes_to_bytes() -> None:
    """8.6.0 built and ran it, on an H200."""
    assert [*refusals(fed("Cast", "UINT8", 4, to=TensorProto.UINT8), "tensorrt", "8.6.0", gpu=True)] == []


def test_what_is_not_known_of_a_tensor_is_no_refusal() -> None:
    """A tensor without type or shape, as of an operator that ONNX does not know, is not refused for them."""
    node = [helper.make_node("Blorp", ["x"], ["y"], domain="own"), helper.make_node("Softmax", ["y"], ["z"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xz"]
    imports = [helper.make_opsetid("", 13), helper.make_opsetid("own", 1)]
    model = helper.make_model(helper.make_graph(node, "g", values[:1], values[1:]), opset_imports=imports)
    assert [r.operator for r in refusals(model, "tensorrt-rtx", "1.7", gpu=True)] == ["Blorp"]


@pytest.mark.parametrize("make", [lambda: fed("Relu", "FLOAT", 4), scaled_size, lambda: sized("node")])
def test_a_model_that_cannot_be_inferred_is_still_judged(make: Callable[[], ModelProto]) -> None:
    """Without the import of its operators ONNX infers nothing, and nothing of types is said."""
    model = make()
    model.graph.node.add(op_type="Blorp", domain="nowhere", input=["x"], output=["w"])
    assert [r.operator for r in refusals(model, "tensorrt-rtx", "1.7", gpu=True)] == ["Blorp"]
