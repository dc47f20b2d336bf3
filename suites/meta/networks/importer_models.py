"""Models of situations of `importer_cases`: one node each, or a pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility.specimens.sketch import Sketch

F = np.float32
IMAGE, SIGNAL = (1, 4, 8, 8), (1, 128, 1)
MICROSOFT = "com.microsoft"
Fed = tuple[str, tuple[int | str, ...]]
"""The type and the shape of an input."""


def made(
    operator: str,
    inputs: Sequence[Fed],
    constants: Sequence[Any] = (),
    *,
    opset: int,
    domain: str = "",
    **attributes: Any,
) -> ModelProto:
    """Make a model of one node of fed inputs, which constants follow. None leaves one out."""
    sketch = Sketch(opset)
    names = [sketch.feed(type_, *shape) for type_, shape in inputs]
    names += ["" if value is None else sketch.constant(value) for value in constants]
    if not domain:
        sketch.end(operator, *names, **attributes)
        return sketch.model()
    sketch.outputs = [sketch.add(operator, *names, domain=domain, **attributes)]
    sketch.output_type, sketch.output_rank = "FLOAT", len(inputs[0][1])
    return sketch.model()


def attention(
    type_: str = "FLOAT16", heads: int = 2, queries: int = 8, keys: int = 8, size: int = 16, **rest: Any
) -> ModelProto:
    """Make a model of one Attention of four axes; two heads of keys."""
    query, key = (1, heads, queries, size), (1, 2, keys, size)
    more = rest.pop("more", ())
    inputs = [(type_, query), (type_, key), (type_, key), *more]
    return made("Attention", inputs, opset=rest.pop("opset", 23), **rest)


def cached() -> ModelProto:
    """Make a model of one Attention of a cache."""
    past = ("FLOAT16", (1, 2, 8, 16))
    return attention(more=[("BOOL", (8, 16)), past, past], outputs=3)


def padded() -> ModelProto:
    """Make a model of one Attention that is told how long its keys are."""
    sketch = Sketch(24)
    three = [sketch.feed("FLOAT16", 1, 2, 8, 16) for _ in range(3)]
    sketch.end("Attention", *three, "", "", "", sketch.feed("INT64", 1))
    return sketch.model()


def scattered(*shape: int, **attributes: Any) -> ModelProto:
    """Make a model of one TensorScatter."""
    update = (*shape[:-2], 1, shape[-1]) if attributes.get("axis", -2) == -2 else (shape[0], 1, *shape[2:])
    inputs = [("FLOAT", shape), ("FLOAT", update), ("INT64", shape[:1])]
    return made("TensorScatter", inputs, opset=24, **attributes)


def quantized(zero: Any = None, opset: int = 13, **attributes: Any) -> ModelProto:
    """Make a Q/DQ pair with a zero point of a type, or without one, and a Relu behind it."""
    sketch = Sketch(opset)
    x, scale = sketch.feed("FLOAT", *IMAGE), sketch.constant(F(0.1))
    around = [sketch.constant(np.zeros(()), zero)] if zero else []
    low = sketch.add("QuantizeLinear", x, scale, *around, **attributes)
    sketch.end("Relu", sketch.add("DequantizeLinear", low, scale, *around))
    return sketch.model()


def channels(*shape: int, count: int, **attributes: Any) -> ModelProto:
    """Make a Q/DQ pair of so many scales, and a Relu behind it."""
    sketch = Sketch(13)
    x, scale = sketch.feed("FLOAT", *shape), sketch.constant(np.linspace(0.1, 0.5, count, dtype=F))
    zero = sketch.constant(np.zeros(count), "INT8")
    low = sketch.add("QuantizeLinear", x, scale, zero, **attributes)
    sketch.end("Relu", sketch.add("DequantizeLinear", low, scale, zero, **attributes))
    return sketch.model()


def shifted_by_input() -> ModelProto:
    """Make a QuantizeLinear whose zero point is fed."""
    sketch = Sketch(13)
    x, zero = sketch.feed("FLOAT", 4, 6), sketch.feed("INT8")
    scale = sketch.constant(F(0.1))
    sketch.end("DequantizeLinear", sketch.add("QuantizeLinear", x, scale, zero), scale, zero)
    return sketch.model()


def grouped_deconvolution(groups: int) -> ModelProto:
    """Make a ConvTranspose of groups, whose input and weights are quantized."""
    sketch = Sketch(13)
    scale, zero = sketch.constant(F(0.1)), sketch.constant(np.zeros(()), "INT8")
    low = sketch.add("QuantizeLinear", sketch.feed("FLOAT", 1, 8, 8, 8), scale, zero)
    weights = sketch.constant(np.ones((8, 4, 3, 3)), "INT8")
    parts = [sketch.add("DequantizeLinear", one, scale, zero) for one in (low, weights)]
    sketch.end("ConvTranspose", *parts, group=groups, kernel_shape=[3, 3])
    return sketch.model()


def digits(rows: int, columns: int) -> np.ndarray:
    """Make whole numbers from -8 to 7."""
    return np.arange(rows * columns).reshape(rows, columns) % 16 - 8


def blocks(rows: int, columns: int, size: int, type_: str = "INT4") -> ModelProto:
    """Make weights of so many rows and columns, a scale for each so many rows, and a product with them."""
    sketch = Sketch(21)
    x, weights = sketch.feed("FLOAT", 4, rows), sketch.constant(digits(rows, columns), type_)
    scales = sketch.constant(0.1 + np.arange(-(-rows // size) * columns, dtype=F).reshape(-1, columns))
    plain = sketch.add("DequantizeLinear", weights, scales, axis=0, block_size=size)
    sketch.end("MatMul", x, plain)
    return sketch.model()


def columns(type_: str, count: int) -> ModelProto:
    """Make weights of so many columns with one scale, and a sum with them."""
    sketch = Sketch(21)
    x, weights = sketch.feed("FLOAT", 3, count), sketch.constant(digits(3, count), type_)
    sketch.end("Add", x, sketch.add("DequantizeLinear", weights, sketch.constant(F(0.1))))
    return sketch.model()


def sliced(*, axes: bool, steps: bool, opset: int = 13) -> ModelProto:
    """Make a Slice of the first of two axes by bounds of INT32."""
    bounds = [np.array([n], np.int32) for n in (0, 4)]
    bounds += [np.array([0], np.int32)] * axes + [np.array([1], np.int32)] * steps
    return made("Slice", [("FLOAT", (8, 4))], bounds, opset=opset)


def called(given: int) -> ModelProto:
    """Make a model that calls a function of its own of two inputs, the second of which may be left out."""
    body = [helper.make_node("Relu", ["a"], ["c"])]
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    function = helper.make_function("own", "Own", ["a", "b"], ["c"], body, imports[:1])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
    node = helper.make_node("Own", ["x"] * given, ["y"], name="node", domain="own")
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    return helper.make_model(graph, opset_imports=imports, functions=[function], ir_version=8)


def instances(length: int, *, computed: bool) -> ModelProto:
    """Make an InstanceNormalization of so many axes by constants, or by what is computed of them."""
    sketch = Sketch(11)
    x, one = sketch.feed("FLOAT", *(1, 4, 4, 4, 4, 4)[:length]), sketch.constant(np.ones(4, F))
    scale = sketch.add("Add", one, one) if computed else one
    sketch.end("InstanceNormalization", x, scale, one)
    return sketch.model()


def layers(
    image: str, *types: str, operator: str = "LayerNormalization", opset: int = 17, **attributes: Any
) -> ModelProto:
    """Make a normalization of an image of one type, whose scale and bias are of others."""
    sketch = Sketch(opset)
    x, length = sketch.feed(image, 2, 4, 8), 8 if operator == "LayerNormalization" else 4
    sketch.end(operator, x, *(sketch.ones(kind, length) for kind in types), **attributes)
    return sketch.model()


def cast_to(type_: int) -> ModelProto:
    """Make a cast to a type and back."""
    sketch = Sketch(19)
    sketch.end("Cast", sketch.add("Cast", sketch.feed("FLOAT", 4), to=type_), to=TensorProto.FLOAT)
    return sketch.model()


def named_axes(*, fed_scales: bool) -> ModelProto:
    """Make a Resize of the last two of four axes by scales that are fed, or by sizes."""
    sketch = Sketch(18)
    x = sketch.feed("FLOAT", *IMAGE)
    scales = sketch.feed("FLOAT", 2) if fed_scales else ""
    sizes = "" if fed_scales else sketch.constant(np.array([16, 16]))
    sketch.end("Resize", x, "", scales, sizes, axes=[2, 3], type_="FLOAT", rank=4)
    return sketch.model()


def parted(second: str) -> ModelProto:
    """Make a Split into two, of which the second has a name or none."""
    sketch = Sketch(13)
    node = helper.make_node("Split", [sketch.feed("FLOAT", 4)], ["a", second], name="node")
    sketch.nodes, sketch.outputs = [node], ["a"]
    return sketch.model()


def layered(operator: str, gates: int) -> ModelProto:
    """Make a recurrent layer whose batch stands first."""
    weights = [np.ones((1, gates * 3, n), F) for n in (4, 3)]
    return made(operator, [("FLOAT", (2, 5, 4))], weights, opset=14, hidden_size=3, layout=1)


def regions(**attributes: Any) -> ModelProto:
    """Make a RoiAlign of two regions."""
    boxes = np.array([[0, 0, 4, 4], [1, 2, 7, 6]], F)
    constants = [boxes, np.zeros(2, np.int64)]
    return made(
        "RoiAlign", [("FLOAT", IMAGE)], constants, opset=16, output_height=2, output_width=2, **attributes
    )


def clipped_sum(least: float, greatest: float | None) -> ModelProto:
    """Make a product with weights, a bias, and a Clip."""
    sketch = Sketch(11)
    product = sketch.add("MatMul", sketch.feed("FLOAT", 2, 3), sketch.constant(np.ones((3, 4), F)))
    bounds = [sketch.constant(F(one)) for one in (least, greatest) if one is not None]
    sketch.end("Clip", sketch.add("Add", product, sketch.constant(np.ones(4, F))), *bounds)
    return sketch.model()
