"""What INT8 costs: accuracy on held-out data against a budget, and whether each TensorRT builds it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.expectations import Expectations
from fixtures.metrics.accuracy import top1
from fixtures.pipeline.pipeline import OnnxModel, Pipeline
from fixtures.recording import RecordDraft
from fixtures.runtimes.base import Tensors
from fixtures.runtimes.tensorrt.client import TensorRT


@pytest.fixture
def quantized(case: Case, pipeline: Pipeline, draft: RecordDraft, onnx_model: OnnxModel) -> OnnxModel:
    """The case's model with INT8 by the case's route."""
    draft.hop = "calibration"
    model = pipeline.to_int8(case.model, onnx_model, case.route)
    draft.artifact = str(model.path)
    return model


@pytest.fixture
def keep_accuracy(
    case: Case, pipeline: Pipeline, draft: RecordDraft, onnx_model: OnnxModel, expectations: Expectations
) -> Callable[[Callable[[Sequence[Tensors]], Sequence[Tensors]]], None]:
    """Hold the top-1 of an INT8 runtime on held-out data against fp32 in ONNX Runtime and the budget."""

    def check(infer: Callable[[Sequence[Tensors]], Sequence[Tensors]]) -> None:
        images, labels, digest = pipeline.held_out(case.model)
        fp32 = accuracy(pipeline.onnxruntime_outputs(onnx_model, images, digest), labels)
        int8 = accuracy(infer(images), labels)
        draft.measure("top1_fp32", fp32, "%", higher_is_better=True)
        draft.measure("top1_int8", int8, "%", higher_is_better=True)
        draft.measure("drop", fp32 - int8, "points", limit=expectations.budget(case).numbers["drop"])
        draft.hold()

    return check


def accuracy(outputs: Sequence[Tensors], labels: np.ndarray) -> float:
    """Top-1 in percent of the first output."""
    return 100 * top1(np.concatenate([next(iter(output.values())) for output in outputs]), labels)


@pytest.mark.stage("int8-accuracy")
def test_int8_keeps_the_accuracy(
    case: Case, pipeline: Pipeline, quantized: OnnxModel, keep_accuracy: Callable[..., None]
) -> None:
    """The INT8 model in ONNX Runtime loses no more top-1 accuracy than its budget allows."""
    digest = pipeline.held_out(case.model)[2]
    keep_accuracy(lambda images: pipeline.onnxruntime_outputs(quantized, images, digest))


@pytest.mark.stage("int8-accuracy", part="engine")
def test_int8_engine_keeps_the_accuracy(
    quantized: OnnxModel,
    gpu: TensorRT,
    build_as_predicted: Callable[[OnnxModel], Path],
    keep_accuracy: Callable[..., None],
) -> None:
    """The INT8 engine loses no more top-1 accuracy than its budget allows."""
    engine = build_as_predicted(quantized)
    keep_accuracy(lambda images: [gpu.run(engine, image, precision="int8") for image in images])


@pytest.mark.stage("tensorrt-build", part="int8")
def test_int8_engine_builds(quantized: OnnxModel, build_as_predicted: Callable[[OnnxModel], None]) -> None:
    """The parser and the builder take the Q/DQ graph, or refuse it as the support table predicts."""
    build_as_predicted(quantized)
