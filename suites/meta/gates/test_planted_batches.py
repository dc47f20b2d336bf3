"""The gates over batches and fp16 have been seen to fail: an error is planted, a real run must name it."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from suites.meta.gates.child_runs import pipeline, plant, run

if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

PARITY = "suites/test_parity.py"
SOURCE_PARITY = f"{PARITY}::test_onnxruntime_gives_the_source_outputs"
DIGITS = ("--model=digits", "--opset=13")


def mix_samples(model: onnx.ModelProto) -> None:
    """Let the first two samples of a batch change places on their way in; one sample alone stays."""
    size = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value
    if size < 2:
        return
    order = np.arange(size)
    order[:2] = 1, 0
    model.graph.initializer.append(numpy_helper.from_array(order, "order"))
    model.graph.node.insert(0, onnx.helper.make_node("Gather", ["image", "order"], ["mixed"], axis=0))
    model.graph.node[1].input[0] = "mixed"


def halve_weight(model: onnx.ModelProto) -> None:
    """Halve the first weight of a graph, as a wrong conversion of types might."""
    name = next(node.input[1] for node in model.graph.node if node.op_type == "Conv")
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) / np.float16(2), name))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with the digits model at opset 13, at one sample a batch and at eight, and its fp16 form."""
    folder = tmp_path / "artifacts"
    way = pipeline(folder)
    model = way.onnx_model("digits", "torchscript", 13)
    way.onnx_model("digits", "torchscript", 13, "8")
    way.samples("digits")
    way.to_fp16(model)
    return folder


def test_a_batch_that_leaks_is_blamed_on_the_batch(store: Path) -> None:
    """Samples that change places within a batch fail that batch alone, and the batch is the guilty hop."""
    plant(store, "onnx", mix_samples)
    done = run(store, f"{SOURCE_PARITY}", *DIGITS, "--batch=1,8", "-k", "torchscript")
    failed = done.the("failed")
    assert done.code == 1
    assert "guilty hop: batch" in failed.message
    assert failed.batch == "8"
    assert "--batch 8" in failed.rerun


def test_a_wrong_fp16_graph_is_blamed_on_fp16(store: Path) -> None:
    """A weight that the fp16 form has wrong fails its parity, and fp16 is the guilty hop."""
    plant(store, "fp16", halve_weight)
    done = run(store, f"{PARITY}::test_fp16_graph_keeps_the_outputs", *DIGITS)
    assert done.code == 1
    assert "guilty hop: fp16" in done.the("failed").message
