"""Two distributions as text: on one scale, with what a person compares."""

from fixtures.baselines.sketch import BARS, WIDTH, sketch

BEFORE, AFTER = [1.0] * 30 + [2.0] * 10, [3.0] * 40


def bars(line: str) -> str:
    """The part of a line that is drawn."""
    return line.split("|")[1]


def test_both_lie_on_one_scale() -> None:
    """From the least to the greatest of both; the highest bar is the commonest, others are in proportion."""
    before, now, scale = sketch(BEFORE, AFTER, "ms")
    assert bars(before) == BARS[8] + " " * 19 + BARS[3] + " " * 19
    assert bars(now) == " " * 39 + BARS[8]
    assert scale == " " * 8 + "1 ms".ljust(WIDTH - 8) + "3 ms".rjust(8)
    assert before.endswith("| median 1, quartiles 1 to 1.25, p95 2, n 40")
    assert now == f"now    |{bars(now)}| median 3, quartiles 3 to 3, p95 3, n 40"
    assert before.startswith("before |")


def test_an_outlier_does_not_squeeze_the_rest() -> None:
    """The scale ends at the 99th percentile of both, and what is beyond stands in the last column."""
    before, now, scale = sketch([*range(1, 101)], [*range(1, 100), 10_000], "s")
    assert scale.split() == ["1", "s", "99.01", "s"]
    assert bars(now)[-1] == bars(before)[-1] != " "
    assert "p95 95.05" in now


def test_samples_that_are_all_alike_are_drawn() -> None:
    """There is no width to divide: one of a hundredth stands for it."""
    before, _, scale = sketch([2.0] * 9, [2.0] * 9, "ms")
    assert bars(before) == BARS[8] + " " * (WIDTH - 1)
    assert scale.split() == ["2", "ms", "2.02", "ms"]


def test_one_sample_is_a_bar() -> None:
    """However rare, what was seen is drawn."""
    assert bars(sketch([1.0] * 500 + [2.0], [1.0, 2.0], "")[0])[-1] == BARS[1]
