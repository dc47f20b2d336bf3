"""The graph of an ONNX model is read without its weights, and nothing else is lost."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from fixtures.compatibility.check.structure import load_structure


def model() -> onnx.ModelProto:
    """A model with a large and a small initializer."""
    weight = numpy_helper.from_array(np.ones((64, 64), np.float32), "w")
    scale = numpy_helper.from_array(np.array([2.0], np.float32), "s")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Mul", ["m", "s"], ["y"])]
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 64]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:], [weight, scale])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def test_only_large_weights_are_missing(tmp_path: Path) -> None:
    """Nodes, inputs, opset, shapes and small constants are those of the file."""
    path, whole = tmp_path / "m.onnx", model()
    onnx.save(whole, path)
    read = load_structure(path)
    assert not read.graph.initializer[0].raw_data
    whole.graph.initializer[0].ClearField("raw_data")
    assert read == whole


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 17_000), st.binary(min_size=1, max_size=4))
def test_a_damaged_file_is_refused_or_read(tmp_path: Path, at: int, change: bytes) -> None:
    """No damage makes the reader raise anything but its own error, which names the file."""
    data = bytearray(model().SerializeToString())
    at %= len(data)
    data[at : at + len(change)] = change
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    try:
        assert load_structure(path).HasField("graph")
    except ValueError as error:
        refusal = str(error)
        assert refusal.startswith(str(path))


@pytest.mark.parametrize("data", [b"", b"no model at all", b"\x08\x07"])
def test_a_file_that_is_no_model_is_named(data: bytes, tmp_path: Path) -> None:
    """Empty files, text and models without a graph are refused with the file's name."""
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"m\.onnx is no ONNX model"):
        load_structure(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        ("größer als ".encode() * 60, "it seems to be a text"),
        (b"<!DOCTYPE html>", "it seems to be HTML"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"PK\x03\x04\x00", r"zip archive, as torch\.save writes; export the module"),
        (b"\x18\x00\x00\x00ORTM", "ONNX Runtime's own format"),
        (b"\xff\xfe\xff\xfe", "its bytes end within a message"),
        (b"\x08\x07", "it has no graph"),
    ],
)
def test_a_file_that_is_no_model_says_what_it_seems_to_be(data: bytes, said: str, tmp_path: Path) -> None:
    """Where that is not known, what is wrong with its bytes."""
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=said):
        load_structure(path)
