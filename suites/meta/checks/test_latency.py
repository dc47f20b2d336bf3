"""Latency: samples and their summary go into the record; a sample that nobody measured is red."""

from collections.abc import Sequence

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks.latency import Measurement, SampleClock, record, summary
from fixtures.environment.clocks import GpuState
from fixtures.recording import RecordDraft, close, judge
from fixtures.runtimes.tensorrt.messages import Timing, Warmup
from fixtures.verdicts import StageError

CASE = Case("latency", "digits", "torchscript", 17, runtime="onnxruntime")
STEADY = (1.0,) * 30
WARM = Warmup(60, steady=True, first_seconds=0.5, cached_seconds=0.1, memory_taken=2048, device_memory=1024)
COOL = GpuState(1980, 3201, 40, 100.0)


def recorded(measured: Measurement) -> RecordDraft:
    """The draft that a measurement was written into."""
    draft = RecordDraft(CASE, {"name": "digits"})
    record(draft, measured)
    return draft


def values(draft: RecordDraft) -> dict[str, float]:
    """What was measured, by name."""
    return {name: metric.value for name, metric in draft.metrics.items()}


def test_samples_are_summarized() -> None:
    """Percentiles, spread and variation of the samples, without a GPU of nothing else."""
    draft = recorded(Measurement([1.0, 2.0, 3.0]))
    found = values(draft)
    assert draft.samples == (1.0, 2.0, 3.0)
    assert (found["median"], found["iqr"], found["p95"]) == (2.0, 1.0, pytest.approx(2.9))
    assert set(found) == {"median", "p95", "p99", "iqr", "variation", "unstable"}


def test_all_that_was_measured_of_an_engine_is_recorded() -> None:
    """Replays, copies, the first inference, memory and the GPU's clocks, each beside the other."""
    timing = Timing(STEADY, (4.0, 6.0, 5.0), "", (7.0, 8.0, 9.0))
    found = values(recorded(Measurement(STEADY, WARM, timing, COOL, COOL)))
    assert (found["median"], found["cuda_graph_median"], found["host_median"]) == (1.0, 5.0, 8.0)
    assert (found["first_inference"], found["first_inference_cached"]) == (0.5, 0.1)
    assert (found["memory_taken"], found["device_memory"], found["warmup"]) == (2048, 1024, 60)
    assert (found["sm_clock_before"], found["temperature_after"], found["unstable"]) == (1980, 40, 0)


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (Measurement([1.0, 2.0] * 20), "the interquartile range is"),
        (Measurement(STEADY, Warmup(99, False, 1.0, None, 0, 0)), "it was not steady after 99 runs"),
        (
            Measurement(STEADY, WARM, None, COOL, GpuState(1500, 3201)),
            "the GPU's clock went from 1980 to 1500 MHz",
        ),
        (
            Measurement(STEADY, WARM, None, COOL, GpuState(1980, 1593)),
            "the GPU's memory clock went from 3201 to 1593 MHz",
        ),
        (Measurement(STEADY[:4]), "there are 4 samples, and fewer than 5"),
        (
            Measurement(STEADY, WARM, None, COOL, GpuState(1980, 3201, throttles=("power cap",))),
            "the GPU is slowed",
        ),
    ],
)
def test_what_is_unstable_is_said_aloud(measured: Measurement, said: str) -> None:
    """A stage whose times are not steady passes, and says so in its message, its metric and its reason."""
    draft = recorded(measured)
    ending = judge(draft, None, ())
    assert (ending.verdict, values(draft)["unstable"]) == ("passed", 1)
    assert f"unstable: {said}" in ending.message
    record_ = close(draft, ending, run_id="r", commit="c", time_="t")
    (line,) = summary([record_], verbose=True)
    assert line.startswith(f"latency digits onnxruntime fp32 batch 1: unstable: {said}")


def test_of_many_that_are_unstable_some_are_named() -> None:
    """The end of a run stays readable, and none is silent."""
    draft = recorded(Measurement([1.0, 2.0] * 20))
    one = close(draft, judge(draft, None, ()), run_id="r", commit="c", time_="t")
    assert list(summary([one] * 15, verbose=True))[-1] == "and 3 more are unstable: their records say why"
    (line,) = summary([one] * 15, verbose=False)
    assert line == "latency: the times of 15 cases are unstable, and judged by no baseline: -v says why"
    assert list(summary([], verbose=False)) == []


def test_unknown_clocks_are_said_and_not_unstable() -> None:
    """Who has not installed what reads them is told."""
    unknown = GpuState(reason="clocks are not known: no")
    draft = recorded(Measurement(STEADY, WARM, None, unknown, unknown))
    assert draft.notes == ["clocks are not known: no"]
    assert "sm_clock_before" not in draft.metrics


@pytest.mark.parametrize("clock", [0, 1, 2])
@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_no_clock_has_samples_that_were_not_measured(bad: float, clock: int) -> None:
    """Neither the events of enqueues, nor those of CUDA graphs, nor the host."""
    times = [(1.0, bad, 1.0) if number == clock else (1.0,) for number in range(3)]
    with pytest.raises(StageError, match=f"a sample of {bad} ms was not measured"):
        Measurement(times[0], WARM, Timing(times[0], times[1], "", times[2]))


def test_an_engine_without_a_cuda_graph_has_no_samples_of_one() -> None:
    """What cannot be captured is no sample that was not measured."""
    assert recorded(Measurement(STEADY, WARM, Timing(STEADY, None, "not captured", STEADY))).samples == STEADY


@pytest.mark.parametrize("bad", [[1.0, 0.0], [1.0, -1.0], [0.0, 0.0, 0.0]])
def test_a_sample_that_was_not_measured_is_red(bad: Sequence[float]) -> None:
    """No forward pass takes no time."""
    with pytest.raises(StageError, match=r"a sample of .* ms was not measured") as caught:
        recorded(Measurement(bad))
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
