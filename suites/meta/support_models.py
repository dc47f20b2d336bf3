"""Models of one node, for tests of the support tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper


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
