"""Weights of a file are read when they are asked for, and written as they were where nobody asked."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, helper

from fixtures.compatibility.check.structure import load_structure
from fixtures.compatibility.rewrites.files import read, write
from fixtures.compatibility.rewrites.weights import Stored, join, split
from suites.meta.networks.rewrite_models import assert_equal, small

F = np.float32
LARGE = np.linspace(-1, 1, 8 * 200, dtype=F).reshape(8, 200)


def product() -> ModelProto:
    """Make a product with weights beyond what a light model keeps, and a small bias."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
    return small(nodes, {"w": LARGE, "b": F(2)})


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    """The weights of the product in a file."""
    onnx.save(product(), tmp_path / "m.onnx")
    return Stored(tmp_path / "m.onnx")


def test_weights_are_read_when_they_are_asked_for(stored: Stored) -> None:
    """They are known before, by name, and one that is not there is an error, or the default."""
    assert (len(stored), "w" in stored, "none" in stored) == (0, True, False)
    assert np.array_equal(onnx.numpy_helper.to_array(stored["w"]), LARGE)
    assert len(stored) == 1
    assert (stored.get("none"), stored.get("b")) == (None, product().graph.initializer[1])
    with pytest.raises(KeyError, match="none"):
        stored["none"]


def test_weights_that_are_replaced_are_written_as_they_are_now(stored: Stored) -> None:
    """A tensor of the same name takes the place of the one in the file."""
    stored["w"] = onnx.numpy_helper.from_array(2 * LARGE, "w")
    assert stored.message("w") == stored["w"].SerializeToString()
    assert bytes(stored.message("b")) == product().graph.initializer[1].SerializeToString()


def test_a_file_is_written_without_reading_its_weights(tmp_path: Path) -> None:
    """What comes out is the model, though not one of its weights was read; onto its own file too."""
    path = tmp_path / "m.onnx"
    onnx.save(product(), path)
    light, weights, beside = read(path, load_structure(path))
    assert (light.ByteSize() < 500, beside) == (True, False)
    assert write(light, weights, path, beside=beside) == [path]
    assert len(weights) == 0
    assert onnx.load(path) == product()


def test_a_model_is_split_and_joined(tmp_path: Path) -> None:
    """What a light model has been given since is among its weights, and all comes back."""
    path = tmp_path / "m.onnx"
    onnx.save(product(), path)
    light, weights, _ = read(path, load_structure(path))
    light.graph.initializer.append(onnx.numpy_helper.from_array(LARGE, "more"))
    again, same = split(light, weights)
    assert same is weights
    assert [len(tensor.raw_data) for tensor in again.graph.initializer] == [0, 4, 0]
    whole = join(again, same)
    assert [len(tensor.raw_data) for tensor in whole.graph.initializer] == [6400, 4, 6400]
    assert_equal(product(), whole)
