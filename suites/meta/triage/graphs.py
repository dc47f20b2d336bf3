"""Small graphs for triage, and runtimes that compute one tensor of them wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.triage import scale_output
from fixtures.metrics.parity import Tensors
from fixtures.triage.graph import MADE, Graph
from fixtures.triage.runs import InOnnxRuntime, Run
from fixtures.triage.search import Question

HERE = Path()
LIMIT = 1e-4
WIDTH = 6
FEED = {"x": np.random.default_rng(1).standard_normal((2, WIDTH)).astype(np.float32)}


def model(
    nodes: Sequence[onnx.NodeProto], outputs: Sequence[str], weights: Tensors | None = None
) -> onnx.ModelProto:
    """Make a model of the input x (2, 6) whose outputs have no type said."""
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, WIDTH])],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def chain(count: int) -> onnx.ModelProto:
    """Make so many nodes, each of the one before, every fourth one of an earlier one, too."""
    weight = np.linalg.qr(np.random.default_rng(2).standard_normal((WIDTH, WIDTH)))[0].astype(np.float32)
    nodes, last = list[onnx.NodeProto](), "x"
    for number in range(count):
        operator = ("MatMul", "Neg", "LeakyRelu", "Add")[number % 4]
        inputs = {"MatMul": [last, "w"], "Add": [last, f"t{number - 2}"]}.get(operator, [last])
        slope: dict[str, Any] = {"alpha": 0.8} if operator == "LeakyRelu" else {}
        last = f"t{number}"
        nodes.append(helper.make_node(operator, inputs, [last], f"n{number}", **slope))
    return model(nodes, [last], {"w": np.float32(0.53) * weight})


def right(graph: Graph) -> dict[str, np.ndarray]:
    """Return the value of every tensor of a graph."""
    return InOnnxRuntime(graph.folder)(graph.part(FEED, graph.variables), FEED)


def question(
    sound: onnx.ModelProto, suspect: onnx.ModelProto | None = None, run: Run | None = None
) -> Question:
    """Hold a graph, or a runtime, against a sound one."""
    graph = Graph(suspect or sound, HERE)
    return Question(graph, run or InOnnxRuntime(HERE), FEED, right(Graph(sound, HERE)), LIMIT)


def spoilt(sound: onnx.ModelProto, *errors: tuple[str, float]) -> onnx.ModelProto:
    """Return a copy in which some tensors are too large by a factor each."""
    copy = onnx.ModelProto.FromString(sound.SerializeToString())
    for tensor, factor in errors:
        scale_output(copy, tensor, TensorProto.FLOAT, factor)
    return copy


class Fusing:
    """A runtime that computes a tensor wrong where nobody sees the one before it. calls: how often it ran."""

    def __init__(self, hidden: str, wrong: str) -> None:
        self.hidden, self.wrong, self.calls = hidden, wrong, 0

    def __call__(self, part: onnx.ModelProto, values: Tensors) -> dict[str, np.ndarray]:
        """Run ONNX Runtime on what it makes of the model."""
        self.calls += 1
        made = {name for node in part.graph.node for name in node.output}
        seen = {value.name.removesuffix(MADE) for value in part.graph.output}
        if self.hidden in made - seen and self.wrong in made:
            part = spoilt(part, (self.wrong, 1.5))
        return InOnnxRuntime(HERE)(part, values)
