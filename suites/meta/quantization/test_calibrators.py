"""The calibrators find what their definitions say, worked out literally and slowly here."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.cases import CALIBRATORS, OWN_CALIBRATORS
from fixtures.quantization import calibrators, ranges
from fixtures.quantization.calibrators import LEVELS, METHODS, OF_TENSORRT, divergences, squared_errors
from fixtures.quantization.histograms import BINS, Histogram, Workspace
from fixtures.records import USUAL_CALIBRATOR
from fixtures.runtimes.tensorrt import worker


def literal_divergence(counts: np.ndarray, end: int) -> float:
    """KL(P || Q) of the threshold at the end of a bin, bin by bin as S. Migacz's slides tell it (S7310)."""
    reference = counts[:end].astype(float)
    reference[-1] += counts[end:].sum()
    levels: dict[int, list[int]] = {}
    for place in range(end):
        levels.setdefault(place * LEVELS // end, []).append(place)
    candidate = np.zeros(end)
    for places in levels.values():
        filled = [place for place in places if counts[place]]
        for place in filled:
            candidate[place] = counts[places].sum() / len(filled)
    if not candidate.sum():
        return np.inf
    p, q = reference / reference.sum(), candidate / candidate.sum()
    with np.errstate(divide="ignore"):
        return float(sum(a * np.log(a / b) for a, b in zip(p, q, strict=True) if a))


def literal_squared_error(counts: np.ndarray, end: int) -> float:
    """Sum of squared errors in bins of rounding each bin's centre to LEVELS levels up to the end of a bin."""
    step = end / (LEVELS - 1)
    centres = np.arange(counts.size) + 0.5
    levels = np.clip(np.ceil(centres / step - 0.5), 0, LEVELS - 1)
    return float((counts * (centres - levels * step) ** 2).sum())


def drawn(seed: int, bins: int, least: int, empty: float) -> np.ndarray:
    """Counts, small ones among large ones, of bins from the least on, of which a part is empty.

    Value by value hypothesis takes 40 ms for as many.
    """
    random = np.random.default_rng(seed)
    counts = np.where(random.random(bins) < 0.5, random.integers(0, 6, bins), random.integers(0, 10**6, bins))
    return np.where((random.random(bins) < empty) | (np.arange(bins) < least), 0, counts)


COUNTS = st.builds(
    drawn,
    st.integers(0, 2**32 - 1),
    st.integers(160, 400),
    st.integers(0, 250),
    st.sampled_from([0, 0.5, 0.9]),
).filter(np.any)


@given(COUNTS, st.data())
def test_divergences_are_the_literal_ones(counts: np.ndarray, data: st.DataObject) -> None:
    """Prefix sums give what the bins one by one give, infinite where that is."""
    ends = np.unique(data.draw(st.lists(st.integers(LEVELS, len(counts)), min_size=1, max_size=4)))
    expected = [literal_divergence(counts, int(end)) for end in ends]
    np.testing.assert_allclose(divergences(counts, ends), expected, rtol=1e-7, atol=1e-9)


@given(COUNTS, st.data())
def test_squared_errors_are_the_literal_ones(counts: np.ndarray, data: st.DataObject) -> None:
    """Prefix sums of moments give what the bins one by one give."""
    ends = np.unique(data.draw(st.lists(st.integers(LEVELS, len(counts)), min_size=1, max_size=4)))
    expected = [literal_squared_error(counts, int(end)) for end in ends]
    np.testing.assert_allclose(squared_errors(counts, ends), expected, rtol=1e-6, atol=1e-3)


def histogram_of(values: np.ndarray) -> Histogram:
    """Count values."""
    histogram = Histogram()
    histogram.add(values.astype(np.float32), Workspace())
    return histogram


@pytest.fixture(scope="module")
def tailed() -> Histogram:
    """A half-normal with a far tail of few values, as activations have."""
    random = np.random.default_rng(0)
    return histogram_of(np.concatenate([random.standard_normal(100_000), [40.0, 60.0]]))


def test_each_method_clips_as_it_should(tailed: Histogram) -> None:
    """Minmax keeps the tail; percentile, entropy and mse cut it, and keep nearly all else."""
    found = {name: method(tailed) for name, method in METHODS.items()}
    assert found["minmax"] == 60
    assert found["percentile"] == pytest.approx(4, abs=0.5)  # 99.99 % of a half-normal lie below 3.9
    assert 2 < found["entropy"] < 10
    assert found["entropy"] < found["mse"] < 60  # what is clipped costs its square


@pytest.mark.parametrize("method", METHODS)
def test_a_threshold_is_a_value_that_occurs_or_an_edge_below(method: str, tailed: Histogram) -> None:
    """No method gives more than the greatest value, nor less than nothing."""
    assert 0 < METHODS[method](tailed) <= tailed.greatest


@pytest.mark.parametrize("method", METHODS)
def test_a_tensor_of_zeros_has_no_threshold(method: str) -> None:
    """Nothing is divided by zero: the threshold is 0, whose scale `ranges` makes 1."""
    assert METHODS[method](histogram_of(np.zeros(10))) == 0


def test_a_tensor_of_one_value_keeps_it() -> None:
    """All that lies in a bin or two is kept by every method but for the width of a bin."""
    for name, method in METHODS.items():
        assert method(histogram_of(np.full(100, 3.0))) == pytest.approx(3, rel=2 / BINS * 2), name


def test_exact_zeros_do_not_pull_the_threshold(tailed: Histogram) -> None:
    """A ReLU's zeros, half of all values, leave the entropy threshold where it was."""
    values = np.abs(np.random.default_rng(0).standard_normal(100_000))
    with_zeros = histogram_of(np.concatenate([values, np.zeros(100_000), [40.0, 60.0]]))
    assert calibrators.entropy(with_zeros) == pytest.approx(calibrators.entropy(tailed), rel=0.1)


def test_a_run_can_choose_every_calibrator() -> None:
    """The option's choices are those that there are, and the usual one of records is its default."""
    assert sorted(CALIBRATORS) == sorted(METHODS)
    assert CALIBRATORS[0] == USUAL_CALIBRATOR
    assert OWN_CALIBRATORS == OF_TENSORRT
    assert {*OWN_CALIBRATORS} == {*worker.CALIBRATORS}


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=50))
def test_neither_mse_nor_minmax_cuts_short(values: list[float]) -> None:
    """What is said of them without a look is so: no threshold of either is below that of mse."""
    found = histogram_of(np.array(values, np.float32))
    assert all(METHODS[method](found) >= METHODS["mse"](found) for method in ranges.NEVER_SHORT)
