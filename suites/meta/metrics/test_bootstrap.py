"""The bootstrap: closed cases, the same draws for both networks, and no figure where there is none."""

import math

import numpy as np
import pytest

from fixtures.metrics.bootstrap import Score, draws, paired

IMAGES = 200


def share(right: np.ndarray) -> Score:
    """The share of images that are right, under weights."""
    return lambda weights: weights @ right / weights.sum(axis=1)


def binomial(chance: float, percent: float) -> int:
    """The least count that so many percent of binomial draws of `IMAGES` do not exceed."""
    total = 0.0
    for count in range(IMAGES + 1):
        total += math.comb(IMAGES, count) * chance**count * (1 - chance) ** (IMAGES - count)
        if total >= percent / 100:
            return count
    return IMAGES


@pytest.mark.parametrize("lost", [2, 20, 100])
def test_the_interval_of_a_share_is_that_of_the_binomial_distribution(lost: int) -> None:
    """Where fp32 is always right, what is lost over draws is binomial: its percentiles are known exactly."""
    right = np.ones(IMAGES)
    right[:lost] = 0
    found, kept = paired(share(np.ones(IMAGES)), share(right), draws(IMAGES, 20000))
    assert found.value == pytest.approx(100 * lost / IMAGES)
    assert kept.value == pytest.approx(100 - found.value)
    for percent, bound in ((2.5, found.low), (97.5, found.high)):
        assert bound * IMAGES / 100 == pytest.approx(binomial(lost / IMAGES, percent), abs=1)
    assert (kept.low, kept.high) == pytest.approx((100 - found.high, 100 - found.low))


def test_two_networks_are_drawn_together() -> None:
    """Networks that are right on the same images lose nothing in any draw, however bad both are."""
    right = np.arange(IMAGES) % 3 == 0
    found, kept = paired(share(right), share(right), draws(IMAGES))
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert (kept.low, kept.high) == (100, 100)


def test_draws_are_seeded_and_whole() -> None:
    """Each draw has as many images as there are, and another seed draws otherwise."""
    one = draws(7, 50)
    assert one.shape == (50, 7)
    assert (one.sum(axis=1) == 7).all()
    assert (one == draws(7, 50)).all()
    assert (one != draws(7, 50, seed=15)).any()


def test_nothing_can_be_kept_of_nothing() -> None:
    """Of a network that is never right no share is kept: it is not said that all is."""
    found, kept = paired(share(np.zeros(5)), share(np.zeros(5)), draws(5))
    assert found.value == 0
    assert all(math.isnan(value) for value in (kept.value, kept.low, kept.high))


def test_one_image_is_drawn_over_and_over() -> None:
    """Its interval has no width; a value and its interval are one text."""
    assert draws(1).tolist() == [[1]] * 1000
    found, _ = paired(share(np.ones(1)), share(np.zeros(1)), draws(1))
    assert str(found) == "100 (95% interval 100 to 100)"


def test_no_image_is_refused() -> None:
    """A score over nothing is no score."""
    with pytest.raises(ValueError, match="no image"):
        draws(0)
