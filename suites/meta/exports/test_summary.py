"""The job summary: red first, short, and below what GitHub takes."""

from fixtures.exports import summary
from fixtures.exports.series import Input
from fixtures.records import Record
from fixtures.report.join import Joined
from suites.meta.report.planted import record


def of(*records: Record) -> str:
    """Return the summary of records."""
    return "".join(summary.lines(Input(records, Joined(records, ()))))


def test_what_is_red_stands_first_with_its_message() -> None:
    """The heading counts, then each red case has its first line, and its whole message folded."""
    message = "guilty hop: builder\n\nboxes differ <b>\nrerun: pytest x"
    text = of(record(), record("failed", opset=12, message=message), record("crashed", opset=13))
    assert text.startswith("## trt-parity: 2 of 3 cells are red\n\n<details><summary><b>‼ crashed</b>")
    assert "<br>guilty hop: builder</summary>" in text
    assert "<pre>\nguilty hop: builder\n\nboxes differ &lt;b&gt;\nrerun: pytest x\n</pre>" in text
    assert text.index("</details>") < text.index("| records | ‼ crashed | ✗ failed |")


def test_counts_latency_and_reasons_have_tables() -> None:
    """A row for each runtime; medians; why stages were not run, most frequent first."""
    timed = record(stage="latency", runtime="tensorrt", samples=(1.0, 2.0, 3.0))
    unrun = [record("not-run", opset=opset, stage="noise-floor", message="no GPU") for opset in (11, 12)]
    text = of(timed, *unrun)
    assert "| rtx 1.7.1.116 |  |  |  |  | 1 | 2 |" in text
    assert "| digits · opset 11 · rtx 1.7.1.116 · fp32 | 2 | 2.9 |" in text
    assert "| 2 | no GPU |" in text


def test_nothing_red_is_said_in_the_heading() -> None:
    """A green run has no list."""
    assert of(record()).startswith("## trt-parity: Nothing is red in 1 cell\n\n| records |")


def test_the_worst_case_stays_below_githubs_limit() -> None:
    """Thousands of red records with long messages that all need escapes are cut and counted."""
    long = {"message": "<&\"'|" * 5000 + "\nb", "model": {"name": "|" * 9000}}
    text = of(*(record("failed", stage="latency", opset=n, samples=(1.0,), **long) for n in range(1000)))
    assert len(text.encode()) < summary.LIMIT / 2
    assert f"and {1000 - summary.MOST} more that are red" in text
    assert "(25002 characters)" in text
