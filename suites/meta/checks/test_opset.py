"""An opset that differs from the anchor is red where it is wrong itself, and passes where the anchor is."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper

from fixtures.cases import Case
from fixtures.checks.opset import Anchor, OpsetParity, traps_of
from fixtures.checks.parity import Comparison, Outputs, Parity
from fixtures.expectations import Expectations, Row, Trap, load
from fixtures.recording import RecordDraft
from fixtures.verdicts import StageError
from reference_models import registry
from suites.meta.places import EXPECTATIONS

CASE = Case("opset-parity", "digits", "torchscript", 13)
ROWS = tuple(
    Row(stage, {"stage": stage}, {"rtol": 0.0, "atol": atol, "relative_l2": 1.0})
    for stage, atol in (("opset-parity", 0.01), ("onnxruntime-parity", 0.1))
)
TRAP = Trap(
    "row 1",
    ("x",),
    ("torchscript",),
    (10,),
    "wrong",
    "",
    "Resize has no half pixels",
    "https://x",
    ("Resize",),
)
RESIZE = helper.make_graph([helper.make_node("Resize", ["x"], ["y"])], "g", [], [])


def outputs(value: float) -> Outputs:
    """Outputs of two samples, the second of which is another value than 1."""
    return [{"logits": np.array([1], np.float32)}, {"logits": np.array([value], np.float32)}]


def parity() -> OpsetParity:
    """Held against opset 10 and a source that gives 1."""
    comparison = Comparison(
        RecordDraft(CASE, {"name": "digits"}), registry.models()["digits"], Expectations(ROWS)
    )
    return OpsetParity(Parity(comparison, lambda: "opset"), Anchor(10, lambda: [TRAP]), outputs(1))


@pytest.mark.parametrize(
    ("anchor", "actual", "hop", "note"),
    [
        (1.0, 2.0, "opset", "expected is opset 10, which agrees with the source"),
        (1.0, 1.05, "opset", "expected is opset 10, which agrees with the source"),
        (3.0, 2.0, "source->ONNX", "expected is opset 10, which differs from the source, too"),
    ],
)
def test_a_wrong_opset_is_red(anchor: float, actual: float, hop: str, note: str) -> None:
    """The hop is opset where the anchor is right, the converter where both are wrong."""
    assertion = parity()
    with pytest.raises(StageError, match=f"expected {anchor:g};") as caught:
        assertion(outputs(anchor), outputs(actual))
    assert (caught.value.hop, assertion.parity.comparison.draft.notes) == (hop, [note])


def test_a_wrong_anchor_is_named_and_the_opset_held_against_the_source() -> None:
    """The case passes; its figures are those against the source, its note the anchor's error and trap."""
    assertion = parity()
    assertion(outputs(2.0), outputs(1.05))
    draft = assertion.parity.comparison.draft
    assert draft.metrics["max_abs"].value == pytest.approx(0.05)
    assert (draft.problem, draft.case) == ("", CASE)
    assert "opset 10 itself is wrong" in draft.notes[0]
    assert "opset 10 against the source: logits: 1 of 1 mismatched; worst at [0]: 2" in draft.notes[1]
    assert draft.notes[2] == "known there: Resize has no half pixels (https://x)"


def test_an_anchor_of_another_shape_is_wrong() -> None:
    """Outputs of the anchor that cannot be compared are its error, not this opset's."""
    assertion = parity()
    assertion([{"logits": np.ones(2, np.float32)}] * 2, outputs(1.0))
    assert "opset 10 against the source: logits is float32 (2,)" in assertion.parity.comparison.draft.notes[1]


def test_opsets_that_agree_are_not_held_against_the_source() -> None:
    """Two that agree pass, under the tolerance of opsets, without a note."""
    assertion = parity()
    assertion(outputs(5.0), outputs(5.0))
    assert assertion.parity.comparison.draft.notes == []


@pytest.mark.parametrize(
    ("trap", "found"),
    [
        (TRAP, True),
        (replace(TRAP, operator=()), False),
        (replace(TRAP, operator=("Resize", "Cast")), False),
        (replace(TRAP, reason="it has no half pixels"), True),
        (replace(TRAP, opset=(10, 13)), False),
        (replace(TRAP, opset=(11,)), False),
        (replace(TRAP, exporter=("dynamo",)), False),
        (replace(TRAP, outcome="refused"), False),
    ],
)
def test_a_trap_is_that_of_the_anchor_alone(trap: Trap, found: bool) -> None:
    """It is named where it is the exporter's, at the anchor and not at the opset, of an operator there."""
    assert traps_of([trap], "torchscript", (10, 13), RESIZE) == [trap] * found


def test_every_wrong_trap_says_what_is_written_there() -> None:
    """Else it would be of no graph, or of each."""
    traps = [row for row in load(EXPECTATIONS).exporter_traps if row.outcome == "wrong"]
    assert [row.where for row in traps if not row.operator or not all(map(onnx.defs.has, row.operator))] == []


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ({"mode": "linear"}, "Resize knows only asymmetric coordinates"),
        ({"mode": "nearest"}, "Resize before opset 11 does not say how it rounds"),
        ({}, "Resize before opset 11 does not say how it rounds"),
    ],
)
def test_the_trap_of_a_resize_is_that_of_its_mode(mode: dict[str, str], reason: str) -> None:
    """Of the rows that ship; a Resize without a mode is of the nearest."""
    graph = helper.make_graph([helper.make_node("Resize", ["x"], ["y"], **mode)], "g", [], [])
    traps = traps_of(load(EXPECTATIONS).exporter_traps, "torchscript", (10, 13), graph)
    assert [trap.reason[: len(reason)] for trap in traps if trap.operator == ("Resize",)] == [reason]
