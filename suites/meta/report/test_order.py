"""Which record of a question counts: runs order them, and what is not known never makes red green."""

import os
import time
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from fixtures.report.join import join
from suites.meta.report.planted import record, written

FUTURE = "2099-01-01T00:00:00+00:00"
SECOND = "2026-01-05T10:00:00+00:00"
UNORDERED = {
    "dated in the future": (record("passed", 1, time=FUTURE), record("failed", 2)),
    "red, dated in the future": (record("failed", 1, time=FUTURE), record("passed", 2)),
    "the same second": (record("passed", 1, time=SECOND), record("crashed", 2, time=SECOND)),
    "no time": (record("passed", 1, time=""), record("failed", 2)),
    "both dated in the future": (record("passed", 1, time=FUTURE), record("failed", 2, time="2098-01-01")),
}


@pytest.mark.parametrize("case", UNORDERED)
def test_what_has_no_order_is_the_worse_verdict_whatever_the_arguments(case: str, tmp_path: Path) -> None:
    """A wrong clock, the same second and no time never make a red record green, and are named."""
    files = [written(tmp_path, one, name=f"{n}.jsonl") for n, one in enumerate(UNORDERED[case])]
    for order in permutations(files):
        joined = join(order)
        assert [one.verdict in {"failed", "crashed"} for one in joined.records] == [True]
        assert any("day-1" in line and "order of these runs" in line for line in joined.warnings)


def test_a_run_is_as_old_as_its_first_record(tmp_path: Path) -> None:
    """A record dated in the future does not lift its run over a newer one."""
    old = [record("passed", 1, opset=12), record("passed", 1, time=FUTURE)]
    written(tmp_path, *old)
    written(tmp_path, record("failed", 2), name="b.jsonl")
    joined = join([tmp_path])
    assert {one.opset: one.verdict for one in joined.records} == {11: "failed", 12: "passed"}
    assert joined.warnings == ()


def test_runs_order_and_not_the_time_of_one_record(tmp_path: Path) -> None:
    """A long run that began earlier does not replace a run that began after it."""
    long = [record("passed", 1, opset=12), record("passed", 1, time="2026-01-03T10:00:00+00:00")]
    written(tmp_path, *long)
    written(tmp_path, record("failed", 2), name="b.jsonl")
    assert {one.opset: one.verdict for one in join([tmp_path]).records}[11] == "failed"


@pytest.mark.parametrize("verdicts", [("passed", "failed"), ("failed", "passed")])
def test_within_a_run_the_later_line_counts(verdicts: tuple[str, str], tmp_path: Path) -> None:
    """A case that ran twice in one run has the verdict of its last line, whatever the clock did."""
    first, second = (record(verdict) for verdict in verdicts)  # type: ignore[arg-type]
    written(tmp_path, first, replace(second, time="2026-01-01T09:00:00+00:00"))
    assert [one.verdict for one in join([tmp_path]).records] == [verdicts[1]]


def test_records_without_a_run_id_are_of_the_run_of_their_file(tmp_path: Path) -> None:
    """Two files without run ids are two runs, the later of which counts."""
    written(tmp_path, record("failed", 1, run_id=""))
    written(tmp_path, record("passed", 2, run_id=""), name="b.jsonl")
    joined = join([tmp_path])
    assert ([one.verdict for one in joined.records], len(joined.runs)) == (["passed"], 2)


def test_a_clock_a_little_ahead_is_no_future(tmp_path: Path) -> None:
    """A machine whose clock is a minute ahead still has the newest run; a date has its zone respected."""
    now = time.time()
    soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now + 60))
    written(tmp_path, record("failed", 1), record("passed", 2, time=soon))
    assert [one.verdict for one in join([tmp_path], now).records] == ["passed"]


def test_the_age_of_a_file_decides_nothing(tmp_path: Path) -> None:
    """A file that was copied later is not newer."""
    old, new = written(tmp_path, record("passed", 1)), written(tmp_path, record("failed", 2), name="b.jsonl")
    os.utime(new, (0, 0))
    os.utime(old)
    assert [one.verdict for one in join([old, new]).records] == ["failed"]
