"""SQNR is what its definition says, of each tensor, and a scale that is wrong is named and no other."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from fixtures.checks.quantization_noise import IMAGES, Noise, Ratio, measure
from fixtures.quantization import qdq
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.networks import quantizable


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The small network with a residual, a pooling and a Concat, and its Q/DQ form."""
    exact = quantizable.saved(tmp_path_factory.mktemp("noise"))
    quantized = exact.with_name("qdq.onnx")
    qdq.quantize(exact, quantized, quantizable.images(20), per_channel=True)
    return exact, quantized


def spoilt(quantized: Path, tensor: str, factor: float, folder: Path) -> Path:
    """Write the quantized model with the scale of a tensor wrong by a factor."""
    model = onnx.load(quantized)
    for one in model.graph.initializer:
        if one.name == f"{tensor}.scale":
            scale = numpy_helper.to_array(one) * np.float32(factor)
            one.CopyFrom(numpy_helper.from_array(scale, one.name))
    onnx.save(model, folder / "spoilt.onnx")
    return folder / "spoilt.onnx"


def outputs_of(model: Path, names: list[str], inputs: list[dict[str, np.ndarray]]) -> list[np.ndarray]:
    """The values of tensors inside a model, over all inputs one behind the other."""
    loaded = onnx.load(model)
    del loaded.graph.output[:]
    loaded.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    onnx.save(loaded, model.with_name("asked.onnx"))
    found = OnnxRuntime(model.with_name("asked.onnx")).run(inputs)
    return [np.concatenate([one[name].ravel() for one in found]) for name in names]


def decibels(exact: np.ndarray, noisy: np.ndarray) -> float:
    """The definition, in float64."""
    x, y = exact.astype(np.float64), noisy.astype(np.float64)
    return 10 * math.log10((x**2).sum() / ((x - y) ** 2).sum())


def by_tensor(noise: list[Noise]) -> dict[str, Noise]:
    """The noise of each tensor by its name."""
    return {one.tensor: one for one in noise}


def test_it_is_what_the_definition_says(models: tuple[Path, Path]) -> None:
    """Of an activation inside the network, by its pair alone and against the float network."""
    inputs = quantizable.images(5, seed=3)
    one = by_tensor(measure(*models, inputs))["flat"]
    (exact,) = outputs_of(models[0], ["flat"], inputs)
    before, behind = outputs_of(models[1], [one.before, one.behind], inputs)
    assert one.own.decibels == pytest.approx(decibels(before, behind), abs=1e-6)
    assert one.whole.decibels == pytest.approx(decibels(exact, behind), abs=1e-6)
    assert one.whole.decibels < one.own.decibels


def test_weights_are_measured_as_they_are_stored(models: tuple[Path, Path]) -> None:
    """Per output channel, without any image."""
    weights = by_tensor(measure(*models, []))["w3"]
    exact = {t.name: numpy_helper.to_array(t) for t in onnx.load(models[0]).graph.initializer}["w3"]
    scale = np.abs(exact).max(axis=(1, 2, 3), keepdims=True) / np.float32(127)
    expected = decibels(exact, np.rint(exact / scale) * scale)
    assert weights.own.decibels == pytest.approx(expected, abs=1e-3)
    assert weights.layers == ["conv3"]


def test_weights_with_a_zero_point_are_what_they_stand_for(models: tuple[Path, Path], tmp_path: Path) -> None:
    """The same values as unsigned bytes around 128, as other quantizers write them, make the same noise."""
    model = onnx.load(models[1])
    for tensor in model.graph.initializer:
        if tensor.name.startswith("w3") and tensor.data_type == onnx.TensorProto.INT8:
            shifted = (numpy_helper.to_array(tensor).astype(int) + 128).astype(np.uint8)
            tensor.CopyFrom(numpy_helper.from_array(shifted, tensor.name))
    onnx.save(model, tmp_path / "unsigned.onnx")
    signed, unsigned = (
        by_tensor(measure(models[0], file, []))["w3"] for file in (models[1], tmp_path / "unsigned.onnx")
    )
    assert unsigned.own.decibels == pytest.approx(signed.own.decibels, abs=1e-6)


def test_every_quantized_tensor_is_there_once(models: tuple[Path, Path]) -> None:
    """Activations and weights by the names of the float network, each with the layers that read it."""
    found = by_tensor(measure(*models, quantizable.images(2)))
    assert {"image", "r0", "c1", "sum", "pooled", "left", "both"} <= set(found)
    assert {"w0", "w1", "w2", "w3", "w4"} <= set(found)
    assert found["r0"].layers == ["conv1", "add"]


@pytest.mark.parametrize("factor", [8.0, 1 / 16])
@pytest.mark.parametrize("tensor", ["r0", "c1", "flat"])
def test_a_scale_that_is_wrong_is_the_worst(
    models: tuple[Path, Path], tensor: str, factor: float, tmp_path: Path
) -> None:
    """Whether it is too large or too small; pairs behind it have less noise of their own."""
    bad = spoilt(models[1], tensor, factor, tmp_path)
    inputs = quantizable.images(5, seed=3)
    sound, noise = by_tensor(measure(*models, inputs)), measure(models[0], bad, inputs)
    assert noise[0].tensor == tensor
    assert noise[0].own.decibels < sound[tensor].own.decibels - 12
    assert noise[0].own.decibels < noise[1].own.decibels - 3


def test_images_are_read_one_by_one_and_not_all(models: tuple[Path, Path]) -> None:
    """Of a thousand images so many are looked at, as they come."""
    read = []

    def images():  # type: ignore[no-untyped-def]
        for image in quantizable.images(IMAGES + 8):
            read.append(image)
            yield image

    measure(*models, images())
    assert len(read) == IMAGES


@pytest.mark.parametrize(
    ("exact", "noisy", "expected"),
    [([1.0, 2.0], [1.0, 2.0], math.inf), ([0.0], [1.0], -math.inf), ([3.0], [2.7], 20.0)],
)
def test_the_ends_of_the_scale(exact: list[float], noisy: list[float], expected: float) -> None:
    """Without noise it is infinite, without signal minus infinity, and a tenth of noise is 20 dB."""
    ratio = Ratio()
    ratio.add(np.array(exact), np.array(noisy))
    assert ratio.decibels == pytest.approx(expected)


@pytest.mark.parametrize("mask", [np.inf, -np.inf])
def test_an_infinity_on_both_sides_is_no_noise(mask: float) -> None:
    """A mask stays one in INT8. On one side alone it is no number."""
    ratio, broken = Ratio(), Ratio()
    ratio.add(np.array([3.0, mask]), np.array([2.7, mask]))
    assert ratio.decibels == pytest.approx(20.0)
    for other in (-mask, 1.0, np.nan):
        broken.add(np.array([3.0, mask]), np.array([2.7, other]))
        assert math.isnan(broken.decibels)


def test_values_that_are_no_numbers_have_no_ratio() -> None:
    """NaN stays NaN, and sorts as the worst."""
    ratio = Ratio()
    ratio.add(np.array([1.0]), np.array([np.nan]))
    assert math.isnan(ratio.decibels)
