"""A batch is converted, statically or dynamically, and one that leaks between samples is seen."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fixtures.converters.dynamic_batch import AXIS, with_dynamic_batch
from fixtures.converters.errors import ConversionError
from fixtures.pipeline.batches import BATCHES, LARGEST, Samples, batched, profiles_of
from fixtures.runtimes.onnxruntime import OnnxRuntime


def flat(size: int, *, target: tuple[int, ...] | None = None, outputs: int = 4) -> onnx.ModelProto:
    """Return a Reshape of (size, 2, 2) to a target that holds the batch size."""
    shape = np.array(target or (size, 4), np.int64)
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", "shape"], ["y"], name="flatten")],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (size, 2, 2))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (size, outputs))],
        [numpy_helper.from_array(shape, "shape")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def scaled(size: int) -> onnx.ModelProto:
    """Return a network that multiplies by its batch size: what no batch may do."""
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "factor"], ["y"], name="times_batch")],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (size, 2))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (size, 2))],
        [numpy_helper.from_array(np.array(size, np.float32), "factor")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.mark.parametrize("size", [1, 2, 3, 8, 17])
def test_a_batch_in_a_reshape_becomes_dynamic(tmp_path: Path, size: int) -> None:
    """A Reshape to (batch, 4) takes any batch afterwards, and declares the axis by name."""
    model = with_dynamic_batch(flat)
    assert model.graph.output[0].type.tensor_type.shape.dim[0].dim_param == AXIS
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, tmp_path / "m.onnx")
    x = np.random.default_rng(0).random((size, 2, 2), np.float32)
    assert np.array_equal(OnnxRuntime(tmp_path / "m.onnx").run([{"x": x}])[0]["y"], x.reshape(size, 4))


def test_a_batch_in_a_value_is_refused() -> None:
    """A constant that follows the batch size is no shape: the error names it."""
    with pytest.raises(ConversionError, match="initializer 'factor' depends on it"):
        with_dynamic_batch(scaled)


def test_an_axis_that_follows_the_batch_is_refused() -> None:
    """An output whose second axis grows with the batch is refused by name."""

    def spread(size: int) -> onnx.ModelProto:
        return flat(size, target=(1, -1), outputs=4 * size)

    with pytest.raises(ConversionError, match=r"'y': axes \[0, 1\] follow the batch"):
        with_dynamic_batch(spread)


def test_samples_are_put_together_in_turn() -> None:
    """Batches are made of the single samples in order, again from the first when there are too few."""
    single = [{"x": np.full((1, 2), n, np.float32)} for n in range(3)]
    samples = Samples(single, single, "digest", {})
    assert batched(samples, "1") is samples
    eight = batched(samples, "8")
    assert [sample["x"][:, 0].tolist() for sample in eight.inputs] == [[0, 1, 2, 0, 1, 2, 0, 1]]
    dynamic = batched(samples, "dynamic")
    assert tuple(len(sample["x"]) for sample in dynamic.outputs) == BATCHES["dynamic"]
    assert len({samples.digest, eight.digest, dynamic.digest}) == 3


def test_profiles_are_for_dynamic_batches_alone() -> None:
    """Static inputs get no profile; another dynamic axis is left for the builder to refuse."""
    assert profiles_of(flat(1)) == {}
    model = with_dynamic_batch(flat)
    assert profiles_of(model) == {"x": [(1, 2, 2), (LARGEST, 2, 2), (LARGEST, 2, 2)]}
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "other"
    assert profiles_of(model) == {}
