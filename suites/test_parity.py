"""The same numbers on every road: source framework, ONNX Runtime at every opset, engine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.cases import ANCHOR_OPSET, Case
from fixtures.checks.parity import Comparison
from fixtures.pipeline.batches import Samples
from fixtures.pipeline.pipeline import OnnxModel, Pipeline
from fixtures.recording import RecordDraft
from fixtures.runtimes import darknet_library
from fixtures.runtimes.tensorrt.client import TensorRT


@pytest.mark.stage("source-parity")
def test_darknet_itself_gives_the_source_outputs(
    case: Case, pipeline: Pipeline, draft: RecordDraft, samples: Samples, comparison: Comparison
) -> None:
    """Darknet's own library gives what is kept as the source framework's outputs, which are OpenCV's."""
    draft.hop = "source"
    draft.model |= {name: samples.about[name] for name in ("weights", "digest", "note")}
    draft.dependencies |= samples.about["dependencies"]
    library = darknet_library.find()
    draft.dependencies["libdarknet"] = darknet_library.identity(library)
    outputs = pipeline.darknet_outputs(case.model, library)
    draft.measure("samples", len(outputs), "samples")
    comparison.hold(samples.outputs, outputs)


@pytest.mark.stage("onnxruntime-parity")
def test_onnxruntime_gives_the_source_outputs(
    case: Case, pipeline: Pipeline, onnx_model: OnnxModel, samples: Samples, comparison: Comparison
) -> None:
    """ONNX Runtime gives what the source framework gives."""

    def blame() -> str:
        """The batch, or the opset, is guilty when the model without it does agree."""
        if case.batch != "1":
            single, alone = (
                pipeline.onnx_model(case.model, case.converter, case.opset),
                pipeline.samples(case.model),
            )
            outputs = pipeline.onnxruntime_outputs(single, alone.inputs, alone.digest)
            return "batch" if comparison.agree(alone.outputs, outputs) else "source->ONNX"
        if case.opset == ANCHOR_OPSET:
            return "source->ONNX"
        anchor = pipeline.onnx_model(case.model, case.converter, ANCHOR_OPSET)
        outputs = pipeline.onnxruntime_outputs(anchor, samples.inputs, samples.digest)
        return "opset" if comparison.agree(samples.outputs, outputs) else "source->ONNX"

    outputs = pipeline.onnxruntime_outputs(onnx_model, samples.inputs, samples.digest)
    comparison.hold(samples.outputs, outputs, blame)


@pytest.mark.stage("opset-parity")
def test_opsets_agree(
    case: Case,
    pipeline: Pipeline,
    draft: RecordDraft,
    onnx_model: OnnxModel,
    samples: Samples,
    comparison: Comparison,
) -> None:
    """The model at this opset gives what it gives at opset 10, or at the first one that is supported."""
    anchor = pipeline.first_model(case.model, case.converter, range(ANCHOR_OPSET, case.opset))
    draft.hop = "opset"
    expected, actual = (
        pipeline.onnxruntime_outputs(model, samples.inputs, samples.digest) for model in (anchor, onnx_model)
    )
    comparison.hold(expected, actual)


@pytest.mark.stage("fp16-parity")
def test_fp16_graph_keeps_the_outputs(
    pipeline: Pipeline, draft: RecordDraft, onnx_model: OnnxModel, samples: Samples, comparison: Comparison
) -> None:
    """The typed fp16 graph, in ONNX Runtime, gives what the fp32 graph gives, within fp16 rounding."""
    draft.hop = "fp16"
    half = pipeline.to_fp16(onnx_model)
    draft.artifact = str(half.path)
    expected, actual = (
        pipeline.onnxruntime_outputs(model, samples.inputs, samples.digest) for model in (onnx_model, half)
    )
    comparison.hold(expected, actual)


@pytest.mark.stage("tensorrt-parity")
def test_engine_gives_the_onnxruntime_outputs(
    case: Case,
    pipeline: Pipeline,
    draft: RecordDraft,
    onnx_model: OnnxModel,
    samples: Samples,
    gpu: TensorRT,
    build_as_predicted: Callable[[OnnxModel], Path],
    comparison: Comparison,
    fp16_rounding: Callable[[], dict[str, float]],
) -> None:
    """The TensorRT engine gives what ONNX Runtime gives."""
    engine = build_as_predicted(onnx_model)
    draft.hop = "builder" if case.precision == "fp32" else case.precision
    actual = [gpu.run(engine, sample, precision=case.precision) for sample in samples.inputs]
    layers = gpu.inspect(engine, precision=case.precision)
    draft.measure("engine_layers", layers.count, "layers")
    for precision in sorted(layers.precisions):
        draft.measure(f"{precision}_layers", 100 * layers.share(precision), "% of layers")
    expected = pipeline.onnxruntime_outputs(onnx_model, samples.inputs, samples.digest)
    comparison.hold(expected, actual, rounding=fp16_rounding())
