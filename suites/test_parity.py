"""The same numbers on every road: source framework, ONNX Runtime at every opset, engine."""

import pytest

from fixtures.checks.opset import OpsetParity
from fixtures.checks.parity import Outputs, Parity
from fixtures.pipeline.batches import Samples


@pytest.mark.stage("source-parity")
def test_darknet_itself_gives_the_source_outputs(
    samples: Samples, darknet_outputs: Outputs, assert_parity: Parity
) -> None:
    """Darknet's own library gives what is kept as the source framework's outputs, which are OpenCV's."""
    assert_parity(samples.outputs, darknet_outputs)


@pytest.mark.stage("onnxruntime-parity")
def test_onnxruntime_gives_the_source_outputs(
    onnxruntime_outputs: Outputs, samples: Samples, assert_parity: Parity
) -> None:
    """ONNX Runtime gives what the source framework gives."""
    assert_parity(samples.outputs, onnxruntime_outputs)


@pytest.mark.stage("opset-parity")
def test_opsets_agree(
    onnxruntime_outputs: Outputs, anchor_outputs: Outputs, assert_opset_parity: OpsetParity
) -> None:
    """The model at this opset gives what it gives at opset 10, or at the first one that is supported."""
    assert_opset_parity(anchor_outputs, onnxruntime_outputs)


@pytest.mark.stage("fp16-parity")
def test_fp16_graph_keeps_the_outputs(
    onnxruntime_outputs: Outputs, fp16_outputs: Outputs, assert_parity: Parity
) -> None:
    """The typed fp16 graph, in ONNX Runtime, gives what the fp32 graph gives, within fp16 rounding."""
    assert_parity(onnxruntime_outputs, fp16_outputs)


@pytest.mark.stage("tensorrt-parity")
def test_engine_gives_the_onnxruntime_outputs(
    engine_outputs: Outputs, onnxruntime_outputs: Outputs, assert_parity: Parity
) -> None:
    """The TensorRT engine gives what ONNX Runtime gives."""
    assert_parity(onnxruntime_outputs, engine_outputs)
