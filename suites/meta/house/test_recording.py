"""Measuring never raises; judging looks at nothing but values and limits, of a draft or of an old record."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.metrics.parity import Tolerance, difference
from fixtures.recording import RecordDraft, close, judge, outside_limits
from fixtures.records import Record, append, read
from fixtures.verdicts import StageError

CASE = Case("onnxruntime-parity", "digits", "torchscript", 13)
TIGHT = Tolerance(0.0, 0.1, 0.1, where="row 1")


def draft_of(error: float) -> RecordDraft:
    """A draft that holds a comparison of outputs with so much error, and one value without limit."""
    draft = RecordDraft(CASE, {"name": "digits"})
    draft.measure("nodes", 7, "nodes")
    right = np.ones(4, np.float32)
    draft.measure_parity([difference("logits", right, right + np.float32(error), TIGHT)])
    return draft


def record_of(draft: RecordDraft) -> Record:
    """The record of a draft that passed, whatever it holds."""
    return close(draft, judge(draft, None, ()), run_id="a", commit="b", time_="c")


def test_a_comparison_is_recorded_whatever_it_finds() -> None:
    """Values and limits are there, and nothing is raised before somebody judges."""
    metrics = draft_of(9.0).metrics
    assert (metrics["worst"].value, metrics["worst"].limit) == (pytest.approx(90), 1.0)
    assert (metrics["logits relative_l2"].value, metrics["logits relative_l2"].limit) == (9.0, 0.1)
    assert metrics["mismatched"].value == 4


def test_the_worst_of_several_tensors_counts() -> None:
    """One tensor that is wrong among others that are equal is not averaged away."""
    draft, right = RecordDraft(CASE, {"name": "digits"}), np.ones(4, np.float32)
    errors = {"first": 0.0, "bad": 0.15, "last": 0.0}
    found = [difference(name, right, right + np.float32(error), TIGHT) for name, error in errors.items()]
    draft.measure_parity(found)
    assert draft.metrics["worst"].value == pytest.approx(1.5)
    assert draft.metrics["max_abs"].value == pytest.approx(0.15)
    draft.measure_parity([*found, difference("more", right, right + 1, TIGHT)])
    assert draft.metrics["mismatched"].value == 8
    assert draft.problem.startswith("bad: 4 of 4 mismatched")


def test_an_old_record_is_judged_anew(tmp_path: Path) -> None:
    """The verdict that a record was written with is not what its values are judged by."""
    file = tmp_path / "records.jsonl"
    for error in (9.0, 0.0):
        append(file, record_of(draft_of(error)))
    bad, good = read(file)
    assert set(outside_limits(bad.metrics)) == {"worst", "logits relative_l2"}
    assert outside_limits(good.metrics) == {}


def test_a_draft_says_what_differs_once() -> None:
    """The comparison's own line stands for its metrics; another value beside it has a phrase of its own."""
    draft = draft_of(9.0)
    draft.measure("drop", 3, "points", limit=1)
    lines = draft.problem.splitlines()
    assert lines[0].startswith("logits: 4 of 4 mismatched; worst at [0]: 10, expected 1")
    assert lines[1:] == ["drop is 3 points, the limit is 1"]
    with pytest.raises(StageError, match="logits: 4 of 4"):
        draft.require_within_limits()
    assert draft_of(0.0).problem == ""


@pytest.mark.parametrize(("value", "higher", "ok"), [
    (1.0, False, True), (1.1, False, False), (1.0, True, True), (0.9, True, False),
    (float("nan"), False, False), (float("nan"), True, False), (float("inf"), False, False),
])  # fmt: skip
def test_a_value_is_judged_by_its_limit(value: float, higher: bool, ok: bool) -> None:
    """The limit itself is kept; what is no number keeps none."""
    draft = RecordDraft(CASE, {"name": "digits"})
    draft.measure("figure", value, limit=1.0, higher_is_better=higher)
    assert (draft.problem == "") == ok


def test_a_metric_of_a_comparison_beyond_its_limit_is_never_silent() -> None:
    """Rounding may leave a difference within and its metric without: the metric is named then."""
    draft = draft_of(0.0)
    draft.measure("worst", 1.0000000001, limit=1.0)
    assert draft.problem == "worst is 1 , the limit is 1"


def test_a_note_stands_in_the_record_of_a_stage_that_passes() -> None:
    """What a person should know does not need a failure to be told."""
    draft = draft_of(0.0)
    draft.notes.append("a worker was killed once")
    assert record_of(draft).message == "a worker was killed once"
    assert "a worker was killed once" in judge(draft, StageError("no"), ()).message


def test_what_a_thing_was_made_from_stands_in_its_record() -> None:
    """Weights, digest, note and versions; the path of what is an ONNX model, and of nothing else."""
    about = {"weights": "seeded", "digest": "ab", "note": "cut", "dependencies": {"onnx": "1"}, "more": 3}
    draft = RecordDraft(CASE, {"name": "digits"}, dependencies={"numpy": "2"})
    draft.describe(about)
    assert (draft.artifact, "ONNX model" in judge(draft, StageError("no"), ()).message) == ("", False)
    draft.describe(about, Path("model.onnx"))
    record = record_of(draft)
    assert record.model == {"name": "digits", "weights": "seeded", "digest": "ab", "note": "cut"}
    assert record.dependencies == {"numpy": "2", "onnx": "1"}
    assert "\nONNX model: model.onnx\n" in judge(draft, StageError("no"), ()).message


def test_outputs_that_cannot_be_compared_are_beyond_a_limit() -> None:
    """Their metric is one above its limit, and the line that says why stands for it."""
    draft = RecordDraft(CASE, {"name": "digits"})
    draft.measure_structure("outputs are ['a'], expected ['b']")
    assert draft.problem == "outputs are ['a'], expected ['b']"
    assert [(metric.value, metric.limit) for metric in draft.metrics.values()] == [(1, 0)]


@pytest.mark.parametrize(
    ("error", "text"),
    [(StageError("no"), "no"), (AssertionError("no"), "no"), (KeyError("no"), "KeyError: 'no'")],
)
def test_an_error_of_another_class_is_named(error: Exception, text: str) -> None:
    """A bug tells its class; what a stage or test says stands as it is; what says nothing is named."""
    assert judge(draft_of(0.0), error, ()).message.splitlines()[1] == text
    assert judge(draft_of(0.0), AssertionError(), ()).message.splitlines()[1] == "AssertionError"


def test_a_record_has_the_seconds_of_its_stage_and_its_opset() -> None:
    """Seconds since the draft was begun, to the millisecond; what has no opset has none."""
    draft = draft_of(0.0)
    draft.begun -= 5
    record = record_of(draft)
    assert 5 <= record.seconds < 60
    assert record.seconds == round(record.seconds, 3)
    assert record.opset == 13
    assert record_of(RecordDraft(Case("latency", "digits", "", 0), {"name": "digits"})).opset is None
