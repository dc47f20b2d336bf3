"""The end of a run says where its time went."""

import pytest

from fixtures.records import Metric, Record
from fixtures.report.shares import harness, shares


def ended(stage: str, seconds: float, **made: float) -> Record:
    """A record of a stage that took so long, and of what was made in it."""
    metrics = {name: Metric(value, "s") for name, value in made.items()}
    return Record(stage, "passed", {"name": "digits"}, seconds=seconds, metrics=metrics)


def test_seconds_by_stage_and_by_work() -> None:
    """The largest share comes first, and all shares add up to the whole."""
    records = [ended("latency", 3.0), ended("convert", 4.0, convert=3.5), ended("convert", 2.0, convert=1.0)]
    assert list(shares([*records, ended("tensorrt-build", 1.0, parse=0.25, build=0.5)])) == [
        "time: 10.0 s in 4 stages: convert 6.0 s (60%), latency 3.0 s (30%), tensorrt-build 1.0 s (10%)",
        "of it running, comparing and the store 4.8 s (48%), converting 4.5 s (45%), building 0.5 s (5%), "
        "parsing 0.2 s (2%)",
    ]


def test_what_came_from_the_store_took_no_time() -> None:
    """A model or an engine that an earlier run made is no share of this one."""
    (_, work) = shares(
        [ended("convert", 0.5, convert=90.0), ended("tensorrt-build", 0.5, parse=1.0, build=0.1)]
    )
    assert work == "of it running, comparing and the store 1.0 s (100%)"


def test_other_metrics_are_no_time() -> None:
    """A metric of the same name in another unit is left out."""
    record = Record("x", "passed", {"name": "d"}, seconds=2.0, metrics={"build": Metric(1.0, "bytes")})
    assert "building" not in " ".join(shares([record]))


def test_a_small_share_is_not_named_and_nothing_makes_no_line() -> None:
    """What took less than a hundredth of the time is left out; a run of no seconds says nothing."""
    (stages, _) = shares([ended("latency", 99.5), ended("convert", 0.5)])
    assert "convert" not in stages
    assert list(shares([])) == []
    assert list(shares([ended("latency", 0.0)])) == []


def test_what_the_suite_itself_costs_is_told_by_stage() -> None:
    """The mean of each stage's cases, the most first, and a mark on what is above the goal."""
    records = [Record(stage, "passed", {"name": "d"}, harness=cost) for stage, cost in (
        ("convert", 0.02), ("latency", 0.1), ("latency", 0.4))]  # fmt: skip
    assert list(harness(records, verbose=True)) == [
        "the suite itself, beyond converting, building and running: 0.173 s a case (goal: at most 0.15 s): "
        "latency 0.250 s!, convert 0.020 s"
    ]
    assert list(harness([ended("convert", 4.0)], verbose=True)) == []


@pytest.mark.parametrize(("costs", "lines"), [([0.1, 0.15], 0), ([0.1, 0.21], 1)])
def test_what_keeps_the_goal_is_told_to_who_asks(costs: list[float], lines: int) -> None:
    """Without -v only a mean above the goal is said; with it, each."""
    records = [Record("convert", "passed", {"name": "d"}, harness=cost) for cost in costs]
    assert len(list(harness(records, verbose=False))) == lines
    assert len(list(harness(records, verbose=True))) == 1
