"""A/B: blocks alternate, a ratio has its interval, and what changes both engines alike is in no ratio."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks.latency_ab import record, summary
from fixtures.metrics.alternation import PAIRS, alternated
from fixtures.recording import RecordDraft, close, judge
from fixtures.runtimes.tensorrt.messages import Timing
from fixtures.verdicts import StageError

CASE = Case("latency-ab", "digits", "torchscript", 17, "rtx1.7", against="rtx1.6")


class Clock:
    """What is shared by two engines: who was timed, and a machine that becomes slower all the time."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.draw = np.random.default_rng(0)


class Playing:
    """An engine of a given time in ms."""

    def __init__(self, name: str, scale: float, clock: Clock) -> None:
        self.name, self.scale, self.clock = name, scale, clock

    def timing(self, sample: object, iterations: int, warmup: int) -> Timing:
        """Return as many times as were asked for."""
        self.clock.order.append(self.name)
        slower = 1 + len(self.clock.order) / 200
        times = self.scale * slower * np.exp(self.clock.draw.normal(0, 0.01, iterations))
        return Timing(tuple(times), None, "")


def blocks(scale: float) -> tuple[list[tuple[Timing, Timing]], Clock]:
    """Blocks of an engine of 1 ms and one of another scale."""
    clock = Clock()
    a, b = (
        partial(Playing(name, each, clock).timing, {}, 20, 3) for name, each in (("A", 1.0), ("B", scale))
    )
    return list(alternated(a, b)), clock


def test_blocks_alternate() -> None:
    """A B B A: none is always the second."""
    found, clock = blocks(1.0)
    assert len(found) == PAIRS
    assert "".join(clock.order) == "ABBA" * (PAIRS // 2)


@pytest.mark.parametrize(("scale", "said"), [(1.02, "slower"), (0.9, "faster"), (1.0, "no difference")])
def test_the_ratio_is_found_on_a_machine_that_becomes_slower(scale: float, said: str) -> None:
    """Slower by 30 % at the end, and yet 2 % are told from none."""
    draft = RecordDraft(CASE, {"name": "digits"}, {"flavour": "tensorrt-rtx", "version": "1.7"})
    draft.baseline = {"flavour": "tensorrt-rtx", "version": "1.6", "precision": "fp32"}
    pairs = [(a.enqueue_ms, b.enqueue_ms) for a, b in blocks(scale)[0]]
    restless = record(draft, "", pairs)
    draft.measure("unstable", bool(restless))
    metrics = {name: metric.value for name, metric in draft.metrics.items()}
    assert restless == []
    assert metrics["ratio_low"] <= scale <= metrics["ratio_high"]
    assert metrics["ratio_high"] - metrics["ratio_low"] < 0.015
    one = close(draft, judge(draft, None, ()), run_id="r", commit="c", time_="t")
    (line,) = summary([one])
    assert line.startswith("A/B digits opset 17 batch 1: tensorrt-rtx 1.7 fp32 takes ")
    assert line.endswith(f"at 99 %: {said}")


def ratios(*values: float) -> Iterator[tuple[list[float], list[float]]]:
    """Blocks of these ratios."""
    yield from (([1.0] * 5, [value] * 5) for value in values)


def test_ratios_that_scatter_are_unstable() -> None:
    """What is said of the times of one engine is said of ratios."""
    draft = RecordDraft(CASE, {"name": "digits"})
    (reason,) = record(draft, "", list(ratios(*[1.0, 1.5] * 15)))
    assert reason.startswith("ratios: the interquartile range is")


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_a_block_that_was_not_measured_is_red(ratio: float) -> None:
    """No run takes no time, nor one that is no number."""
    with pytest.raises(StageError, match="not measured"):
        record(RecordDraft(CASE, {"name": "digits"}), "", list(ratios(1.0, ratio)))
