"""The table of migrations: one for each pair of versions, what is lost and gained, why, and by how much."""

import csv
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fixtures.exports import csv_table
from fixtures.records import Metric, Record, append
from fixtures.report.join import join
from fixtures.report.migration import COLUMNS, lines, migration_tables
from fixtures.report.tables import case_label
from fixtures.verdicts import Verdict

MEASURED = {
    "worst": 0.31, "onnxruntime_l2_before": 3e-5, "onnxruntime_l2_after": 2e-6, "layers_before": 20,
    "layers_after": 10, "engine_size_before": 1000, "engine_size_after": 1500, "build_before": 4.0,
    "build_after": 1.0, "cuda_graph_median_before": 0.5, "cuda_graph_median_after": 0.25,
}  # fmt: skip
SHARES = (("fp16", "before"), ("fp32", "before"), ("fp32", "after"))


def moved(verdict: Verdict = "passed", baseline: str = "1.6", /, **fields: Any) -> Record:
    """One migration to RTX 1.7; `before` and `after` are outcomes, `was` and `now` what stopped them."""
    about = {"flavour": "tensorrt-rtx", "version": baseline}
    if verdict != "not-run":
        about |= {side: fields.pop(side, "builds") for side in ("before", "after")}
        about |= {"problem_before": fields.pop("was", ""), "problem_after": fields.pop("now", "")}
    defaults: dict[str, Any] = {
        "model": {"name": "digits", "framework": "pytorch"}, "opset": 13, "baseline": about,
        "tensorrt": {"flavour": "tensorrt-rtx", "version": "1.7"}, "time": "2026-01-01T10:00:00+00:00",
    }  # fmt: skip
    return Record("migration", verdict, **(defaults | fields))


def text_of(*records: Record) -> str:
    """The one table of the records as text."""
    (table,) = migration_tables(records)
    return "\n".join(line for line, _ in lines(table))


def test_every_measured_value_has_its_column() -> None:
    """Differences, layers and ratios stand under their headings."""
    metrics = {name: Metric(float(value)) for name, value in MEASURED.items()}
    metrics |= {f"{at}_layers_{side}": Metric(50.0, "% of layers") for at, side in SHARES}
    (table,) = migration_tables([moved(before="runs", after="runs", metrics=metrics)])
    assert dict(zip(COLUMNS, table.moves[0].cells, strict=True)) == {
        "model": "digits", "opset": "13", "outcome": "runs", "worst": "0.31x",
        "from ONNX Runtime": "3e-05 -> 2e-06", "layers": "20 -> 10",
        "engine layers": "", "precisions": "fp16 50 -> 0 %, fp32 50 -> 50 %", "size": "1.50x",
        "build": "0.25x", "latency": "0.50x 0.5 -> 0.25 ms",
    }  # fmt: skip


def test_columns_without_a_value_are_left_out() -> None:
    """A run without a GPU has no columns for outputs and latency."""
    metrics = {name: Metric(float(MEASURED[name])) for name in ("layers_before", "layers_after")}
    text = text_of(moved(metrics=metrics))
    assert "layers" in text
    assert not any(name in text for name in ("worst", "ONNX Runtime", "latency", "size"))


def test_a_loss_is_told_with_its_reason() -> None:
    """The line of a loss has the mark of its verdict, both outcomes, and the node below it."""
    lost = moved("failed", after="refused", now="node bad (Conv): no\nmore", message="m\nx")
    (table,) = migration_tables([lost, moved(opset=12)])
    told = list(lines(table))
    assert told[0] == ("Migration rtx 1.6 -> rtx 1.7: 1 passed, 1 failed; gained: 0", None)
    assert told[3][1] == "failed"
    assert "✗F builds -> refused" in told[3][0]
    assert told[4] == ("    rtx 1.7: node bad (Conv): no", None)


def test_other_outputs_are_told_with_the_difference() -> None:
    """Where both run and differ, the reason is the first difference."""
    message = "migration digits: guilty hop: builder\nlogits: 3 of 10 mismatched\nrerun: x"
    assert "    logits: 3 of 10 mismatched" in text_of(
        moved("failed", before="runs", after="runs", message=message)
    )


def test_a_gain_is_counted() -> None:
    """What only the second version takes is passed and gained; what neither takes is not."""
    gained = moved(before="refused", was="no such operator")
    neither = moved("unsupported", opset=12, before="refused", after="refused", was="a", now="b")
    text = text_of(gained, neither, moved("not-run", opset=11))
    assert text.startswith("Migration rtx 1.6 -> rtx 1.7: 1 passed, 1 unsupported, 1 not-run; gained: 1")
    assert "✓P refused -> builds" in text
    assert "⊘U refused" in text
    assert "·N not run" in text


def test_a_reason_is_told_once_for_alike_neighbours() -> None:
    """The same refusal at the next opset is not repeated."""
    records = [moved(opset=n, before="refused", was="no such operator") for n in (11, 12)]
    assert text_of(*records).count("no such operator") == 1


def test_each_pair_of_versions_has_its_table(tmp_path: Path) -> None:
    """Two migrations to one version are two questions, and both answers are kept."""
    for baseline in ("1.6", "1.5"):
        append(tmp_path / "a.jsonl", moved("passed", baseline))
    titles = [table.title for table in migration_tables(join([tmp_path]).records)]
    assert titles == ["rtx 1.5 -> rtx 1.7", "rtx 1.6 -> rtx 1.7"]
    assert "rtx 1.6 -> rtx 1.7" in case_label(moved())


def test_the_csv_has_both_versions() -> None:
    """A row names the version before and how far each came."""
    (row,) = csv.DictReader("".join(csv_table.lines([moved(before="refused")])).splitlines())
    assert (row["baseline"], row["version"]) == ("rtx 1.6", "1.7")
    assert (row["before"], row["after"]) == ("refused", "builds")


@pytest.mark.parametrize(("verdict", "code"), [("passed", 0), ("failed", 1)])
def test_the_report_shows_the_table(
    verdict: Verdict, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Terminal and page have the table, with what stopped a version escaped; a loss ends with code 1."""
    report: ModuleType = pytest.importorskip("fixtures.commands.report")
    append(tmp_path / "a.jsonl", moved(verdict, after="refused", now="<script>alert(1)"))
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == code
    assert "Migration rtx 1.6 -> rtx 1.7: 1 " in capsys.readouterr().out
    page = (tmp_path / "out" / "pages" / "migration.html").read_text("utf-8")
    assert "rtx 1.7: &lt;script&gt;alert(1)" in page
    assert "builds -&gt; refused" in page
