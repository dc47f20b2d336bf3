"""Models of one node, for tests of the support tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fixtures.compatibility.specimens.sketch import Sketch


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
    operator: str, type_: str, *shape: int, opset: int = 13, ends: bool = True, **attributes: Any
) -> ModelProto:
    """Make a model of one node whose only input is of a type and shape. ends: False puts a Relu behind it."""
    sketch = Sketch(opset)
    x = sketch.feed(type_, *shape)
    if ends:
        sketch.end(operator, x, **attributes)
    else:
        sketch.end("Relu", sketch.add("Cast", sketch.add(operator, x, **attributes), to=TensorProto.FLOAT))
    return sketch.model()


def filled(type_: int) -> ModelProto:
    """Make a model of one ConstantOfShape of a type."""
    sketch = Sketch(13)
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
