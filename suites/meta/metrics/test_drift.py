"""Drift: slow and steady rise is found, noise and single steps are none."""

from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np
import pytest

from fixtures.metrics.drift import CHANCE, RUNS, drift, kendall_chance

NOISE = np.exp(np.random.default_rng(3).normal(0, 0.003, RUNS))


@pytest.mark.parametrize("step", [1.012, 1.02, 1.04])
def test_a_slow_rise_is_found(step: float) -> None:
    """Ten runs of 1.2 % more each are 11 % in all, whatever each scatters."""
    found = drift(NOISE * step ** np.arange(RUNS))
    assert found == pytest.approx(step ** (RUNS - 1) - 1, rel=0.1)


@pytest.mark.parametrize(
    "values",
    [
        NOISE,
        NOISE[::-1],
        1.012 ** -np.arange(RUNS),
        [1.0] * 5 + [1.2] * 5,
        [1.0] * 9 + [2.0],
        [1.0, 1.5, 2.0],
    ],
)
def test_what_is_no_drift(values: Sequence[float]) -> None:
    """Noise, improvement, one step that stays, one outlier, and too few runs."""
    assert drift(values) == 0.0


def test_ten_runs_are_enough() -> None:
    """One less is not, as the pages say."""
    rising = [1.02**number for number in range(RUNS)]
    assert RUNS == 10
    assert drift(rising) > 0
    assert drift(rising[1:]) == 0


@pytest.mark.parametrize("first", [0.0, -1.0])
def test_what_is_not_above_0_has_no_part(first: float) -> None:
    """A growth in parts of nothing is none."""
    assert drift([first, *(1.02**number for number in range(RUNS))]) == 0


def test_one_run_that_stands_out_moves_no_slope() -> None:
    """The slope is the median of all, whatever the last one was."""
    rising = [1.02**number for number in range(RUNS)]
    assert drift([*rising[:-1], 9.0]) == pytest.approx(drift(rising), rel=0.15)


def test_noise_is_seldom_taken_for_a_trend() -> None:
    """Of 2,000 series without a trend at most as many as chance allows pass the test."""
    draw = np.random.default_rng(0)
    found = [kendall_chance(draw.normal(1, 0.05, RUNS)) <= CHANCE for _ in range(2000)]
    assert np.mean(found) <= CHANCE + 3 * np.sqrt(CHANCE / 2000)


def test_the_chance_is_that_of_kendall() -> None:
    """Beside the exact one, counted over all orders of seven values."""
    scores = [sum(int(np.sign(b - a)) for a, b in combinations(one, 2)) for one in permutations(range(7))]
    for values in ([1, 2, 3, 4, 5, 6, 7], [1, 3, 2, 4, 5, 7, 6], [4, 1, 6, 2, 7, 3, 5]):
        score = sum(int(np.sign(b - a)) for a, b in combinations(values, 2))
        exact = np.mean([one >= score for one in scores])
        assert kendall_chance(values) == pytest.approx(exact, abs=0.008)
