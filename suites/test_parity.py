"""The same numbers on every road: source framework, ONNX Runtime at every opset, engine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.case import Case
from fixtures.comparison import Comparison
from fixtures.judge import Draft
from fixtures.road import OnnxModel, Road, Samples
from fixtures.runtimes.tensorrt.client import TensorRT

ANCHOR_OPSET = 10
"""The tutorial's opset; all others are held against it."""


@pytest.mark.stage("onnxruntime-parity", over=("converter",))
def test_onnxruntime_gives_the_source_outputs(
    case: Case, road: Road, onnx_model: OnnxModel, samples: Samples, comparison: Comparison
) -> None:
    """ONNX Runtime gives what the source framework gives."""

    def blame() -> str:
        """The opset is guilty when the same model at the anchor opset does agree."""
        if case.opset == ANCHOR_OPSET:
            return "source->ONNX"
        anchor = road.onnx_model(case.model, case.converter, ANCHOR_OPSET)
        outputs = road.onnxruntime_outputs(anchor, samples.inputs, samples.digest)
        return "opset" if comparison.agree(samples.outputs, outputs) else "source->ONNX"

    outputs = road.onnxruntime_outputs(onnx_model, samples.inputs, samples.digest)
    comparison.hold(samples.outputs, outputs, blame)


@pytest.mark.stage("opset-parity", anchor=ANCHOR_OPSET)
def test_opsets_agree(
    case: Case,
    road: Road,
    draft: Draft,
    onnx_model: OnnxModel,
    samples: Samples,
    comparison: Comparison,
) -> None:
    """The model at this opset gives what it gives at opset 10."""
    anchor = road.onnx_model(case.model, case.converter, ANCHOR_OPSET)
    draft.hop = "opset"
    expected, actual = (
        road.onnxruntime_outputs(model, samples.inputs, samples.digest) for model in (anchor, onnx_model)
    )
    comparison.hold(expected, actual)


@pytest.mark.stage("tensorrt-parity", over=("tensorrt", "precision"))
def test_engine_gives_the_onnxruntime_outputs(
    case: Case,
    road: Road,
    draft: Draft,
    onnx_model: OnnxModel,
    samples: Samples,
    gpu: TensorRT,
    build_as_predicted: Callable[[OnnxModel], Path],
    comparison: Comparison,
) -> None:
    """The TensorRT engine gives what ONNX Runtime gives."""
    engine = build_as_predicted(onnx_model)
    draft.hop = "builder" if case.precision == "fp32" else case.precision
    actual = [gpu.run(engine, sample, precision=case.precision) for sample in samples.inputs]
    comparison.hold(road.onnxruntime_outputs(onnx_model, samples.inputs, samples.digest), actual)
