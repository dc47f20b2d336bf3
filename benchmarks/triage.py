"""How often triage names the right layer: ``python -m benchmarks.triage [--net NAME] [--hop HOP]``.

An error is planted into one layer after the other, in each hop, of networks of each framework; those that
leave the outputs within what is allowed are passed over, since no cell is red by them. Printed are, of each
network and hop, how many errors were seen, of how many the right layer was named, and the most runs that one
took. Exit code 1 where it was fewer than 95 in 100 of all, or one took more runs than `runs_for` says.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fixtures.pipeline.pipeline import Pipeline
from fixtures.store.artifacts import ArtifactStore
from fixtures.triage.graph import MADE, Graph
from fixtures.triage.origins import origins_of
from fixtures.triage.runs import Counter, InOnnxRuntime, Run, apart
from fixtures.triage.search import Answer, Question, find
from fixtures.triage.sources import right_values, values_of
from fixtures.triage.subject import PRECISIONS, runs_for
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.model import ReferenceModel
from reference_models.pytorch.yolov5_layers import Architecture
from reference_models.pytorch.yolov5_rows import Row, make

GOAL = 0.95
"""The share of errors whose layer is named."""
OPSET, ANCHOR = 13, 10
SOUND = "::sound"
LIMITS = {"source": 2e-5, "opset": 1e-6, "fp16": 2e-2, "int8": 5e-2, "engine": 2e-4, "fused engine": 2e-4}
"""Hop -> relative L2 that is allowed, as in tolerances.toml and budgets.toml."""
SIZES = (0.003, 0.01, 0.1, 0.5)
"""How wrong a layer is made, in turn: its output too large by it, or half of its weights by five times it."""
SMALL = Row("yolov5n-64", Architecture("n"), 64)
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
NETS = ("digits", "lenet", "digits-yolov3-tiny", "gender-age", "yolov5n-64")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each network and hop, then the total; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.triage", description=__doc__)
    parser.add_argument("--net", action="append", choices=NETS, help="repeat it for several; default: all")
    parser.add_argument("--hop", action="append", choices=LIMITS, help="repeat it for several; default: all")
    parser.add_argument(
        "--each", type=int, help="errors of a network and hop, drawn at random; default: one a layer"
    )
    parser.add_argument("--artifacts", type=Path, help="artifact store; default: one that is thrown away")
    options = parser.parse_args(arguments)
    total = Score()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(pipeline(options.artifacts or Path(folder)))
        for net in options.net or NETS:
            for hop in options.hop or LIMITS:
                score = bench.score(net, hop, options.each)
                total.add(score)
                print(f"{net:<20}{hop:<14}{score}", *score.wrong, sep="\n    ", flush=True)
    good = total.share >= GOAL and not total.beyond
    print(f"{'all':<34}{total}\ngoal: at least {GOAL:.0%} named: {'met' if good else 'MISSED'}")
    return int(not good)


def pipeline(artifacts: Path) -> Pipeline:
    """Return the pipeline of the networks over a store."""
    small = make(SMALL)
    return Pipeline(ArtifactStore(artifacts), {**registry.models(), small.name: small})


@dataclass
class Score:
    """planted: errors tried; seen: those that the outputs show; named: those whose layer was named."""

    planted: int = 0
    seen: int = 0
    named: int = 0
    most_runs: int = 0
    beyond: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Take the counts of another one."""
        for name in ("planted", "seen", "named", "beyond"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_runs = max(self.most_runs, other.most_runs)

    @property
    def share(self) -> float:
        """The share of the errors seen whose layer was named."""
        return self.named / self.seen if self.seen else 1.0

    def __str__(self) -> str:
        return (
            f"{self.named:>4} of {self.seen:>4} named ({self.share:.1%}), {self.planted} planted, "
            f"at most {self.most_runs} runs"
        )


@dataclass(frozen=True)
class Plant:
    """An error: the graph that has it, or the runtime that makes it, and the layers that may be named."""

    where: str
    graph: Graph
    run: Run
    layers: frozenset[str]


class Bench:
    """Plants errors into the networks of a pipeline, and asks triage about them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    def score(self, net: str, hop: str, each: int | None = None, seed: int = 0) -> Score:
        """Plant one error after the other in a network and hop. each: so many, drawn at random."""
        clean, right, feed = self.question(net, hop)
        plants = {"int8": quantized_plants, "engine": engine_plants, "fused engine": fused_plants}
        found = list(plants.get(hop, graph_plants)(clean, hop))
        if each is not None:
            found = random.Random(seed).sample(found, min(each, len(found)))  # noqa: S311
        outputs = InOnnxRuntime(clean.folder)(clean.part(feed, clean.outputs), feed)
        usual = max(apart(right[name], value) for name, value in outputs.items())
        limit = max(LIMITS[hop], 2 * usual)
        score = Score()
        for plant in found:
            _ask(plant, Question(plant.graph, plant.run, feed, dict(right), limit, hop in PRECISIONS), score)
        return score

    def question(
        self, net: str, hop: str
    ) -> tuple[Graph, Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
        """Return the clean graph under suspicion, the right values of its tensors, and the sample."""
        model = self.pipeline.models[net]
        converter, feed = model.converters[0], self.pipeline.samples(net).inputs[0]
        onnx_model = self.pipeline.onnx_model(net, converter, OPSET)
        graph = Graph.load(onnx_model.path)
        if hop == "source":
            return graph, right_values(model.framework, self.pipeline.source_network(net), graph, feed), feed
        if hop == "opset":
            exact = Graph.load(self.pipeline.onnx_model(net, converter, ANCHOR).path)
            return graph, values_of(exact, graph, feed), feed
        suspect = graph
        if hop == "fp16":
            suspect = Graph.load(self.pipeline.to_fp16(onnx_model).path)
        if hop == "int8":
            suspect = Graph.load(self._quantized(model, onnx_model.path))
        return suspect, values_of(graph, suspect, feed), feed

    def _quantized(self, model: ReferenceModel, path: Path) -> Path:
        """Return the Q/DQ form, calibrated on the samples where the model has no data set."""
        from fixtures.quantization import qdq

        target = self.pipeline.store.root / f"{model.name}.qdq.onnx"
        if not target.exists():
            qdq.quantize(path, target, self.pipeline.samples(model.name).inputs, per_channel=True)
        return target


def _ask(plant: Plant, question: Question, score: Score) -> None:
    """Ask triage about an error, if the outputs show it, and count what it says."""
    score.planted += 1
    graph, feed = question.graph, question.feed
    try:
        outputs = question.run(graph.part(feed, graph.outputs), feed)
    except StageError as error:
        score.wrong.append(f"{plant.where}: cannot be planted: {error}")
        return
    if max(apart(question.reference[name], value) for name, value in outputs.items()) <= question.limit:
        return
    counter = Counter(runs_for(graph))
    counter.spend("right values")
    answer = find(question, counter)
    score.seen += 1
    score.most_runs = max(score.most_runs, len(counter.done))
    score.beyond += "runs are spent" in answer.note
    named = layers_of(graph, answer)
    if named & plant.layers:
        score.named += 1
    else:
        score.wrong.append(
            f"{plant.where}: named {answer.tensor or 'nothing'} ({answer.proof}), {sorted(named)}"
        )


def layers_of(graph: Graph, answer: Answer) -> set[str]:
    """Return the first of the guilty layers as the source names it, and its tensor."""
    first = origins_of(graph.nodes[number] for number in reversed(answer.nodes))[:1]
    return {answer.tensor, *(origin.layer for origin in first)} - {""}


def names_of(graph: Graph, numbers: Sequence[int]) -> frozenset[str]:
    """Return what may be named for an error in some nodes."""
    nodes = [graph.nodes[number] for number in numbers]
    tensors = {name for node in nodes for name in node.output}
    return frozenset({*tensors, *(origin.layer for origin in origins_of(nodes))})


def floats(graph: Graph) -> Iterator[tuple[int, str, int]]:
    """Yield the number of each node that makes a floating-point variable, that tensor, and its type."""
    inferred = onnx.shape_inference.infer_shapes(graph.model).graph
    kinds = {v.name: v.type.tensor_type.elem_type for v in (*inferred.value_info, *inferred.output)}
    for name in graph.variables:
        if kinds.get(name) in FLOATS:
            yield graph.makers[name], name, kinds[name]


def graph_plants(graph: Graph, hop: str) -> Iterator[Plant]:
    """Yield the graph with an error in one node each: in its weights if it has any, else in its output."""
    for (number, tensor, kind), size in zip(floats(graph), cycle(SIZES), strict=False):
        node = graph.nodes[number]
        if node.op_type == "Cast":
            continue
        model = onnx.ModelProto()
        model.CopyFrom(graph.model)
        if not spoil_weights(model, node, 1 + 5 * size):
            scale_output(model, tensor, kind, 1 + size)
        yield _planted(f"{hop} {node.op_type} {tensor}", graph, model, [number])


def quantized_plants(graph: Graph, hop: str) -> Iterator[Plant]:
    """Yield the graph with a wrong scale of one Q/DQ pair each: its readers are to be named."""
    for node in graph.nodes:
        if node.op_type != "DequantizeLinear":
            continue
        model = onnx.ModelProto()
        model.CopyFrom(graph.model)
        (scale,) = (tensor for tensor in model.graph.initializer if tensor.name == node.input[1])
        wrong = numpy_helper.to_array(scale) * np.float32(6 if node.input[0] in graph.makers else 1.5)
        scale.CopyFrom(numpy_helper.from_array(wrong.astype(np.float32), scale.name))
        readers = [
            number
            for number, reader in enumerate(graph.nodes)
            for name in reader.input
            if any(name in other.output for other in graph.nodes if other.input[1:2] == node.input[1:2])
            and reader.op_type not in ("QuantizeLinear", "DequantizeLinear")
        ]
        yield _planted(f"{hop} {node.output[0]}", graph, model, readers)


def _planted(where: str, graph: Graph, model: onnx.ModelProto, numbers: Sequence[int]) -> Plant:
    return Plant(
        where,
        Graph(model, graph.folder),
        InOnnxRuntime(graph.folder, rounding=where.startswith("fp16")),
        names_of(graph, numbers),
    )


def engine_plants(graph: Graph, hop: str) -> Iterator[Plant]:
    """Yield a runtime each that computes one tensor wrong, in whatever part of the graph it is in."""
    for (number, tensor, kind), size in zip(floats(graph), cycle(SIZES), strict=False):
        run = _wrong_in(InOnnxRuntime(graph.folder), tensor, (kind, size), lambda _model: True)
        yield Plant(f"{hop} {tensor}", graph, run, names_of(graph, [number]))


def fused_plants(graph: Graph, hop: str) -> Iterator[Plant]:
    """Yield a runtime each that fuses a node with its only reader, and computes both wrong then.

    Where the tensor between them is an output, they cannot be fused, and all is right.
    """
    for (number, tensor, kind), size in zip(floats(graph), cycle(SIZES), strict=False):
        readers = [i for i, node in enumerate(graph.nodes) if tensor in node.input]
        if len(readers) != 1 or tensor in graph.outputs:
            continue

        def fuses(model: onnx.ModelProto, tensor: str = tensor) -> bool:
            read = any(tensor in node.input for node in model.graph.node)
            return read and all(value.name != tensor for value in model.graph.output)

        run = _wrong_in(InOnnxRuntime(graph.folder), tensor, (kind, size), fuses)
        yield Plant(f"{hop} {tensor}", graph, run, names_of(graph, [number, *readers]))


def _wrong_in(run: Run, tensor: str, how: tuple[int, float], when: Callable[[onnx.ModelProto], bool]) -> Run:
    def wrong(model: onnx.ModelProto, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        if when(model):
            for name in (tensor, tensor + MADE):
                if any(name in node.output for node in model.graph.node):
                    scale_output(model, name, how[0], 1 + how[1])
        return run(model, values)

    return wrong


def spoil_weights(model: onnx.ModelProto, node: onnx.NodeProto, factor: float) -> bool:
    """Multiply half of the weights of a node; return whether it has any."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for name in node.input[1:2]:
        tensor = constants.get(name)
        if tensor is None or tensor.data_type not in FLOATS or len(tensor.dims) < 2:
            continue
        weights = numpy_helper.to_array(tensor).copy()
        half = np.random.default_rng(len(name)).random(weights.shape) < 0.5
        weights[half] *= weights.dtype.type(factor)
        spoilt = name + "::spoilt"
        model.graph.initializer.append(numpy_helper.from_array(weights, spoilt))
        (own,) = (other for other in model.graph.node if other.output == node.output)
        own.input[1] = spoilt
        return True
    return False


def scale_output(model: onnx.ModelProto, tensor: str, kind: int, factor: float) -> None:
    """Multiply a tensor by a factor behind the node that makes it."""
    number, node = next((i, node) for i, node in enumerate(model.graph.node) if tensor in node.output)
    node.output[[*node.output].index(tensor)] = tensor + SOUND
    by = numpy_helper.from_array(np.array(factor, helper.tensor_dtype_to_np_dtype(kind)), tensor + "::by")
    model.graph.initializer.append(by)
    wrong = helper.make_node("Mul", [tensor + SOUND, by.name], [tensor], node.name)
    wrong.doc_string = node.doc_string  # as the name: it is of the same layer
    wrong.metadata_props.extend(node.metadata_props)
    node.name = node.name and node.name + SOUND
    model.graph.node.insert(number + 1, wrong)


if __name__ == "__main__":
    sys.exit(main())
