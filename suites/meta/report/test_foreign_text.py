"""What a record or a file says reaches no terminal and no spreadsheet as a command."""

import csv
import io
from pathlib import Path
from types import ModuleType

import pytest

from fixtures.exports import csv_table
from fixtures.records import Metric
from fixtures.report.foreign_text import plain
from suites.meta.report.planted import record, written

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u202egnp.exe", "\x00\x08\x7f", "\u2066x\u2069", "\ud800", "a\rb",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hidden_characters_are_written_out(text: str) -> None:
    """Escape sequences, changes of the text direction and lone surrogates are shown, never obeyed."""
    shown = plain(text)
    assert shown.isprintable()
    assert shown.encode().decode() == shown
    assert "owned" not in text or "owned" in shown


def test_a_long_text_is_cut_and_says_so() -> None:
    """Three hundred characters are kept, and the length is said."""
    shown = plain("x" * 5000)
    assert shown == "x" * 300 + "... (5000 characters)"
    assert plain("y" * 300) == "y" * 300
    assert plain("a  b\n c") == "a b c"


@pytest.mark.parametrize("field", ["message", "rerun", "model", "stage", "run_id", "precision"])
@pytest.mark.parametrize("verdict", ["failed", "not-run", "passed"])
def test_no_control_character_of_a_record_reaches_the_terminal(
    field: str, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever the report shows it: matrix, what is red, why stages were not run, warnings."""
    report: ModuleType = pytest.importorskip("fixtures.commands.report")
    text = "evil" + "".join(HOSTILE[:4])
    value = {"name": text, "framework": text} if field == "model" else text
    future = record("passed", 1, time="2099-01-01", **{field: value})
    written(tmp_path, record(verdict, 2, **{field: value}), future)  # type: ignore[arg-type]
    report.main([str(tmp_path), "--output", str(tmp_path / "out"), "--every-row"])
    captured = capsys.readouterr()
    hidden = {c for c in captured.out + captured.err if not c.isprintable() and c != "\n"}
    assert hidden == set()
    assert "evil" in captured.out or field in ("rerun", "message", "run_id", "stage", "precision")


@pytest.mark.parametrize(
    ("begin", "written_as"),
    [*((sign, f"'{sign}") for sign in "=+-@"), ("\t=", "\\t="), ("\r=", "\\r=")],
)
def test_a_cell_of_the_csv_is_no_formula(begin: str, written_as: str) -> None:
    """A text that a spreadsheet would run gets an apostrophe, control characters are written out."""
    text = f"{begin}1+1"
    one = record(message=text, converter=text, metrics={"worst": Metric(-0.5)}, model={"name": text})
    (row,) = csv.DictReader(io.StringIO("".join(csv_table.lines([one])), newline=""))
    assert {row["message"], row["converter"], row["model"]} == {f"{written_as}1+1"}
    assert float(row["metric.worst"]) == -0.5
    assert row["stage"] == "tensorrt-build"
