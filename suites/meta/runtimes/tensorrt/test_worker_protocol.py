"""The frames between the suite and its child processes, and what a child's end becomes."""

from __future__ import annotations

import io
import json
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fixtures.runtimes.process import ChildProcess, WorkerStartError
from fixtures.runtimes.tensorrt import worker
from fixtures.verdicts import Crashed, StageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.dictionaries(st.text(), JSON, max_size=4)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = st.dictionaries(
    st.text(max_size=8),
    st.sampled_from(sorted(worker.DTYPES)).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES)),
    max_size=3,
)
ECHO = """
import os, sys
from fixtures.runtimes.tensorrt import worker
replies = os.fdopen(os.dup(1), "wb")
while True:
    worker.send(replies, *worker.receive(sys.stdin.buffer))
"""


def framed(header: dict[str, Any], arrays: dict[str, np.ndarray] | None = None) -> bytes:
    """Return one frame as bytes."""
    stream = io.BytesIO()
    worker.send(stream, header, arrays)
    return stream.getvalue()


def forged(envelope: Any) -> io.BytesIO:
    """Return a frame with a sound checksum around a header of anyone's choice."""
    text = json.dumps(envelope).encode()
    return io.BytesIO(worker.PREFIX.pack(worker.MAGIC, len(text), zlib.crc32(text)) + text)


@given(HEADERS, ARRAYS)
def test_round_trip(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Any header and any arrays come out as they went in."""
    stream = io.BytesIO(framed(header, arrays) * 2)
    for _ in range(2):
        got, tensors = worker.receive(stream)
        assert got == header
        assert list(tensors) == list(arrays)
        for name, array in arrays.items():
            assert (tensors[name].dtype, tensors[name].shape) == (array.dtype, array.shape)
            assert tensors[name].tobytes() == array.tobytes()
    with pytest.raises(worker.EndOfStreamError):
        worker.receive(stream)


@given(HEADERS, ARRAYS, st.data())
def test_truncation(header: dict[str, Any], arrays: dict[str, np.ndarray], data: Any) -> None:
    """A frame cut anywhere is an error that is not mistaken for the end."""
    frame = framed(header, arrays)
    length = data.draw(st.integers(1, len(frame) - 1))
    with pytest.raises(worker.ProtocolError) as caught:
        worker.receive(io.BytesIO(frame[:length]))
    assert not isinstance(caught.value, worker.EndOfStreamError)


@given(HEADERS, ARRAYS, st.data())
@settings(max_examples=300)
def test_bit_flip(header: dict[str, Any], arrays: dict[str, np.ndarray], data: Any) -> None:
    """A frame with any one bit flipped is an error."""
    frame = bytearray(framed(header, arrays))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(worker.ProtocolError):
        worker.receive(io.BytesIO(bytes(frame)))


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.arange(24.0).reshape(2, 3, 4)[:, ::2].T, id="strided"),
        pytest.param(np.arange(5, dtype=">i4"), id="big-endian"),
        pytest.param(np.asfortranarray(np.eye(3, 4, dtype="f2")), id="column-major"),
        pytest.param(np.float32(2.5), id="scalar"),
    ],
)
def test_layout(array: np.ndarray) -> None:
    """The layout of an array in memory does not change its values."""
    _, arrays = worker.receive(io.BytesIO(framed({}, {"x": array})))
    assert arrays["x"].flags.c_contiguous
    np.testing.assert_array_equal(arrays["x"], array)


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param({"header": {}, "arrays": [["x", "float32", [1 << 60]]]}, id="huge"),
        pytest.param({"header": {}, "arrays": [["x", "float32", [1 << 20] * 9]]}, id="overflow"),
        pytest.param({"header": {}, "arrays": [["x", "float32", [-1]]]}, id="negative"),
        pytest.param({"header": {}, "arrays": [["x", "float32", ["3"]]]}, id="text for a length"),
        pytest.param({"header": {}, "arrays": [["x", "object", [1]]]}, id="objects"),
        pytest.param({"header": {}, "arrays": [["x"]]}, id="short row"),
        pytest.param({"header": {}, "arrays": [["x", "bool", [1] * 99]]}, id="rank 99"),
        pytest.param({"header": []}, id="no object"),
        pytest.param([], id="list"),
    ],
)
def test_forged_header(envelope: Any) -> None:
    """A header that claims what cannot be is an error before any memory is taken."""
    with pytest.raises(worker.ProtocolError):
        worker.receive(forged(envelope))


@pytest.mark.parametrize(
    ("header", "arrays"),
    [
        pytest.param({}, {"x": np.array([None])}, id="objects"),
        pytest.param({}, {"x": np.array(["a"])}, id="text"),
        pytest.param({"x": " " * worker.MAX_HEADER}, {}, id="long header"),
    ],
)
def test_not_sendable(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """What the protocol lacks is refused before a byte is written."""
    stream = io.BytesIO()
    with pytest.raises(worker.ProtocolError):
        worker.send(stream, header, arrays)
    assert not stream.getvalue()


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    """Yield the TensorRT worker as a mere process: what is asked here needs no TensorRT."""
    command, switch = [sys.executable, worker.__file__], {worker.TEST_SWITCH: "1"}
    with ChildProcess(command, name="the worker", timeout=60, environment=switch) as process:
        yield process


def test_large_arrays() -> None:
    """Arrays far larger than a pipe's buffer go to a child and come back unharmed."""
    arrays = {"x": np.arange(8 << 20, dtype=np.int32), "y": np.zeros((0, 3), np.float16)}
    command, root = [sys.executable, "-c", ECHO], str(Path(worker.__file__).parents[3])
    with ChildProcess(command, name="echo", timeout=60, environment={"PYTHONPATH": root}) as echo:
        header, got = echo.request({"op": "echo"}, arrays)
    assert header == {"op": "echo"}
    np.testing.assert_array_equal(got["x"], arrays["x"])
    assert got["y"].shape == (0, 3)


def test_noise(child: ChildProcess) -> None:
    """What a library prints on stdout lands in the child's stderr, not among its replies."""
    for _ in range(3):
        assert child.request({"op": "misbehave", "how": "noise"}).header == {}
    assert child.stderr_tail(1) == "noise on file descriptor 1"


def test_error_reply(child: ChildProcess) -> None:
    """An operation that fails is a StageError, and the same child serves on."""
    child.start()
    pid = child.pid
    with pytest.raises(StageError, match="no operation 'dance'"):
        child.request({"op": "dance"})
    with pytest.raises(StageError, match="TypeError") as caught:
        child.request({"op": "misbehave"})
    assert "misbehave" in caught.value.__notes__[0]
    assert child.pid == pid


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("hang", "'misbehave' within 1 s and was killed"),
        ("kill", "SIGKILL during 'misbehave' .*out-of-memory killer"),
        ("exit", "exit status 3 during 'misbehave'"),
    ],
)
def test_crash(child: ChildProcess, how: str, message: str) -> None:
    """A child that hangs, is killed or ends is Crashed; the next request starts another."""
    child.request({"op": "misbehave", "how": "noise"})
    start = time.monotonic()
    with pytest.raises(Crashed, match=message) as caught:
        child.request({"op": "misbehave", "how": how}, timeout=1)
    assert time.monotonic() - start < 10
    assert "noise on file descriptor 1" in str(caught.value)
    assert child.pid is None
    assert child.request({"op": "misbehave", "how": "noise"}).header == {}


