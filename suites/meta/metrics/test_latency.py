"""The order statistics of latency samples, and which samples are steady enough to be judged."""

from collections.abc import Sequence

import numpy as np
import pytest

from fixtures.metrics.latency import Summary, summarize, unsteadiness


def test_samples_are_summarized_in_whatever_order() -> None:
    """Percentiles interpolate linearly; one outlier moves neither the median nor the spread."""
    found = summarize([9.0, 1.0, 3.0, 2.0, 4.0])
    assert (found.median, found.p95, found.iqr) == (3.0, pytest.approx(8.0), 2.0)
    assert found.p99 == pytest.approx(8.8)
    assert found.variation == pytest.approx(np.std([1, 2, 3, 4, 9]) / 3.8)


def test_one_sample_is_its_own_summary() -> None:
    """It has no spread."""
    assert summarize([7.0]) == Summary(7.0, 7.0, 7.0, 0.0, 0.0)


def test_no_sample_is_an_error() -> None:
    """Nothing is summarized as nothing."""
    with pytest.raises(ValueError, match="no sample"):
        summarize([])


NOISE = np.random.default_rng(0).normal(1, 0.01, 300)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (NOISE, []),
        (np.append(NOISE, [50.0] * 3), []),
        (NOISE + np.arange(300) % 2 * 0.2, ["the interquartile range is"]),
        (NOISE * np.linspace(1, 1.09, 300), ["the median moved by +5"]),
        (NOISE * np.linspace(1, 0.92, 300), ["the median moved by -5"]),
        ([1.0] * 4, ["there are 4 samples, and fewer than 5"]),
        ([1.0] * 5, []),
        ([10, 9.5, 8, 12, 10.5], []),  # 10 % and 5 % exactly
        ([10, 9.4, 8, 12, 10.5], ["the interquartile range is 11 % of the median"]),
        ([10, 9.6, 8, 12, 10.6], ["the median moved by +6 %"]),
    ],
)
def test_what_is_not_steady_says_why(samples: Sequence[float], said: list[str]) -> None:
    """Wide spread and drift are named; a few outliers are for p99 to show."""
    found = list(unsteadiness(samples))
    assert len(found) == len(said)
    assert all(reason.startswith(start) for reason, start in zip(found, said, strict=True))
