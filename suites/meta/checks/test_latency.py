"""Latency: samples and their summary go into the record; a sample that nobody measured is red."""

import pytest

from fixtures.cases import Case
from fixtures.checks.latency import SampleClock, record
from fixtures.recording import RecordDraft
from fixtures.verdicts import StageError

CASE = Case("latency", "digits", "torchscript", 17, runtime="onnxruntime")


@pytest.mark.parametrize(("graph", "expected"), [(None, None), ((4.0, 6.0, 5.0), 5.0)])
def test_samples_are_summarized(graph: tuple[float, ...] | None, expected: float | None) -> None:
    """Median, 95th percentile and spread of the samples; the median of CUDA graphs where there are any."""
    draft = RecordDraft(CASE, {"name": "digits"})
    record(draft, [1.0, 2.0, 3.0], graph)
    found = {name: metric.value for name, metric in draft.metrics.items()}
    assert draft.samples == (1.0, 2.0, 3.0)
    assert (found["median"], found["iqr"], found["p95"]) == (2.0, 1.0, pytest.approx(2.9))
    assert found.get("cuda_graph_median") == expected


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_a_sample_that_was_not_measured_is_red(bad: float) -> None:
    """No forward pass takes no time."""
    with pytest.raises(StageError, match=r"a sample of .* ms was not measured") as caught:
        record(RecordDraft(CASE, {"name": "digits"}), [1.0, bad], None)
    assert caught.value.hop == "runtime"


def test_the_clock_moves_by_the_samples() -> None:
    """pytest-benchmark reads each sample as the time of one round."""
    clock, read = SampleClock(), []

    class Benchmark:
        """Calls the function as pytest-benchmark does."""

        def pedantic(self, step: object, rounds: int, iterations: int) -> None:
            """Run the rounds and note what the clock says after each."""
            for _ in range(rounds * iterations):
                step()  # type: ignore[operator]
                read.append(clock())

    clock.play(Benchmark(), [1.0, 3.0])
    assert read == pytest.approx([0.001, 0.004])