def test_timeout_says_how_to_raise_it(child: ChildProcess) -> None:
    """The message of a timeout says how to raise the limit."""
    with pytest.raises(Crashed, match="give a greater `timeout` if it needs longer"):
        child.request({"op": "misbehave", "how": "hang"}, timeout=0.5)


def test_child_that_does_not_read() -> None:
    """A child that never reads a large request outruns its time like any other."""
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        ChildProcess(command, name="deaf", timeout=1) as deaf,
        pytest.raises(Crashed, match="deaf"),
    ):
        deaf.request({}, {"x": np.zeros(8 << 20, np.uint8)})


def test_garbage() -> None:
    """A child that prints garbage is killed, and the message shows where the garbage begins."""
    command = [
        sys.executable,
        "-c",
        "print('Hello, world!', flush=True); import time; time.sleep(60)",
    ]
    with ChildProcess(command, name="chatty", timeout=60) as chatty:
        with pytest.raises(Crashed, match=r"not the start of a frame: b'Hello, world"):
            chatty.request({})
        assert chatty.pid is None


def test_no_such_program() -> None:
    """A program that is not there is a WorkerStartError."""
    child = ChildProcess(["/nowhere/python"], name="nobody")
    with pytest.raises(WorkerStartError, match=r"nobody: .*No such file"):
        child.request({})
    child.close()


def test_misbehave_is_locked() -> None:
    """Outside the tests nobody can make the worker misbehave."""
    command, off = [sys.executable, worker.__file__], {worker.TEST_SWITCH: ""}
    with (
        ChildProcess(command, name="the worker", timeout=60, environment=off) as child,
        pytest.raises(StageError, match="misbehave is for tests"),
    ):
        child.request({"op": "misbehave", "how": "exit"})
