"""INT8's latency stands beside fp32's and fp16's in one record, and what is not faster is said."""

from collections.abc import Callable

import pytest

from fixtures.cases import Case
from fixtures.checks.int8_latency import record
from fixtures.checks.latency import Measurement
from fixtures.recording import RecordDraft
from fixtures.verdicts import StageError

CASE = Case("latency", "digits", "torchscript", 17, precision="int8", route="qdq", runtime="tensorrt")


def refused() -> Measurement:
    """What becomes of an engine that cannot be built."""
    raise StageError("no implementation for /0/Conv\nand more")


def recorded(fp16: Callable[[], Measurement]) -> RecordDraft:
    """The record of an INT8 engine of 2 ms beside one of 6 ms in fp32."""
    draft = RecordDraft(CASE, {"name": "digits"})
    others = {"fp32": lambda: Measurement([6.0, 6.0, 9.0, 6.0, 6.0]), "fp16": fp16}
    record(draft, Measurement([2.0, 1.0, 5.0]), others)
    return draft


def test_medians_and_speedups_are_in_one_record() -> None:
    """Three times as fast as fp32, twice as fast as fp16, and nothing to be said."""
    draft = recorded(lambda: Measurement([4.0] * 5))
    values = {name: metric.value for name, metric in draft.metrics.items()}
    assert values == {"fp32_median": 6, "int8_over_fp32": 3, "fp16_median": 4, "int8_over_fp16": 2}
    assert not draft.notes


@pytest.mark.parametrize("fp16", [2.0, 1.5])
def test_int8_that_is_not_faster_than_fp16_is_said(fp16: float) -> None:
    """As fast is not faster."""
    (note,) = recorded(lambda: Measurement([fp16] * 5)).notes
    assert note == f"INT8 takes 2 ms, fp16 {fp16:.3g} ms: what it costs in accuracy buys nothing here"


def test_times_beside_it_that_are_not_steady_are_said() -> None:
    """What INT8 buys is a ratio, and no steadier than either of its times."""
    draft = recorded(lambda: Measurement([3.0, 5.0, 3.0, 5.0, 3.0]))
    assert draft.notes[0].startswith("unstable: fp16 beside it: the interquartile range is 66.7 %")
    assert "int8_over_fp16" in draft.metrics


def test_an_engine_that_is_refused_is_left_out() -> None:
    """The others are there, and why it is not in one line."""
    draft = recorded(refused)
    assert set(draft.metrics) == {"fp32_median", "int8_over_fp32"}
    assert draft.notes == ["no latency in fp16 beside it: no implementation for /0/Conv"]
