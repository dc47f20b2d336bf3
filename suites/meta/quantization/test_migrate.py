"""From a calibration cache to pairs and back, held against a simulation of implicit quantization."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from fixtures.quantization import graph, qdq, ranges
from fixtures.quantization.collection import collect
from fixtures.quantization.errors import QuantizationError
from fixtures.quantization.migrate import from_pairs, to_pairs
from fixtures.quantization.observer import Observer
from fixtures.quantization.placement import Placement, place
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.networks import quantizable


def scales_of(model: Path) -> dict[str, np.float32]:
    """Calibrate by entropy on seeded images."""
    tensors = place(graph.load_float(model)).tensors
    return ranges.scales(collect(Observer(model, tensors), quantizable.images(8)), "entropy")


def rounded(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Round to int8 and back."""
    return (np.clip(np.rint(values / scale), -128, 127) * scale).astype(np.float32)


def simulated(
    model: onnx.ModelProto, places: Placement, scales: dict[str, np.float32], feed: dict[str, np.ndarray]
) -> np.ndarray:
    """Compute the network node by node in float32, each operand that is quantized rounded before its use."""
    values = feed | {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    shared: dict[str, np.float32] = {}
    for name, first in places.groups.items():
        shared[first] = max(shared.get(first, np.float32(0)), scales[name])
    for index, node in enumerate(model.graph.node):
        given = {}
        for number, name in enumerate(node.input):
            array = values[name]
            if (index, number) in places.reads:
                array = rounded(array, np.array(shared[places.groups[name]]))
            if (index, number) in places.weights:
                others = tuple(range(1, array.ndim))  # every weight of this network has its outputs first
                array = rounded(array, np.abs(array).max(axis=others, keepdims=True) / np.float32(127))
            given[f"{number}"] = array
        alone = helper.make_node(node.op_type, list(given), ["out"])
        alone.attribute.extend(node.attribute)
        inputs = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, a.shape) for n, a in given.items()]
        body = helper.make_graph([alone], "one", inputs, [onnx.ValueInfoProto(name="out")])
        (values[node.output[0]],) = ReferenceEvaluator(body, opsets={"": 13}).run(None, given)
    return values["scores"]


def test_pairs_compute_what_implicit_quantization_does(tmp_path: Path) -> None:
    """With the same scales, in ONNX Runtime, within a rounding step of int8; fp32 is farther off."""
    model = quantizable.saved(tmp_path)
    scales = scales_of(model)
    places = to_pairs(model, scales, tmp_path / "pairs.onnx")
    feeds = quantizable.images(4, seed=2)
    pairs = OnnxRuntime(tmp_path / "pairs.onnx").run(feeds)
    floats = OnnxRuntime(model).run(feeds)
    for feed, got, exact in zip(feeds, pairs, floats, strict=True):
        expected = simulated(onnx.load(model), places, scales, feed)
        off = np.linalg.norm(got["scores"] - expected) / np.linalg.norm(expected)
        cost = np.linalg.norm(exact["scores"] - expected) / np.linalg.norm(expected)
        assert off < 0.2 * cost
        assert 1e-3 < cost < 0.2


def test_a_scale_that_is_too_small_is_seen(tmp_path: Path) -> None:
    """Pairs with one scale eight times too small are far from the simulation with the right one."""
    model = quantizable.saved(tmp_path)
    scales = scales_of(model)
    to_pairs(model, scales | {"flat": scales["flat"] / np.float32(8)}, tmp_path / "pairs.onnx")
    (feed,) = quantizable.images(1, seed=2)
    (got,) = OnnxRuntime(tmp_path / "pairs.onnx").run([feed])
    expected = simulated(onnx.load(model), place(graph.load_float(model)), scales, feed)
    assert np.linalg.norm(got["scores"] - expected) / np.linalg.norm(expected) > 0.3


@pytest.mark.parametrize("opset", [11, 13])
def test_there_and_back(opset: int, tmp_path: Path) -> None:
    """The scales of the pairs are those of the cache, and the float32 model has no pair left."""
    model = quantizable.saved(tmp_path, opset)
    scales = scales_of(model)
    places = to_pairs(model, scales, tmp_path / "pairs.onnx")
    back, read = from_pairs(tmp_path / "pairs.onnx")
    assert read.keys() == scales.keys()
    for name, first in places.groups.items():
        group = [scales[other] for other, one in places.groups.items() if one == first]
        assert read[name] == max(group)
    assert not {node.op_type for node in back.graph.node} & {"QuantizeLinear", "DequantizeLinear"}
    onnx.checker.check_model(back, full_check=True)
    assert [node.op_type for node in back.graph.node] == [n.op_type for n in onnx.load(model).graph.node]


def spoiled(path: Path, what: str) -> None:
    """Make of a Q/DQ model one that a cache cannot stand for."""
    model = onnx.load(path)
    node = next(n for n in model.graph.node if n.op_type == "QuantizeLinear")
    for tensor in model.graph.initializer:
        if what == "zero point" and tensor.name == node.input[2]:
            tensor.CopyFrom(numpy_helper.from_array(np.array(3, np.int8), tensor.name))
        if what == "scale" and tensor.name == node.input[1]:
            tensor.CopyFrom(numpy_helper.from_array(np.array(-1, np.float32), tensor.name))
    onnx.save(model, path)


@pytest.mark.parametrize(
    ("what", "said"),
    [("zero point", "its zero point is not int8 0"), ("scale", "its scale is not one constant, positive")],
)
def test_what_a_cache_cannot_hold_is_named(what: str, said: str, tmp_path: Path) -> None:
    """With the node and the tensor."""
    path = tmp_path / "pairs.onnx"
    qdq.quantize(quantizable.saved(tmp_path), path, quantizable.images(2), per_channel=True)
    spoiled(path, what)
    with pytest.raises(QuantizationError, match=f"QuantizeLinear .* of 'image': {said}"):
        from_pairs(path)


def test_a_float_model_has_nothing_for_a_cache(tmp_path: Path) -> None:
    """It is refused with what it lacks."""
    with pytest.raises(QuantizationError, match="quantizes no activation"):
        from_pairs(quantizable.saved(tmp_path))
