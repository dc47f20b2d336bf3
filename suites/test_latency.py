"""How long one forward pass takes, per runtime. Measured and recorded; nothing here asserts a time."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fixtures.cases import Case
from fixtures.metrics.latency import summarize
from fixtures.pipeline.batches import Samples
from fixtures.pipeline.pipeline import OnnxModel, Pipeline
from fixtures.recording import RecordDraft
from fixtures.runtimes import torch_runtime
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.tensorrt.client import TensorRT

ITERATIONS = 30
GPU_ITERATIONS = 200


class SampleClock:
    """A timer for pytest-benchmark that moves by measured samples.

    Samples come from child processes and from CUDA events, where pytest cannot hold the watch.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Now, in seconds."""
        return self.seconds

    def play(self, benchmark: Any, milliseconds: Sequence[float]) -> None:
        """Let pytest-benchmark see each sample as one round."""
        rest: Iterator[float] = iter(milliseconds)

        def advance() -> None:
            self.seconds += next(rest) / 1e3

        benchmark.pedantic(advance, rounds=len(milliseconds), iterations=1)


CLOCK = SampleClock()


@pytest.mark.stage("latency", part="cpu")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_on_the_cpu(
    case: Case,
    pipeline: Pipeline,
    draft: RecordDraft,
    onnx_model: OnnxModel,
    samples: Samples,
    request: pytest.FixtureRequest,
) -> None:
    """The source framework and ONNX Runtime are timed on the first sample, batch 1."""
    source = case.runtime == "source"
    runtime = pipeline.source_runtime(case.model) if source else OnnxRuntime(onnx_model.path)
    record(draft, request, runtime.time(samples.inputs[0], ITERATIONS))


@pytest.mark.stage("latency", part="source-gpu")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_of_the_source_on_the_gpu(
    case: Case,
    pipeline: Pipeline,
    draft: RecordDraft,
    source_gpu: str,
    samples: Samples,
    request: pytest.FixtureRequest,
) -> None:
    """PyTorch is timed on the GPU on the first sample, batch 1, in fp32 and in fp16 by autocast."""
    module = pipeline.source_module(case.model)
    taken = torch_runtime.time(module, samples.inputs[0], GPU_ITERATIONS, source_gpu, case.precision)
    record(draft, request, taken)


@pytest.mark.stage("latency", part="engine")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_of_the_engine(
    case: Case,
    draft: RecordDraft,
    onnx_model: OnnxModel,
    samples: Samples,
    gpu: TensorRT,
    build_as_predicted: Callable[[OnnxModel], Path],
    request: pytest.FixtureRequest,
) -> None:
    """The engine is timed by CUDA events on the first sample, batch 1."""
    engine = build_as_predicted(onnx_model)
    timing = gpu.time(engine, samples.inputs[0], iterations=GPU_ITERATIONS, precision=case.precision)
    if timing.graph_ms:
        draft.measure("cuda_graph_median", summarize(timing.graph_ms).median, "ms")
    record(draft, request, timing.enqueue_ms)


def record(draft: RecordDraft, request: pytest.FixtureRequest, milliseconds: Sequence[float]) -> None:
    """Write the samples and their summary into the record and into pytest-benchmark."""
    draft.samples = tuple(milliseconds)
    summary = summarize(milliseconds)
    draft.measure("median", summary.median, "ms")
    draft.measure("p95", summary.p95, "ms")
    draft.measure("iqr", summary.iqr, "ms")
    assert min(milliseconds) > 0, f"a sample of {min(milliseconds)} ms was not measured"
    # Asked for only now: pytest-benchmark warns of a benchmark that a stage not run left unused.
    CLOCK.play(request.getfixturevalue("benchmark"), milliseconds)
