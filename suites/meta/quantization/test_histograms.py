"""A histogram depends on the values alone: not on their order, nor on how they are cut into batches."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fixtures.quantization.histograms import BINS, CHUNK, LOWEST, Histogram, Workspace

NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
FINITE = arrays.arrays(np.float32, st.integers(1, 300), elements=NUMBERS)


def counted(*parts: np.ndarray) -> Histogram:
    """Return a histogram that was fed one part after the other."""
    histogram, workspace = Histogram(), Workspace()
    for part in parts:
        histogram.add(part, workspace)
    return histogram


def state(histogram: Histogram) -> tuple[list[int], int, float]:
    """Return all that a histogram holds."""
    return histogram.counts.tolist(), histogram.exponent, histogram.greatest


@given(FINITE, st.integers(0, 300), st.randoms(use_true_random=False))
def test_batches_and_order_change_nothing(values: np.ndarray, cut: int, random: object) -> None:
    """Bit for bit the same, however the values come."""
    shuffled = values.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert state(counted(values[:cut], values[cut:])) == state(counted(values)) == state(counted(shuffled))


@given(FINITE)
def test_bins_are_those_of_a_literal_count(values: np.ndarray) -> None:
    """NumPy's histogram over [0, 2**exponent), in float64, has the same counts."""
    histogram = counted(values)
    magnitudes = np.abs(values).astype(np.float64)
    assert histogram.greatest == magnitudes.max()
    assert histogram.exponent == max(LOWEST, math.frexp(histogram.greatest)[1] if values.any() else LOWEST)
    bins = np.floor(magnitudes / math.ldexp(1.0, histogram.exponent) * BINS).astype(int)
    assert histogram.counts.tolist() == np.bincount(bins, minlength=BINS).tolist()


def test_more_than_a_chunk_is_counted_whole() -> None:
    """Values behind the first chunk count, and widen the range."""
    values = np.full(CHUNK + 3, 0.5, np.float32)
    values[-1] = -5
    histogram = counted(values)
    assert (histogram.counts.sum(), histogram.exponent, histogram.greatest) == (CHUNK + 3, 3, 5)
    assert histogram.counts[int(0.5 / histogram.width)] == CHUNK + 2


@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "is NaN"), (np.inf, "is infinite"), (-np.inf, "is infinite")]
)
def test_a_value_that_is_no_number_is_refused(value: float, said: str) -> None:
    """It is named for what it is, wherever it lies."""
    with pytest.raises(ValueError, match=said):
        counted(np.array([1, 2, value, 3], np.float32))


def test_zeros_are_in_the_first_bin() -> None:
    """A tensor of zeros has no range, and one bin in use."""
    histogram = counted(np.zeros(7, np.float32))
    assert (histogram.greatest, histogram.used, histogram.counts[0]) == (0, 1, 7)
