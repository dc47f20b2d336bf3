"""The streamed file is the model: equal when parsed, whole or absent, and never whole in memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters import stream
from fixtures.converters.errors import ConversionError
from fixtures.converters.lazy_weights import LARGE, Deferred
from fixtures.converters.onnx_graph import GraphBuilder

FLOAT = np.dtype(np.float32)


def built(opset: int = 13) -> GraphBuilder:
    """A graph with weights kept, deferred and small, of several types."""
    random = np.random.default_rng(1)
    graph = GraphBuilder("streamed", opset)
    graph.input("data", (1, 64, 8, 8))
    first = random.standard_normal((64, 64, 4, 4), np.float32)
    names = [
        graph.constant("kept", first),
        graph.constant("deferred", Deferred(first.shape, FLOAT, lambda: first * np.float32(2))),
        graph.constant("bias", random.standard_normal(64, np.float32)),
    ]
    graph.constant("turned", random.integers(0, 9, (300, 300)).T)
    made = graph.node("Conv", ["data", names[0], names[2]], "a", doc="net.cfg:4", kernel_shape=[4, 4])
    made = graph.node("Conv", ["data", names[1], names[2]], "b", kernel_shape=[4, 4])
    graph.output(graph.node("Add", ["a", made], "sum"), (1, 64, 5, 5))
    return graph


def contents(model: onnx.ModelProto) -> tuple[bytes, dict[str, onnx.TensorProto]]:
    """The model without its initializers, and those by name: their order means nothing."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    rest = onnx.ModelProto.FromString(model.SerializeToString())
    del rest.graph.initializer[:]
    return rest.SerializeToString(), tensors


def write(graph: GraphBuilder, path: Path) -> int:
    """Stream a graph, with metadata as a converter writes it."""
    return stream.write(graph.shell({"source": "test"}), graph.weights(), path)


@pytest.mark.parametrize("opset", [10, 13, 21])
def test_the_stream_parses_to_the_same_model(opset: int, tmp_path: Path) -> None:
    """Nodes, values, metadata and every initializer are those of the model in memory, and are valid."""
    graph = built(opset)
    assert set(graph.weights()) == {"kept", "deferred", "turned"}
    size = write(graph, tmp_path / "a.onnx")
    assert size == (tmp_path / "a.onnx").stat().st_size
    streamed = onnx.load(tmp_path / "a.onnx")
    onnx.checker.check_model(streamed, full_check=True)
    assert contents(streamed) == contents(graph.model({"source": "test"}))


def test_a_changed_weight_would_be_seen(tmp_path: Path) -> None:
    """The comparison above is no matter of names: one other number trips it."""
    graph, other = built(), built()
    kept = other.constants["kept"]
    assert isinstance(kept, np.ndarray)
    kept[3, 2, 1, 0] += 1
    write(graph, tmp_path / "a.onnx")
    streamed = contents(onnx.load(tmp_path / "a.onnx"))
    assert streamed != contents(other.model({"source": "test"}))


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**31, "8080808008")]
)
def test_numbers_are_written_as_protobuf_writes_them(value: int, expected: str) -> None:
    """300 is ac 02, as in protobuf's documentation."""
    assert stream.varint(value).hex() == expected


@pytest.mark.parametrize("lie", [np.zeros((64, 64, 4, 3)), np.zeros((64, 64, 4, 4), np.int8)])
def test_a_weight_of_other_bytes_leaves_no_file(lie: np.ndarray, tmp_path: Path) -> None:
    """A deferred array that is not what was announced is refused, and nothing is left behind."""
    graph = built()
    graph.constants["deferred"] = Deferred((64, 64, 4, 4), lie.dtype, lambda: lie)
    if lie.dtype == np.int8:
        graph.constants["deferred"] = _Careless((64, 64, 4, 4), FLOAT, lambda: lie)
    with pytest.raises(ValueError, match="'deferred' was said to be"):
        write(graph, tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


class _Careless(Deferred):
    """Gives what it made, whatever was asked for."""

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.make()


def test_more_than_protobuf_reads_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """A model of 2 GiB is an error with both numbers, and its weights are never made."""
    graph = built()
    graph.constant("huge", Deferred((2**29, 1), FLOAT, lambda: pytest.fail("it was made")))
    with pytest.raises(ConversionError, match="reads at most 2147483647"):
        write(graph, tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_only_one_weight_is_in_memory_at_a_time(tmp_path: Path) -> None:
    """Twelve deferred weights of 4 MB each cost the memory of one or two, not of twelve."""
    graph = GraphBuilder("many", 13)
    shape = (1 << 20,)
    for k in range(12):
        graph.constant(f"w{k}", Deferred(shape, FLOAT, lambda k=k: np.full(shape, k, np.float32)))  # type: ignore[misc]
    tracemalloc.start()
    size = write(graph, tmp_path / "a.onnx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 12 * 4 * shape[0] > 3 * peak


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    """A watcher is told after each weight, the last time with all bytes."""
    graph, seen = built(), list[tuple[int, int]]()
    size = stream.write(graph.shell(), graph.weights(), tmp_path / "a.onnx", lambda *at: seen.append(at))
    assert len(seen) == len(graph.weights())
    assert seen[-1] == (size, size)
    assert seen == sorted(seen)


def test_small_constants_stay_in_the_shell() -> None:
    """A batch size in a Reshape must be found in the shell, so only large constants are left out."""
    graph = GraphBuilder("sizes", 13)
    graph.constant("below", np.zeros(LARGE - 1, np.float32))
    graph.constant("at", np.zeros(LARGE, np.float32))
    left_out = [t.name for t in graph.shell().graph.initializer if not t.raw_data]
    assert left_out == ["at"]
