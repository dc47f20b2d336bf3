"""How long one forward pass takes, per runtime. Measured and recorded; nothing here asserts a time."""

from collections.abc import Callable

import pytest

from fixtures.checks.latency import CLOCK, GPU_ITERATIONS, ITERATIONS
from fixtures.pipeline.batches import Samples
from fixtures.runtimes.base import Runtime
from fixtures.runtimes.tensorrt.engine import Engine


@pytest.mark.stage("latency", part="cpu")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_on_the_cpu(
    cpu_runtime: Runtime, samples: Samples, assert_measured: Callable[..., None]
) -> None:
    """The source framework and ONNX Runtime are timed on the first sample, batch 1."""
    assert_measured(cpu_runtime.time(samples.inputs[0], ITERATIONS))


@pytest.mark.stage("latency", part="source-gpu")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_of_the_source_on_the_gpu(
    source_on_gpu: Runtime, samples: Samples, assert_measured: Callable[..., None]
) -> None:
    """PyTorch is timed on the GPU on the first sample, batch 1, in fp32 and in fp16 by autocast."""
    assert_measured(source_on_gpu.time(samples.inputs[0], GPU_ITERATIONS))


@pytest.mark.stage("latency", part="engine")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_of_the_engine(
    engine: Engine, samples: Samples, assert_measured: Callable[..., None]
) -> None:
    """The engine is timed by CUDA events on the first sample, batch 1."""
    timing = engine.timing(samples.inputs[0], GPU_ITERATIONS)
    assert_measured(timing.enqueue_ms, timing.graph_ms)
