"""The order statistics of latency samples."""

import pytest

from fixtures.metrics.latency import Summary, summarize


def test_samples_are_summarized_in_whatever_order() -> None:
    """Percentiles interpolate linearly; one outlier moves neither the median nor the spread."""
    found = summarize([9.0, 1.0, 3.0, 2.0, 4.0])
    assert (found.median, found.p95, found.iqr) == (3.0, pytest.approx(8.0), 2.0)


def test_one_sample_is_its_own_summary() -> None:
    """It has no spread."""
    assert summarize([7.0]) == Summary(7.0, 7.0, 0.0)


def test_no_sample_is_an_error() -> None:
    """Nothing is summarized as nothing."""
    with pytest.raises(ValueError, match="no sample"):
        summarize([])
