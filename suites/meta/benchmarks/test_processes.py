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
    ("first", "other", "limit", "same"),
    [(1.0, 1.0, None, True), (float("nan"), float("nan"), None, True), (float("nan"), 1.0, None, False),
     (0.01, 0.03, 1.0, True), (0.01, 0.049, 1.0, False), (0.04, 0.06, 1.0, False), (0.5, 0.505, 1.0, True),
     (0.5, 0.6, 1.0, False), (0.0, 1e-9, None, False), (1e-9, 3e-9, 1e-8, False), (100, 103, None, False)],
)  # fmt: skip
def test_small_differences_are_noise(first: float, other: float, limit: float | None, same: bool) -> None:
    """Of two that are far below what is allowed each may be four times the other, else two in a hundred."""
    assert alike(first, other, limit) is same
    assert alike(other, first, limit) is same


def test_numbers_and_folders_of_a_text_are_put_aside() -> None:
    """Whole numbers are not: they count."""
    assert plain("3 of 4 at 1.23e-05 in /tmp/a/records/b.jsonl") == "3 of 4 at 1e-05 in records/b.jsonl"
