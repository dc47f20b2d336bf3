"""What INT8 costs: accuracy on held-out data against a budget, and whether each TensorRT builds it."""

from collections.abc import Callable

import pytest

from fixtures.case import Case
from fixtures.expectations import Expectations
from fixtures.judge import Draft
from fixtures.metrics.accuracy import top1
from fixtures.road import OnnxModel, Road


@pytest.fixture
def quantized(case: Case, road: Road, draft: Draft, onnx_model: OnnxModel) -> OnnxModel:
    """The case's model with INT8 by the case's route."""
    draft.hop = "calibration"
    model = road.quantized(case.model, onnx_model, case.route)
    draft.artifact = str(model.path)
    return model


@pytest.mark.stage("int8-accuracy", over=("route",))
def test_int8_keeps_the_accuracy(
    case: Case,
    road: Road,
    draft: Draft,
    onnx_model: OnnxModel,
    quantized: OnnxModel,
    expectations: Expectations,
) -> None:
    """The INT8 model loses no more top-1 accuracy on held-out data than its budget allows."""
    data, budget = road.dataset(case.model), expectations.budget(case)
    fp32, int8 = (
        top1(road.predictions(case.model, model), data["labels"]) for model in (onnx_model, quantized)
    )
    draft.measure("top1_fp32", 100 * fp32, "%", higher_is_better=True)
    draft.measure("top1_int8", 100 * int8, "%", higher_is_better=True)
    draft.measure("drop", 100 * (fp32 - int8), "points", limit=budget.numbers["drop"])
    draft.hold()


@pytest.mark.stage("tensorrt-build", over=("tensorrt", "route"))
def test_int8_engine_builds(quantized: OnnxModel, build_as_predicted: Callable[[OnnxModel], None]) -> None:
    """The parser and the builder take the Q/DQ graph, or refuse it as the support table predicts."""
    build_as_predicted(quantized)
