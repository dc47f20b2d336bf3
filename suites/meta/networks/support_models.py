"""Models of one node, for tests of the support tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper

from fixtures.compatibility.specimens.sketch import Sketch, number


def one(
    operator: str,
    constants: Sequence[Any] = (),
    *,
    opset: int = 13,
    outputs: int = 1,
    computed: Sequence[int] = (),
    domain: str = "",
    **attributes: Any,
) -> ModelProto:
    """Make a model of one node. constants: its inputs after x; None leaves one out.

    computed: positions of inputs that another input of the graph gives instead.
    """
    arrays = {f"c{n}": np.asarray(value) for n, value in enumerate(constants, 1) if value is not None}
    names = ["x", *(f"c{n}" if value is not None else "" for n, value in enumerate(constants, 1))]
    fed = [names[position] for position in computed]
    node = helper.make_node(
        operator, names, [f"y{n}" for n in range(outputs)], name="node", domain=domain, **attributes
    )
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", *fed, "y0")]
    initializers = [numpy_helper.from_array(a, name) for name, a in arrays.items() if name not in fed]
    graph = helper.make_graph([node], "g", values[:-1], values[-1:], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def resize(*, opset: int = 11, computed: Sequence[int] = (), **attributes: Any) -> ModelProto:
    """Make a model of one Resize by scales that doubles height and width."""
    scales = np.array([1, 1, 2, 2], np.float32)
    return one("Resize", [scales] if opset < 11 else [None, scales], opset=opset, computed=computed,
               **attributes)  # fmt: skip


def fed(
    operator: str,
    type_: str,
    *shape: int | str,
    opset: int = 13,
    ends: bool = True,
    more: Sequence[Any] = (),
    **attributes: Any,
) -> ModelProto:
    """Make a model of one node whose only fed input is of a type and shape. more: constants that follow it.

    ends: False puts a Relu behind it.
    """
    sketch = Sketch(opset)
    inputs = [sketch.feed(type_, *shape), *map(sketch.constant, more)]
    if ends:
        sketch.end(operator, *inputs, **attributes)
    else:
        made = sketch.add(operator, *inputs, **attributes)
        sketch.end("Relu", sketch.add("Cast", made, to=TensorProto.FLOAT))
    return sketch.model()


def drawn(*, held: bool) -> ModelProto:
    """Make a model that draws numbers, of the shape of an initializer or of its input."""
    sketch = Sketch(13)
    x = sketch.feed("FLOAT", 4, 8)
    like = sketch.constant(np.ones((4, 8), np.float32)) if held else x
    sketch.end("RandomUniformLike", like)
    return sketch.model()


def recurrent(*activations: str) -> ModelProto:
    """Make a model of one RNN in both directions."""
    sketch = Sketch(14)
    weights = [sketch.constant(np.ones((2, 3, n), np.float32)) for n in (4, 3)]
    sketch.end("RNN", sketch.feed("FLOAT", 5, 2, 4), *weights, hidden_size=3, direction="bidirectional",
               activations=list(activations))  # fmt: skip
    return sketch.model()


def reversed_rows(count: int | str) -> ModelProto:
    """Make a model that reverses so many sequences."""
    sketch = Sketch(13)
    sketch.end("ReverseSequence", sketch.feed("FLOAT", 4, count), sketch.feed("INT64", count))
    return sketch.model()


def halves(length: int) -> ModelProto:
    """Make a model that splits so many elements into two parts."""
    node = helper.make_node("Split", ["x"], ["y", "z"], name="node", num_outputs=2)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
              for name, dims in (("x", [length]), ("y", None), ("z", None))]  # fmt: skip
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def scaled(*scales: float, **attributes: Any) -> ModelProto:
    """Make a model of one cubic Resize of four axes: of the last ones, where no others are named."""
    sketch = Sketch(18)
    given = [1.0] * (4 - len(scales)) * (not attributes) + list(scales)
    sketch.end("Resize", sketch.feed("FLOAT", 1, 4, 8, 8), "", sketch.constant(np.array(given, np.float32)),
               mode="cubic", **attributes)  # fmt: skip
    return sketch.model()


def span_of(type_: str, *, computed: bool) -> ModelProto:
    """Make a model of one Range of a type, its limit a constant or the length of the input."""
    sketch = Sketch(11)
    x, kind = sketch.feed("FLOAT", 4, 8), number(type_)
    bounds = [sketch.constant(np.array(n, helper.tensor_dtype_to_np_dtype(kind))) for n in (0, 4, 1)]
    if computed:
        bounds[1] = sketch.add("Cast", sketch.add("Size", x), to=kind)
    sketch.end("Range", *bounds)
    return sketch.model()


def chosen(
    length: int, other: int | None, *, held: bool = False, names: tuple[str, str] = ("a", "b")
) -> ModelProto:
    """Make a model of one If whose branches give a row of a length, and another row, or a number for None.

    held: the condition is a constant; names: what the branches call their output.
    """
    sketch = Sketch(13)
    condition = sketch.constant(np.array(True)) if held else sketch.feed("BOOL")
    graphs: list[GraphProto] = []
    for name, shape in zip(names, ([length], [] if other is None else [other]), strict=True):
        value = numpy_helper.from_array(np.ones(shape, np.float32), f"{name}_{len(graphs)}")
        node = helper.make_node("Identity", [value.name], [name])
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        graphs.append(helper.make_graph([node], f"g{len(graphs)}", [], ends, [value]))
    sketch.end("If", condition, then_branch=graphs[0], else_branch=graphs[1])
    return sketch.model()


def filled(type_: int, opset: int = 13) -> ModelProto:
    """Make a model of one ConstantOfShape of a type."""
    sketch = Sketch(opset)
    sketch.feed("FLOAT", 4)
    value = helper.make_tensor("v", type_, [1], [1])
    sketch.end("ConstantOfShape", sketch.constant(np.array([4])), value=value)
    return sketch.model()


def grid(rank: int) -> ModelProto:
    """Make a model of one GridSample of a tensor of so many axes."""
    sketch = Sketch(20)
    x, points = sketch.feed("FLOAT", *[4] * rank), sketch.ones("FLOAT", *[4] * (rank - 1), rank - 2)
    sketch.end("GridSample", x, points)
    return sketch.model()


def clipped(bound: str) -> ModelProto:
    """Make a model of one Clip of INT8 whose lower bound is fed or constant."""
    sketch = Sketch(13)
    x = sketch.feed("INT8", 4)
    sketch.end("Clip", x, sketch.feed("INT8") if bound == "fed" else sketch.ones("INT8"))
    return sketch.model()
