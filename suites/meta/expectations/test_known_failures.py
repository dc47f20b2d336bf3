"""A known failure covers the failure that it foresees, in the case that it names, and nothing else."""

from pathlib import Path

import pytest

from fixtures.cases import Case
from fixtures.expectations import ExpectationError, Row, load
from fixtures.recording import RecordDraft, judge
from fixtures.verdicts import Crashed, NotRun, StageError, Unsupported
from suites.meta.expectations.folders import row, write

CASE = Case("onnxruntime-parity", "yolov5n", "dynamo", 11)
TEXTS = {"message": "opset 18", "reason": "why", "link": "where"}
FAILS = Row("known_failures.toml row 1", {"model": "yolov5n"}, {}, TEXTS)
CRASHES = Row("known_failures.toml row 2", {"model": "yolov5n"}, {}, {**TEXTS, "verdict": "crashed"})
BY_CHANCE = Row("known_failures.toml row 3", {"model": "yolov5n"}, {}, {**TEXTS, "sometimes": "1 of 3"})


def verdict(error: Exception | None, *rows: Row) -> str:
    """Return the verdict of a case that ended so, under these rows."""
    return judge(RecordDraft(CASE, {"name": "yolov5n"}), error, rows).verdict


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (StageError("got opset 18"), "xfailed"),
        (AssertionError("opset 18"), "xfailed"),
        (StageError("NaN"), "failed"),
        (NotRun("opset 18 needs a GPU"), "not-run"),
        (Unsupported("opset 18"), "unsupported"),
        (Crashed("SIGKILL at opset 18"), "crashed"),
        (None, "failed"),
    ],
)
def test_a_known_failure_covers_its_own_message(error: Exception | None, expected: str) -> None:
    """Another message stays red, a crash does too, and a case that passes makes the row stale."""
    assert verdict(error, FAILS) == expected


def test_a_stale_row_is_named() -> None:
    """The message of a case that passes names file and row."""
    assert "known_failures.toml row 1" in judge(RecordDraft(CASE, {"name": "yolov5n"}), None, [FAILS]).message


def test_a_crash_needs_a_row_that_says_crashed() -> None:
    """Such a row covers no failure of another kind, and no crash with another message."""
    assert verdict(Crashed("SIGKILL at opset 18"), CRASHES) == "xfailed"
    assert verdict(Crashed("no answer for 8 s"), CRASHES) == "crashed"
    assert verdict(StageError("opset 18"), CRASHES) == "failed"


@pytest.mark.parametrize("rows", [(FAILS, CRASHES), (CRASHES, FAILS)])
def test_of_several_rows_each_covers_its_own(rows: tuple[Row, Row]) -> None:
    """The order of rows that fit one case decides nothing."""
    assert verdict(Crashed("opset 18"), *rows) == "xfailed"
    assert verdict(StageError("opset 18"), *rows) == "xfailed"


def test_a_failure_by_chance_may_pass() -> None:
    """A row that says how often it fails is not stale when it passes, and covers the failure."""
    assert verdict(None, BY_CHANCE) == "passed"
    assert verdict(StageError("opset 18"), BY_CHANCE) == "xfailed"
    assert verdict(StageError("NaN"), BY_CHANCE) == "failed"
    assert verdict(None, BY_CHANCE, FAILS) == "failed"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"message": None}, "message is missing"),
        ({"message": ""}, "message is '', expected words"),
        ({"message": "e"}, "message is 'e', expected words"),
        ({"model": None}, "expected a row that names what it is about: a model, a tensorrt or a baseline"),
        ({"model": None, "stage": "convert", "sometimes": "always"}, "expected a row that names what"),
        ({"model": "*"}, "model is '*', expected the name of a model"),
        ({"model": ["digits", "?*"]}, "model is a list of 2, expected the name of a model"),
        ({"model": "[a-z]*"}, "model is '[a-z]*', expected the name of a model"),
        ({"model": None, "tensorrt": "*"}, "tensorrt is '*', expected the label of a TensorRT"),
        ({"model": None, "baseline": "[rt]*"}, "baseline is '[rt]*', expected the label"),
    ],
)  # fmt: skip
def test_a_row_that_hides_what_it_does_not_name_is_refused(
    changed: dict[str, object], named: str, tmp_path: Path
) -> None:
    """A row without a message, without a model or TensorRT, or with a bare wildcard for it is no row."""
    with pytest.raises(ExpectationError, match=r"known_failures\.toml row 1, line 1: ") as caught:
        load(write(tmp_path, known_failure=row("known_failure", **changed)))
    assert named in str(caught.value)
