"""Expectation files fit their schema, select what they say, and a stale or wrong row is seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.cases import BATCH_NAMES, PRECISIONS, Case, Selection
from fixtures.expectations import ExpectationError, Expectations, Row, load
from fixtures.recording import RecordDraft, judge
from fixtures.stages import STAGES, stage
from fixtures.verdicts import Crashed, NotRun, StageError, Unsupported
from reference_models import registry
from suites.meta.places import EXPECTATIONS

FOLDER = EXPECTATIONS
CASE = Case("onnxruntime-parity", "yolov5n", "dynamo", 11)
ROW = Row("known_failures.toml row 1", {"opset": [10, 11]}, {}, {"reason": "why", "link": "where"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the expectation files, to be spoiled."""
    for file in FOLDER.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text())
    return tmp_path


def test_the_committed_files_load() -> None:
    """Every committed row fits the schema."""
    assert load(FOLDER).tolerances


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("tolerances", "[[tolerance]]\nrtol=1\natol=1\nrelative_l2=1\n", "reason is missing"),
        ("tolerances", "[[tolerance]]\nrtol=-1\natol=1\nrelative_l2=1\nreason='x'\n", "rtol must"),
        ("tolerances", "[[tolerance]]\nrtol='a'\natol=1\nrelative_l2=1\nreason='x'\n", "rtol must"),
        ("known_failures", "[[known_failure]]\nmodel='x'\nreason='y'\n", "link is missing"),
        ("budgets", "[[budget]]\ndrop=1\nreason='x'\nmodle='y'\n", "unknown field modle"),
        ("budgets", "[[budgets]]\n", "only \\[\\[budget\\]\\] belongs here"),
        ("budgets", "[[budget\n", "budgets.toml"),
    ],
)
def test_a_row_that_does_not_fit_is_named(file: str, text: str, named: str, folder: Path) -> None:
    """A missing reason, a wrong number, an unknown field and broken TOML are each an error."""
    (folder / f"{file}.toml").write_text(text)
    with pytest.raises(ExpectationError, match=named):
        load(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    """A folder without one of the files is refused."""
    (folder / "budgets.toml").unlink()
    with pytest.raises(ExpectationError, match=r"budgets\.toml"):
        load(folder)


def test_no_tolerance_is_no_pass() -> None:
    """A compared value that no row speaks of is an error."""
    with pytest.raises(ExpectationError, match="no row for yolo_16"):
        Expectations().tolerance(CASE, "yolo_16")


def test_the_last_row_that_fits_stands() -> None:
    """An exception written below the rule outranks it."""
    numbers = {"rtol": 0.0, "atol": 0.0, "relative_l2": 1.0}
    rule = Row("row 1", {"stage": "*-parity"}, numbers)
    exception = Row("row 2", {"model": "yolo*"}, {**numbers, "atol": 2.0}, {"values": "p3/*"})
    found = Expectations(tolerances=(rule, exception))
    assert found.tolerance(CASE, "p3/boxes").where == "row 2"
    assert found.tolerance(CASE, "p4").where == "row 1"


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (StageError("off by one"), "xfailed"),
        (AssertionError("no"), "xfailed"),
        (NotRun("no GPU"), "not-run"),
        (Unsupported("table"), "unsupported"),
        (Crashed("SIGKILL"), "xfailed"),
        (None, "failed"),
    ],
)
def test_a_known_failure_is_expected_to_fail(error: Exception | None, verdict: str) -> None:
    """A case with a row xfails when it fails; when it passes, the stale row fails the run."""
    ending = judge(RecordDraft(CASE, {"name": "yolov5n"}), error, ROW)
    assert ending.verdict == verdict
    assert verdict != "failed" or "known_failures.toml row 1" in ending.message


def test_a_failure_by_chance_may_pass() -> None:
    """A row that says how often it fails is not stale when it passes, and covers the failure."""
    row = Row("row 1", {}, {}, {"reason": "why", "link": "where", "sometimes": "1 of 3"})
    draft = RecordDraft(CASE, {"name": "yolov5n"})
    assert judge(draft, None, row).verdict == "passed"
    assert judge(draft, StageError("off by one"), row).verdict == "xfailed"


def test_another_failure_than_the_known_one_is_red() -> None:
    """A row that names the message covers no other message."""
    row = Row("row 1", {}, {}, {"reason": "why", "link": "where", "message": "opset 18"})
    draft = RecordDraft(CASE, {"name": "yolov5n"})
    assert judge(draft, StageError("got opset 18"), row).verdict == "xfailed"
    assert judge(draft, StageError("NaN"), row).verdict == "failed"


def test_every_row_is_about_a_case_that_exists() -> None:
    """No row outlives the model, stage or opset that it speaks of."""
    models = tuple(registry.models().values())
    chosen = Selection(
        models, (10, 11, 12, 13, 17), ("rtx1.4.0.76", "rtx1.6.1.120"), PRECISIONS, explicit_opsets=False,
        batches=tuple(BATCH_NAMES),
    )  # fmt: skip
    known = [case for one in STAGES for case in one.all_cases(chosen)]
    pair = replace(chosen, tensorrt=("rtx1.6.1.120", "rtx1.7.1.116"), baseline="rtx1.6.1.120")
    known += stage("migration").all_cases(pair)
    rows = load(FOLDER)
    for row in (*rows.tolerances, *rows.budgets, *rows.known_failures):
        assert any(row.fits(case) for case in known), row.where


def test_a_label_gives_way_only_to_a_row_that_names_it() -> None:
    """Values that must be equal stay so under patterns; a row with their very name loosens them."""
    numbers = {"rtol": 0.0, "atol": 1.0, "relative_l2": 0.1}
    pattern, named = (Row(values, {}, numbers, {"values": values}) for values in ("*", "age"))
    assert Expectations((pattern,)).tolerance_of_label(CASE, "age") is None
    found = Expectations((named, pattern)).tolerance_of_label(CASE, "age")
    assert found is not None
    assert (found.where, found.atol) == ("age", 1.0)
    assert Expectations((named,)).tolerance_of_label(CASE, "gender") is None
