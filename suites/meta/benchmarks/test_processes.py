"""What two runs must agree on: anything that is planted in one of them is named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.processes import alike, differences, plain
from fixtures.records import Metric, Record
from suites.meta.report.planted import record

ONE = record(
    message="worst 1.25e-06 in /a/artifacts/objects/aa.onnx", rerun="pytest --artifacts=/a/0/artifacts",
    metrics={"worst": Metric(1e-3, "of allowed", limit=1.0), "build": Metric(1.0, "s")},
)  # fmt: skip
SAME = replace(
    ONE, message="worst 1.31e-06 in /b/artifacts/objects/aa.onnx", rerun="pytest --artifacts=/a/2/artifacts",
    metrics={"worst": Metric(2e-3, "of allowed", limit=1.0), "build": Metric(9.0, "s")},
)  # fmt: skip


def found(one: Sequence[Record], many: Sequence[Record]) -> list[str]:
    """What is not the same of two runs."""
    return list(differences({each.key: each for each in one}, {each.key: each for each in many}))


def test_runs_that_differ_in_noise_time_and_folders_are_the_same() -> None:
    """In any order."""
    other = replace(ONE, opset=19)
    assert found([ONE, other], [other, SAME]) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ({"verdict": "failed"}, "verdict is 'failed', and 'passed' in one process"),
        ({"message": "other"}, "message is 'other', and "),
        ({"rerun": "pytest"}, "rerun is 'pytest', and 'pytest --artifacts=artifacts'"),
        ({"model": {"name": "digits", "digest": "ab"}}, "model is "),
        ({"metrics": {}}, "metrics are [], and ['build', 'worst'] in one process"),
        ({"metrics": {**ONE.metrics, "worst": Metric(0.5)}}, "worst is 0.5 of allowed, and 0.001 in"),
    ],
)  # fmt: skip
def test_what_is_planted_is_named(planted: dict[str, Any], said: str) -> None:
    """A verdict, a message, a command, a model, a metric."""
    (line,) = found([ONE], [replace(SAME, **planted)])
    assert said in line


def test_a_record_of_one_run_alone_is_named() -> None:
    """Whichever it is."""
    other = replace(ONE, opset=19)
    assert [line.rpartition(": ")[2] for line in found([ONE], [SAME, other])] == ["only in several"]
    assert [line.rpartition(": ")[2] for line in found([ONE, other], [SAME])] == ["only in one process"]


def test_of_times_only_their_names_are_compared() -> None:
    """Latency is another one in each run; what is measured is not."""
    timed = replace(ONE, stage="latency")
    other = replace(timed, message="unstable: it moved", metrics={**ONE.metrics, "worst": Metric(9.0)})
    assert found([timed], [other]) == []
    assert found([timed], [replace(other, metrics={})]) != []


@pytest.mark.parametrize(
    ("first", "other", "unit", "same"),
    [(1.0, 1.0, "", True), (float("nan"), float("nan"), "", True), (float("nan"), 1.0, "", False),
     (0.01, 0.019, "", True), (0.01, 0.021, "of allowed", False), (0.9, 1.1, "of allowed", False),
     (1.1, 1.2, "of allowed", True), (0.0, 1e-9, "", False), (100, 101, "nodes", False),
     (100, 100.05, "points", True)],
)  # fmt: skip
def test_noise_of_distances_is_none(first: float, other: float, unit: str, same: bool) -> None:
    """One may be twice the other, on the same side of the limit; counts are equal."""
    pair = [Metric(value, unit, limit=1.0) for value in (first, other)]
    assert alike(*pair) is alike(*reversed(pair)) is same


def test_numbers_and_folders_of_a_text_are_put_aside() -> None:
    """Whole numbers are not: they count."""
    assert plain("3 of 4 at 1.23e-05 in /tmp/a/records/b.jsonl") == "3 of 4 at 1e-05 in records/b.jsonl"
