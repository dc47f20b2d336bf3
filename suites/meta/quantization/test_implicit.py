"""A calibration cache of ours has a scale for every float tensor, under the names that TensorRT looks for."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from fixtures.quantization import cache
from fixtures.quantization.implicit import calibrated


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Y = relu(conv(x)), whose tensors are known by hand: the kernel doubles x."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Relu", ["c"], ["y"], "relu"),
    ]
    value = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 1, 2, 2]) for name in "xy"]
    weight = numpy_helper.from_array(np.full((1, 1, 1, 1), 2, np.float32), "w")
    graph = helper.make_graph(nodes, "g", value[:1], value[1:], [weight])
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize(
    ("method", "header"),
    [("minmax", "TRT-8503-MinMaxCalibration"), ("mse", "TRT-8503-EntropyCalibration2")],
)
def test_every_tensor_has_its_scale(model: Path, method: str, header: str, tmp_path: Path) -> None:
    """By min-max it is the greatest |x| over 127; what TensorRT has no name for goes under its usual one."""
    samples = [{"x": np.array([[[[-3, 1], [0.5, 2]]]], np.float32)}]
    path = tmp_path / "m.cache"
    path.write_text(calibrated(model, samples, method, "8.5.3").cache)
    assert path.read_text().split("\n")[0] == header
    scales = cache.read(path).scales
    assert set(scales) == {"x", "c", "y"}
    if method == "minmax":
        expected = {"x": 3 / 127, "c": 6 / 127, "y": 4 / 127}
        assert {name: float(scale) for name, scale in scales.items()} == pytest.approx(expected, rel=1e-6)


def test_a_builder_is_told_which_layers_stay_in_float(model: Path) -> None:
    """What comes behind the last convolution, by its output; the convolution where a row names it."""
    samples = [{"x": np.array([[[[-3, 1], [0.5, 2]]]], np.float32)}]
    assert calibrated(model, samples, "minmax", "8.5.3").in_float == {"relu": ["y"]}
    named = calibrated(model, samples, "minmax", "8.5.3", named=["conv"])
    assert named.in_float == {"conv": ["c"], "relu": ["y"]}
    assert (named.layers.named, [*named.layers.told()]) == (("conv",), [])
