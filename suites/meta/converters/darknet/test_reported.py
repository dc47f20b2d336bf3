"""Networks of public bug reports convert to what the layer-by-layer interpreter computes."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.convert import build, convert
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.networks.darknet_reported import REPORTED
from suites.meta.oracles.darknet_interpreter import network as interpreter


def files(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a reported network's cfg and seeded weights."""
    cfg, weights = folder / "net.cfg", folder / "net.weights"
    cfg.write_text(REPORTED[name].text)
    weights.write_bytes(interpreter.weights_for(REPORTED[name].text, folder, seed=1))
    return cfg, weights


def run(model: onnx.ModelProto, image: np.ndarray, folder: Path) -> dict[str, np.ndarray]:
    """Run a model on one image."""
    onnx.save(model, folder / "net.onnx")
    return OnnxRuntime(folder / "net.onnx").run([{"data": image.astype(np.float32)}])[0]


@pytest.mark.parametrize("name", REPORTED)
def test_a_reported_network_gives_its_heads(name: str, tmp_path: Path) -> None:
    """Number of parameters, names, shapes and values of the raw heads are right."""
    wanted, paths = REPORTED[name], files(name, tmp_path)
    built = build(*paths, 13)
    assert sum(built.parameters.values()) == wanted.parameters
    image = interpreter.input_of(wanted.text, seed=3)
    layers = interpreter.run(*paths, image)
    got = run(built.graph.model(built.metadata), image, tmp_path)
    assert {key: value.shape for key, value in got.items()} == wanted.outputs
    for key, value in got.items():
        expected = layers[int(key.split("_")[1]) - 1]  # what the head gets
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


def test_boxes_of_an_upright_image_are_in_its_pixels(tmp_path: Path) -> None:
    """X counts cells of the width, y cells of the height; order is anchor, row, column."""
    paths = files("upright image", tmp_path)
    image = interpreter.input_of(REPORTED["upright image"].text, seed=3)
    raw = run(convert(*paths, 13), image, tmp_path)["yolo_3"].astype(np.float64).reshape(2, 8, 40, 24)
    sigmoid = 1 / (1 + np.exp(-raw))
    rows, columns = np.meshgrid(np.arange(40), np.arange(24), indexing="ij")
    anchors = np.array([(23, 27), (81, 82)], np.float64)[:, :, None, None]
    x = (sigmoid[:, 0] * 1.1 - 0.05 + columns) * 96 / 24
    y = (sigmoid[:, 1] * 1.1 - 0.05 + rows) * 160 / 40
    sizes = np.exp(raw[:, 2:4]) * anchors
    expected = np.stack([x, y, sizes[:, 0], sizes[:, 1]], axis=-1).reshape(1, -1, 4)
    made = run(convert(*paths, 13, outputs="decoded"), image, tmp_path)
    np.testing.assert_allclose(made["boxes"], expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(made["objectness"], sigmoid[:, 4].reshape(1, -1), rtol=1e-4)
