"""A source network that gives NaN, or other outputs each time, is blamed before anything behind it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper, save

from fixtures.cases import Case
from fixtures.checks.parity import Comparison, Parity
from fixtures.checks.source import not_finite, source_fault
from fixtures.expectations import Expectations, Row
from fixtures.pipeline.pipeline import Pipeline
from fixtures.recording import RecordDraft
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models import registry

ROW = Row("row 1", {}, {"rtol": 0.0, "atol": 0.1, "relative_l2": 1.0})
CASE = Case("onnxruntime-parity", "net", "onnx", 13)
NODES = {
    "NaN": [("Div", ["none", "none"], ["r"]), ("Add", ["x", "r"], ["y"])],
    "random": [("RandomUniformLike", ["x"], ["r"]), ("Add", ["x", "r"], ["y"])],
    "infinite": [("Div", ["one", "none"], ["r"]), ("Concat", ["x", "r"], ["y"])],
    "sound": [("Relu", ["x"], ["y"])],
}
"""Kind of a network -> operator, inputs and outputs of its nodes. The infinite one gives numbers, too."""


def comparison_of(kind: str, folder: Path) -> tuple[Pipeline, Comparison]:
    """Return the pipeline of an ONNX file with these nodes, and the comparison of its case."""
    size = 8 if kind == "infinite" else 4
    x, y = (helper.make_tensor_value_info(name, 1, [1, n]) for name, n in (("x", 4), ("y", size)))
    constants = [
        numpy_helper.from_array(np.full((1, 4), v, np.float32), n) for v, n in ((0, "none"), (1, "one"))
    ]
    nodes = [
        helper.make_node(*row, axis=1) if row[0] == "Concat" else helper.make_node(*row)
        for row in NODES[kind]
    ]
    graph = helper.make_graph(nodes, "net", [x], [y], constants)
    save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), folder / "n.onnx"
    )
    store = ArtifactStore(folder / "artifacts")
    (model,) = with_descriptions(registry.choose(str(folder / "n.onnx")), store)
    draft = RecordDraft(replace(CASE, model=model.name), {"name": model.name})
    return Pipeline(store, {model.name: model}), Comparison(draft, model, Expectations((ROW,)))


def fault_of(kind: str, folder: Path) -> tuple[str, StageError]:
    """Return what is said of the network behind a red case whose outputs differ by 1, and its error."""
    pipeline, comparison = comparison_of(kind, folder)
    parity = Parity(comparison, lambda: "fp16", lambda: source_fault(pipeline, comparison))
    right = pipeline.samples(comparison.draft.case.model).outputs
    with pytest.raises(StageError, match="mismatched") as caught:
        parity(right, [{name: value + 1 for name, value in sample.items()} for sample in right])
    return source_fault(pipeline, comparison), caught.value


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("NaN", "gives no finite numbers: y of sample 0: 4 of 4 values are NaN or infinite, the first nan"),
        ("random", "gives other outputs when it is run twice: y: "),
        ("infinite", ""),
        ("sound", ""),
    ],
)
def test_what_the_source_has_wrong_is_said(kind: str, said: str, tmp_path: Path) -> None:
    """The message begins with it, and its hop is the source; of a sound network the stage's hop is guilty."""
    found, error = fault_of(kind, tmp_path)
    assert (said in found) if said else not found
    assert str(error).startswith(found)
    assert error.hop == ("source" if said else "fp16")


def test_a_source_is_asked_only_of_a_red_case(tmp_path: Path) -> None:
    """Outputs that agree, random or not, ask nothing of the source."""
    _, comparison = comparison_of("sound", tmp_path)
    asked: list[str] = []

    def ask() -> str:
        asked.append("whether the source is at fault")
        return ""

    same = [{"y": np.ones((1, 4), np.float32)}]
    Parity(comparison, lambda: "fp16", ask)(same, same)
    assert asked == []
    with pytest.raises(StageError):
        Parity(comparison, lambda: "fp16", ask)(same, [{"y": np.zeros((1, 4), np.float32)}])
    assert len(asked) == 1


def test_an_output_of_numbers_is_no_fault() -> None:
    """Finite values and integers say nothing."""
    assert not_finite([{"a": np.ones(3, np.float32), "b": np.ones(3, np.int64)}]) == ""
