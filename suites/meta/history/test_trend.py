"""A metric over the runs: a series for each case, in the order of time, each value beside the one before."""

import pytest

from fixtures.history.trend import SHOWN, trend
from fixtures.records import Metric, Record
from suites.meta.report.planted import record


def measured(day: int, value: float, opset: int = 11, name: str = "median") -> Record:
    """A record of a day with one metric."""
    time = f"2026-01-{day:02}T00:00:00+00:00"
    return record(opset=opset, time=time, metrics={name: Metric(value, "ms")})


def test_each_case_is_a_series_in_the_order_of_time() -> None:
    """Whatever the order of the records; a record without the metric is in none."""
    values = {11: [1.0, 2.0, 1.0], 13: [4.0, 0.0, 5.0]}
    records = [measured(day, value, opset) for opset in values for day, value in enumerate(values[opset], 1)]
    records = records[::-1]
    found = trend([*records, measured(9, 1.0, name="p95")], "median")
    assert [[step.metric.value for step in steps] for steps in found] == list(values.values())
    assert [[step.before for step in steps] for steps in found] == [[None, 1.0, 2.0], [None, 4.0, 0.0]]
    assert [{step.record.opset for step in steps} for steps in found] == [{11}, {13}]


def test_a_metric_that_no_record_has_is_named_with_the_nearest() -> None:
    """Or with the first few, where none is near; or with none."""
    records = [measured(1, 1.0, name=f"value_{number}") for number in range(SHOWN + 3)]
    near = [measured(1, 1.0, name=name) for name in ("median", "p95")]
    with pytest.raises(LookupError, match=r"no record has a metric 'medain'; there are median$"):
        trend([*near, *records], "medain")
    with pytest.raises(LookupError, match="there are p95, value_0, value_1, value_10, ") as error:
        trend([measured(1, 1.0, name="p95"), *records], "xyz")
    assert SHOWN == 8
    assert str(error.value).count(",") == SHOWN - 1
    with pytest.raises(LookupError, match=r"there are none$"):
        trend([record(metrics={})], "median")
