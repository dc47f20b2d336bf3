"""What the converter makes of every kind of Darknet layer gives the numbers of the interpreter."""

from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.metrics.parity import StructureError
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models.darknet import architectures, weights
from suites.meta.oracles.darknet_interpreter import network, parity
from suites.meta.oracles.darknet_interpreter.cases import CASES

OPSETS = (10, 11, 12, 13, 17, 21)


@cache
def paths_of(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a case once."""
    return CASES[name].write(folder)


@cache
def truth_of(name: str, folder: Path) -> tuple[parity.Truth, np.ndarray]:
    """Run the interpreter once for all opsets."""
    data = network.input_of(CASES[name].cfg, seed=1, batch=2)
    return parity.truth_of(*paths_of(name, folder), data), data


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the cases are written."""
    return tmp_path_factory.mktemp("cases")


def converted(
    files: tuple[Path, Path], data: np.ndarray, opset: int, epsilon: float = network.EPSILON
) -> dict[str, np.ndarray]:
    """Convert, check and run in ONNX Runtime."""
    model = convert(*files, opset, batch=len(data) // network.steps_of(files[0].read_text()), epsilon=epsilon)
    onnx.checker.check_model(model, full_check=True)
    path = files[0].with_suffix(f".{opset}.onnx")
    onnx.save(model, path)
    return OnnxRuntime(path, threads=1).run([{"data": data.astype(np.float32)}])[0]


@pytest.mark.parametrize("name", CASES)
def test_a_converted_layer_gives_the_interpreters_numbers(name: str, folder: Path) -> None:
    """Each layer and option at every opset, two images, within ten times the network's float32 floor."""
    truth, data = truth_of(name, folder)
    for opset in OPSETS:
        differences = parity.hold(truth, converted(paths_of(name, folder), data, opset))
        assert [str(d) for d in differences if not d.ok] == [], f"opset {opset}"


@pytest.mark.parametrize("architecture", ["yolov3_tiny", "yolov4_tiny"])
def test_a_whole_network_is_within_its_floor(architecture: str, tmp_path: Path) -> None:
    """The heads of the tiny detectors at 96 x 96, their limits from their own float32 noise."""
    net = getattr(architectures, architecture)(96)
    files = tmp_path / "net.cfg", tmp_path / "net.weights"
    files[0].write_text(net.text())
    weights.write_seeded(files[1], net, seed=2)
    data = network.input_of(net.text(), 3)
    truth = parity.truth_of(*files, data)
    assert max(truth.floors[layer - 1] for layer in truth.heads) < 1e-5
    differences = parity.hold(truth, converted(files, data, 11))
    assert [str(d) for d in differences if not d.ok] == []


@pytest.mark.parametrize("name", ["convolution_stride", "shortcut", "yolo"])
def test_a_wrong_epsilon_is_named(name: str, folder: Path) -> None:
    """Converted with OpenCV's epsilon of 1e-6 a network of two convolutions is out of its limits."""
    truth, data = truth_of(name, folder)
    (difference,) = parity.hold(truth, converted(paths_of(name, folder), data, 11, epsilon=1e-6))
    assert not difference.ok
    assert "times the float32 floor" in str(difference)


def test_a_wrong_output_is_named(folder: Path) -> None:
    """A missing head, another layer's number, a wrong shape and a swapped channel do not pass."""
    truth, data = truth_of("yolo", folder)
    right = converted(paths_of("yolo", folder), data, 11)["yolo_2"]
    for outputs in ({}, {"yolo_1": right}, {"yolo_2": right[:, 1:]}, {"head": right}):
        with pytest.raises(StructureError):
            parity.hold(truth, outputs)
    (difference,) = parity.hold(truth, {"yolo_2": right[:, [1, 0, *range(2, 14)]]})
    assert not difference.ok
