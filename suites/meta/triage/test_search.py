"""The search names the tensor that is wrong first, by at most so many runs, whatever the graph is like."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks.triage import scale_output
from fixtures.metrics.parity import Tensors
from fixtures.triage.graph import Graph
from fixtures.triage.runs import Counter, InOnnxRuntime
from fixtures.triage.search import Answer, Question, find
from fixtures.triage.subject import runs_for
from fixtures.verdicts import StageError
from suites.meta.triage.graphs import FEED, HERE, Fusing, chain, model, question, spoilt

CHAIN = chain(12)


def asked(about: Question, most: int | None = None) -> tuple[Answer, Counter]:
    """Search, with the run for the right values counted."""
    counter = Counter(runs_for(about.graph) if most is None else most)
    counter.spend("right values")
    return find(about, counter), counter


@pytest.mark.parametrize("tensor", [f"t{number}" for number in range(12)])
def test_every_node_of_a_graph_is_named_when_it_is_wrong(tensor: str) -> None:
    """By itself and in the graph cut there, with four runs."""
    answer, counter = asked(question(CHAIN, spoilt(CHAIN, (tensor, 1.01))))
    assert (answer.tensor, answer.proof, answer.confirmed) == (tensor, "alone", True)
    assert answer.error == pytest.approx(0.01, rel=0.01)
    assert len(counter.done) == 4


def test_a_sound_graph_has_no_guilty_layer() -> None:
    """It is run marked, and as it is."""
    answer, counter = asked(question(CHAIN))
    assert (answer.tensor, answer.proof) == ("", "none")
    assert len(counter.done) == 3


def test_errors_that_cancel_are_both_seen() -> None:
    """The outputs are right again behind the second; the first is named."""
    suspect = spoilt(chain(2), ("t0", 2.0))
    suspect.graph.node[-1].input[0] = "half"
    by = helper.make_node("Mul", ["t0", "t0::half"], ["half"])
    suspect.graph.node.insert(2, by)
    suspect.graph.initializer.append(helper.make_tensor("t0::half", TensorProto.FLOAT, [], [0.5]))
    answer, _ = asked(question(chain(2), suspect))
    assert answer.errors["t1"] < 1e-6
    assert (answer.tensor, answer.others) == ("t0", ["t1"])


def test_of_several_guilty_layers_the_first_is_named_and_the_others_told() -> None:
    """A later one is wrong by itself, too, which the error from above does not hide."""
    answer, _ = asked(question(CHAIN, spoilt(CHAIN, ("t9", 1.2), ("t2", 1.01))))
    assert (answer.tensor, answer.others) == ("t2", ["t9"])


@pytest.mark.parametrize("factor", [math.inf, math.nan])
def test_values_that_are_not_finite_are_an_infinite_error(factor: float) -> None:
    """Both NaN and infinity."""
    answer, _ = asked(question(CHAIN, spoilt(CHAIN, ("t4", factor))))
    assert (answer.tensor, answer.error) == ("t4", math.inf)


def decisions() -> onnx.ModelProto:
    """Booleans, integers, and a node of two outputs."""
    nodes = [
        helper.make_node("Greater", ["x", "zero"], ["above"]),
        helper.make_node("Cast", ["above"], ["count"], to=TensorProto.INT64),
        helper.make_node("Add", ["count", "one"], ["more"]),
        helper.make_node("Cast", ["more"], ["weights"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["weights", "x"], ["weighted"]),
        helper.make_node("Split", ["weighted"], ["left", "right"], axis=1),
        helper.make_node("Sub", ["right", "left"], ["y"]),
    ]
    constants = {"zero": np.float32(0), "one": np.int64(1)}
    return model(nodes, ["y"], {name: np.array(value) for name, value in constants.items()})


@pytest.mark.parametrize(
    ("tensor", "operator", "inputs"),
    [
        ("above", "Not", ["above::sound"]),
        ("more", "Add", ["more::sound", "one"]),
        ("right", "Neg", ["right::sound"]),
    ],
)
def test_booleans_integers_and_second_outputs_are_named(
    tensor: str, operator: str, inputs: list[str]
) -> None:
    """What is not a float is compared by its number, and each output of a node is looked at."""
    suspect = decisions()
    at, node = next((i, node) for i, node in enumerate(suspect.graph.node) if tensor in node.output)
    node.output[[*node.output].index(tensor)] = inputs[0]
    suspect.graph.node.insert(at + 1, helper.make_node(operator, inputs, [tensor]))
    answer, _ = asked(question(decisions(), suspect))
    assert (answer.tensor, answer.proof) == (tensor, "alone")


def branching(factor: float) -> onnx.ModelProto:
    """An If whose branches read a tensor from outside, between two other nodes."""
    branch = [
        helper.make_graph(
            [helper.make_node(operator, ["a", name], ["out"])], operator, [],
            [helper.make_tensor_value_info("out", TensorProto.FLOAT, [2, 6])],
            [helper.make_tensor(name, TensorProto.FLOAT, [], [factor])],
        )
        for operator, name in (("Mul", "by"), ("Add", "plus"))
    ]  # fmt: skip
    nodes = [
        helper.make_node("Tanh", ["x"], ["a"]),
        helper.make_node("If", ["yes"], ["b"], "decide", then_branch=branch[0], else_branch=branch[1]),
        helper.make_node("Sigmoid", ["b"], ["y"]),
    ]
    return model(nodes, ["y"], {"yes": np.array(True)})


def test_a_node_with_bodies_is_named_whole() -> None:
    """What its bodies read from outside belongs to what it is given."""
    answer, _ = asked(question(branching(1.0), branching(1.3)))
    assert (answer.tensor, answer.nodes, answer.reads) == ("b", [1], ["a"])


def test_what_no_input_reaches_is_no_tensor_to_be_probed() -> None:
    """A constant that nodes compute is part of the piece that reads it."""
    nodes = [
        helper.make_node("Exp", ["c"], ["folded"]),
        helper.make_node("Mul", ["x", "folded"], ["y"]),
    ]
    graph = Graph(model(nodes, ["y"], {"c": np.array(0.5, np.float32)}), Path())
    assert graph.variables == ["y"]
    assert graph.piece("y", ["y"]) == ([0, 1], ["x"])


def test_weights_in_another_file_are_found(tmp_path: Path) -> None:
    """The parts are run where the weights lie."""
    suspect = spoilt(CHAIN, ("t5", 1.1))
    onnx.save(suspect, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    clean = question(CHAIN)
    graph = Graph.load(tmp_path / "m.onnx")
    assert graph.model.graph.initializer[0].external_data
    answer, _ = asked(Question(graph, InOnnxRuntime(graph.folder), FEED, clean.reference, clean.limit))
    assert answer.tensor == "t5"


def test_an_error_of_fusion_is_found_by_cutting_a_graph_of_400_nodes_in_twelve_runs() -> None:
    """Marking hides it; every run is counted, the one for the right values included."""
    sound = chain(400)
    for hidden, wrong in (("t0", "t1"), ("t200", "t201"), ("t396", "t397")):
        runtime = Fusing(hidden, wrong)
        answer, counter = asked(question(sound, run=runtime))
        assert (answer.tensor, answer.proof) == (wrong, "cut")
        assert len(counter.done) == runtime.calls + 1 <= counter.most == 12


class Picky(Fusing):
    """A runtime that takes no model of more outputs than two, and computes t6 wrong."""

    def __call__(self, part: onnx.ModelProto, values: Tensors) -> dict[str, np.ndarray]:
        """Refuse, or run."""
        if len(part.graph.output) > 2:
            raise StageError("too many outputs", "builder")
        return super().__call__(
            spoilt(part, ("t6", 1.5)) if "t6" in Graph(part, HERE).makers else part, values
        )


def test_a_runtime_that_refuses_marked_tensors_is_asked_by_cutting() -> None:
    """What it said is kept."""
    answer, _ = asked(question(CHAIN, run=Picky("", "")))
    assert (answer.tensor, answer.proof) == ("t6", "cut")
    assert "with all tensors as outputs: too many outputs" in answer.note


def test_a_graph_that_does_not_run_at_all_is_an_error() -> None:
    """It is no graph without a guilty layer."""

    def refusing(_part: onnx.ModelProto, _values: Tensors) -> dict[str, np.ndarray]:
        raise StageError("refused", "builder")

    with pytest.raises(StageError, match="refused"):
        asked(question(CHAIN, run=refusing))


def test_where_the_runs_are_spent_what_is_known_is_said() -> None:
    """The first that is known to be wrong by then, and that more runs would tell more."""
    answer, counter = asked(question(chain(400), run=Fusing("t100", "t101")), most=6)
    assert (answer.proof, len(counter.done)) == ("open", 6)
    assert "6 runs are spent" in answer.note
    assert int(answer.tensor[1:]) >= 101


def test_an_error_that_grows_is_laid_to_what_adds_most() -> None:
    """No layer is beyond the limit by itself; where the sum leaves it is said, too."""
    errors = [(f"t{number}", 1.00004) for number in range(0, 12, 4)] + [("t6", 1.00009)]
    answer, _ = asked(question(CHAIN, spoilt(CHAIN, *sorted(errors, key=lambda e: int(e[0][1:])))))
    assert (answer.proof, answer.tensor) == ("gradual", "t6")
    assert answer.errors[answer.leaves] > 1e-4


def test_the_search_counts_what_it_runs() -> None:
    """A search that marks, looks at pieces and cuts makes as many runs as it says."""
    runtime = Fusing("none", "none")
    about = question(CHAIN, spoilt(CHAIN, ("t7", 1.1)), run=runtime)
    _, counter = asked(about)
    assert runtime.calls + 1 == len(counter.done)


def test_scaling_an_output_is_what_the_benchmark_plants() -> None:
    """The tensor keeps its name and its reader."""
    suspect = onnx.ModelProto.FromString(CHAIN.SerializeToString())
    scale_output(suspect, "t3", TensorProto.FLOAT, 3.0)
    values = question(CHAIN, suspect)
    graph = values.graph
    got = values.run(graph.part(FEED, ["t3"]), FEED)["t3"]
    assert np.allclose(got, 3 * values.reference["t3"], rtol=1e-6)
