"""How long one forward pass takes, per runtime. Measured and recorded; nothing here asserts a time."""

from collections.abc import Callable

import pytest

from fixtures.checks.latency import CLOCK, GPU_ITERATIONS, ITERATIONS, Measurement
from fixtures.checks.latency_ab import Alternation
from fixtures.pipeline.batches import Samples
from fixtures.pipeline.pipeline import OnnxModel
from fixtures.runtimes.base import Runtime


@pytest.mark.stage("latency", part="cpu")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_on_the_cpu(
    cpu_runtime: Runtime, samples: Samples, assert_measured: Callable[[Measurement], None]
) -> None:
    """The source framework and ONNX Runtime are timed on one sample and on batches."""
    assert_measured(Measurement(cpu_runtime.time(samples.timed, ITERATIONS)))


@pytest.mark.stage("latency", part="source-gpu")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_of_the_source_on_the_gpu(
    source_on_gpu: Runtime, samples: Samples, assert_measured: Callable[[Measurement], None]
) -> None:
    """PyTorch is timed on the GPU on one sample and on batches, in fp32 and in fp16 by autocast."""
    assert_measured(Measurement(source_on_gpu.time(samples.timed, GPU_ITERATIONS)))


@pytest.mark.stage("latency", part="onnxruntime-gpu")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_of_onnxruntime_on_the_gpu(
    onnxruntime_on_gpu: Runtime, samples: Samples, assert_measured: Callable[[Measurement], None]
) -> None:
    """ONNX Runtime is timed on the GPU where it has its CUDA provider, on one sample and on batches."""
    assert_measured(Measurement(onnxruntime_on_gpu.time(samples.timed, GPU_ITERATIONS)))


@pytest.mark.stage("latency", part="engine")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_of_the_engine(
    engine_latency: Measurement, assert_measured: Callable[[Measurement], None]
) -> None:
    """The engine is timed by CUDA events, on one sample and on batches."""
    assert_measured(engine_latency)


@pytest.mark.stage("latency", part="int8")
@pytest.mark.benchmark(timer=CLOCK)
def test_latency_of_the_quantized_engine(
    int8_latency: Measurement, assert_measured: Callable[[Measurement], None]
) -> None:
    """So is the engine in INT8, by each quantization route, beside those in fp32 and fp16."""
    assert_measured(int8_latency)


@pytest.mark.stage("latency-ab")
def test_two_tensorrts_are_timed_in_turn(
    onnx_model: OnnxModel, samples: Samples, alternation: Alternation
) -> None:
    """Engines of one ONNX model by two versions, ``--ab A B``: how long B takes, in parts of A."""
    alternation.require_ratio(onnx_model, samples.timed)


@pytest.mark.stage("latency-ab", part="precision")
def test_two_precisions_are_timed_in_turn(
    onnx_model: OnnxModel, samples: Samples, alternation: Alternation
) -> None:
    """The same at two precisions of one version."""
    alternation.require_ratio(onnx_model, samples.timed)
