"""The report in a terminal: what the first screen says, and rows that are folded."""

import io
from pathlib import Path
from types import ModuleType

import pytest

from fixtures.records import UNDOCUMENTED, Metric, Record
from fixtures.report.join import join
from fixtures.report.matrix import build_matrix
from suites.meta.report.planted import record, written

pytest.importorskip("rich", reason="pip install --group report")


def matrix_of(folder: Path, *records: Record, every_row: bool = False) -> list[list[str]]:
    """The words of each row of the printed matrix."""
    from rich.console import Console

    from fixtures.report.terminal_matrix import matrix_table

    written(folder, *records)
    joined = join([folder])
    console = Console(file=io.StringIO(), width=160)
    table = matrix_table(build_matrix(joined.records), joined.ages, console, every_row=every_row)
    console.print(table)
    return [line.split() for line in console.file.getvalue().splitlines() if line.strip()]  # type: ignore[attr-defined]


def at(name: str, opset: int, worst: float = 0.1, verdict: str = "passed") -> Record:
    """A record of a model at an opset."""
    fields = {"model": {"name": name}, "opset": opset, "metrics": {"worst": Metric(worst)}}
    return record(verdict, 1, **fields)  # type: ignore[arg-type]


def test_models_that_are_alike_over_opsets_are_one_row(tmp_path: Path) -> None:
    """The row names them, counts them, and shows the worst error among them."""
    found = [
        at(name, opset, worst) for name, worst in (("a", 0.1), ("b", 0.7), ("c", 0.2)) for opset in (11, 12)
    ]
    rows = matrix_of(tmp_path, *found)
    assert rows[-1] == ["a,", "b,", "c", "(3)", "✓P", "0.7x", "✓P", "0.7x"]


@pytest.mark.parametrize("change", ["verdict", "missing", "partial"])
def test_a_model_that_differs_has_its_row(change: str, tmp_path: Path) -> None:
    """Another verdict, an opset without a record, a stage that was not run: not folded."""
    odd = {
        "verdict": [at("b", 11), at("b", 12, verdict="failed")],
        "missing": [at("b", 11)],
        "partial": [at("b", 11), at("b", 12), record("not-run", 1, stage="noise-floor", model={"name": "b"})],
    }
    found = [at(name, opset) for name in "ac" for opset in (11, 12)]
    rows = matrix_of(tmp_path, *found, *odd[change])
    assert [row[0] for row in rows[-2:]] == ["a,", "b"]


def test_a_prediction_without_a_document_has_its_mark(tmp_path: Path) -> None:
    """It passed, with a question mark, and neighbouring releases of which one is documented stay apart."""
    about = {UNDOCUMENTED: Metric(1.0)}
    rows = matrix_of(
        tmp_path,
        *(record("passed", 1, stage="support", metrics=metrics,
                 tensorrt={"flavour": "tensorrt", "version": version})
          for version, metrics in (("7.0", about), ("7.1", {}))),
    )  # fmt: skip
    assert [row for row in rows if row[0] in ("trt", "digits")] == [
        ["trt", "7.0,", "predicted"], ["digits", "✓P?"], ["trt", "7.1,", "predicted"], ["digits", "✓P"],
    ]  # fmt: skip


def test_every_row_may_be_asked_for(tmp_path: Path) -> None:
    """Then nothing is folded."""
    rows = matrix_of(tmp_path, *(at(name, 11) for name in "abc"), every_row=True)
    assert [row[0] for row in rows[-3:]] == ["a", "b", "c"]


def test_the_first_screen_says_how_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Totals, what is red with its command, and what was not run stand in 24 lines, before the matrix."""
    report: ModuleType = pytest.importorskip("fixtures.commands.report")
    many = [at(f"model{n}", opset) for n in range(20) for opset in (10, 11, 12)]
    failed = record(
        "failed", 1, opset=17, message="guilty hop: builder\nboxes differ", rerun="pytest -k digits"
    )
    written(tmp_path, *many, failed, record("not-run", 1, opset=13, message="no GPU"))
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    screen = capsys.readouterr().out.splitlines()[:24]
    assert screen[0] == "1 of 62 cells is red, 1 not run"
    assert screen[1].startswith("Records: 60 passed  1 failed")
    text = "\n".join(screen)
    assert all(
        part in text for part in ("Red: 1", "boxes differ", "pytest -k digits", "Not run: 1", "no GPU")
    )
    assert text.index("no GPU") < text.index("rtx 1.7.1.116   ")
