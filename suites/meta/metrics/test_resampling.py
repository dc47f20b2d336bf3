"""Intervals of ratios: they hold the truth as often as they say, also where neighbours are alike."""

from collections.abc import Callable

import numpy as np
import pytest

from fixtures.metrics.resampling import ratio_of_medians, ratio_of_pairs


def steady(draw: np.random.Generator, scale: float) -> np.ndarray:
    """Samples that scatter by 2 % around a scale."""
    return scale * np.exp(draw.normal(0, 0.02, 200))


def wandering(draw: np.random.Generator, scale: float) -> np.ndarray:
    """Samples of which each is like its neighbour: an autoregressive series."""
    series, now = [], 0.0
    for step in draw.normal(0, 0.01, 200):
        now = 0.5 * now + step
        series.append(scale * np.exp(now))
    return np.array(series)


@pytest.mark.parametrize("made", [steady, wandering])
def test_the_interval_holds_the_ratio(made: Callable[[np.random.Generator, float], np.ndarray]) -> None:
    """Of 100 pairs whose true ratio is 1.07 at least 94 intervals hold it, and they are narrow."""
    found = [
        ratio_of_medians(made(draw, 1.0), made(draw, 1.07)) for draw in map(np.random.default_rng, range(100))
    ]
    assert sum(one.low <= 1.07 <= one.high for one in found) >= 94
    assert np.median([one.high - one.low for one in found]) < 0.03


def test_equal_samples_have_a_ratio_of_one() -> None:
    """Without scatter there is no doubt."""
    found = ratio_of_medians([2.0] * 9, [2.0] * 9)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_one_pair_of_samples_has_one_interval() -> None:
    """The draws are the same each time."""
    draw = np.random.default_rng(0)
    a, b = steady(draw, 1.0), steady(draw, 1.0)
    assert ratio_of_medians(a, b) == ratio_of_medians(a, b)


def test_what_both_sides_of_a_pair_share_is_in_no_ratio() -> None:
    """A clock that halves on the way widens the ratio of medians, not that of pairs."""
    draw = np.random.default_rng(1)
    clock = np.linspace(1, 2, 60)
    before, after = (clock * np.exp(draw.normal(0, 0.005, 60)) * scale for scale in (1.0, 1.03))
    paired, apart = ratio_of_pairs(before, after), ratio_of_medians(before, after)
    assert 1.02 < paired.low <= paired.value <= paired.high < 1.04
    assert apart.high - apart.low > 5 * (paired.high - paired.low)


def test_samples_that_do_not_fit_are_an_error() -> None:
    """Pairs of which one half is missing, and no samples at all."""
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        ratio_of_pairs([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="no sample"):
        ratio_of_medians([], [1.0])
