"""Layers that stay in float: heads of detectors, what rows name, and what reads a tensor that is cut."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from fixtures.quantization import graph, qdq, ranges
from fixtures.quantization.collection import Collection, collect
from fixtures.quantization.errors import QuantizationError
from fixtures.quantization.float_layers import FloatLayers, float_layers, of_a_builder
from fixtures.quantization.observer import Observer
from fixtures.quantization.placement import place
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.networks import quantizable


def before_a_background(count: int) -> list[dict[str, np.ndarray]]:
    """Return seeded images of one colour with a column of other values each."""
    feeds = quantizable.images(count)
    for number, feed in enumerate(feeds):
        column = 3 * np.abs(feed["image"][0, :, number % 8, 3])
        feed["image"][:] = 0.05
        feed["image"][0, :, number % 8, 3] = column
    return feeds


def counted(path: Path, feeds: list[dict[str, np.ndarray]]) -> Collection:
    """Calibrate the tensors that a model's placement has."""
    return collect(Observer(path, place(graph.load_float(path)).tensors), feeds)


def test_by_min_max_nothing_is_cut_short(tmp_path: Path) -> None:
    """So that of a detector its heads alone stay, of another network nothing."""
    path = quantizable.saved(tmp_path)
    model, collection = onnx.load(path), counted(path, quantizable.images(4))
    assert float_layers(model, collection, "minmax", (), float_heads=False).every == ()
    found = float_layers(model, collection, "minmax", ("conv1",), float_heads=True)
    assert found == FloatLayers("minmax", ("conv1",), ("gemm",), ())
    assert [*found.told()] == ["stay in float, heads of a detector: gemm"]


def test_who_reads_what_is_cut_short_stays_in_float(tmp_path: Path) -> None:
    """Each layer that would read such a tensor; entropy cuts what stands before a background."""
    path = quantizable.saved(tmp_path)
    collection = counted(path, before_a_background(16))
    short = ranges.cut_short(collection, "entropy")
    assert short
    found = float_layers(onnx.load(path), collection, "entropy", (), float_heads=False)
    model, readers = onnx.load(path).graph, set()
    for (index, _), tensor in place(onnx.load(path)).reads.items():
        if tensor in short:
            readers.add(model.node[index].name)
    assert {*found.cut} == readers
    assert [*found.told()] == [f"stay in float, entropy cuts short what they read: {', '.join(found.cut)}"]


def test_entropy_that_cuts_short_keeps_the_outputs(tmp_path: Path) -> None:
    """The Q/DQ model is near to float32; with pairs before those layers it is several times as far."""
    path, feeds = quantizable.saved(tmp_path), before_a_background(16)
    kept = qdq.quantize(path, tmp_path / "kept.onnx", feeds, per_channel=True, method="entropy")
    assert kept.cut
    model = graph.load_float(path)
    scales = ranges.scales(counted(path, feeds), "entropy")
    qdq.save(qdq.with_pairs(model, place(model), scales, per_channel=True), tmp_path / "all.onnx")
    exact, near, far = (
        np.concatenate([out["scores"] for out in OnnxRuntime(file).run(feeds)])
        for file in (path, tmp_path / "kept.onnx", tmp_path / "all.onnx")
    )
    assert np.linalg.norm(near - exact) < 0.25 * np.linalg.norm(far - exact)


def test_a_builder_is_told_of_what_comes_behind(tmp_path: Path) -> None:
    """Of what stays in float, by its outputs, and of each node behind the last weights; of no other."""
    model = quantizable.residual()
    model.graph.node.append(helper.make_node("Sigmoid", ["scores"], ["odds"]))
    assert of_a_builder(model, ["conv2"]) == {"conv2": ["left"], "odds": ["odds"]}
    assert of_a_builder(model, []) == {"odds": ["odds"]}
    assert of_a_builder(model, ["gemm"]) == {"gemm": ["scores"], "odds": ["odds"]}


def test_a_product_of_what_is_not_at_hand_stays_in_float() -> None:
    """A weighted operator that Q/DQ cannot quantize is named to a builder, too."""
    model = quantizable.residual()
    (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == "w2")
    model.graph.initializer.remove(weights)
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["w2"]))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([2, 4, 1, 1]), "shape"))
    assert of_a_builder(model, []) == {"conv2": ["left"]}


def test_a_named_layer_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """It says which names are near."""
    path = quantizable.saved(tmp_path)
    with pytest.raises(QuantizationError, match=r"'conv9' is to stay in float.*near it are conv"):
        float_layers(
            onnx.load(path), counted(path, quantizable.images(1)), "mse", ("conv9",), float_heads=True
        )
