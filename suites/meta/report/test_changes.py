"""What has changed since the run before, and what moved over many runs."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.records import Metric, Record
from fixtures.report.changes import BASELINE, beyond_baseline, changes, trends
from fixtures.report.join import join
from suites.meta.report.planted import record, written


def said(folder: Path, *records: Record) -> list[tuple[str, bool]]:
    """Return each change in words, and whether it is for the worse."""
    written(folder, *records)
    return [(change.what, change.worse) for change in changes(join([folder]))]


def measured(day: int, **metrics: float) -> Record:
    """Return a passed record of a day with these metrics."""
    return record("passed", day, metrics={name: Metric(value) for name, value in metrics.items()})


def test_a_verdict_is_held_against_the_run_before(tmp_path: Path) -> None:
    """Of three runs the last is held against the second; a run that did not reach the case is passed over."""
    runs = [record("failed", 1), record("passed", 2), record("failed", 3), record("not-run", 4)]
    assert said(tmp_path, *runs) == [("passed -> failed", True)]


@pytest.mark.parametrize(
    ("metric", "before", "now", "worse"),
    [
        ("median", 1.0, 1.06, True), ("median", 1.0, 0.9, False), ("median", 1.0, 1.04, None),
        ("worst", 0.1, 0.25, True), ("worst", 0.001, 0.003, None), ("worst", 0.1, 0.15, None),
        ("drop", 0.1, 0.7, True), ("drop", 0.1, 0.5, None), ("engine_size", 100, 111, True),
        ("worst", 0.0, 0.5, True), ("worst", float("nan"), 0.5, None), ("parse", 1.0, 9.0, None),
    ],
)  # fmt: skip
def test_a_metric_is_listed_beyond_its_margin(
    metric: str, before: float, now: float, worse: bool | None, tmp_path: Path
) -> None:
    """What moved less than its margin, and what has none, is not listed."""
    found = said(tmp_path, measured(1, **{metric: before}), measured(2, **{metric: now}))
    assert [is_worse for _, is_worse in found] == ([] if worse is None else [worse])


def test_another_device_is_another_question(tmp_path: Path) -> None:
    """A slower machine is no regression."""
    fast, slow = ({"device": {"name": name}, "stage": "latency"} for name in ("H200", "T4"))
    records = [record("passed", 1, samples=(1.0,), **fast), record("passed", 2, samples=(9.0,), **slow)]
    assert said(tmp_path, *records) == []


def test_samples_stand_for_a_median_that_is_not_there(tmp_path: Path) -> None:
    """Latency of a source framework has samples alone."""
    days = [record("passed", day, stage="latency", samples=(1.0 * day,) * 3) for day in (1, 2)]
    assert said(tmp_path, *days) == [("latency 1 -> 2 ms, 2 times", True)]


def test_what_is_beyond_its_baseline_is_found_by_its_hop() -> None:
    """A red record whose first line blames the baseline is listed; another red one is not."""
    about: dict[str, Any] = {"message": f"latency digits: {BASELINE}\nmedian: 2 ms, was 1"}
    found = [
        record("failed", 1, **about),
        record("failed", 1, opset=12),
        record("passed", 1, opset=13, **about),
    ]
    assert beyond_baseline(found) == found[:1]


def test_a_trend_has_a_point_a_run_in_the_order_of_the_runs(tmp_path: Path) -> None:
    """Whatever the order of the lines; one run alone is no trend, and values that are none are left out."""
    written(tmp_path, *(measured(day, worst=day / 10) for day in (3, 1, 2)), record("passed", 1, opset=12))
    (trend,) = trends(join([tmp_path]))["digits"]
    assert [value for _, value in trend.points] == [0.1, 0.2, 0.3]
    assert trend.ratio == pytest.approx(3)
