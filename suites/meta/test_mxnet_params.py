"""Holds the .params reader to its promise: arrays or a ConversionError, nothing else."""

from __future__ import annotations

import struct
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fixtures.artifacts import load_tensors
from fixtures.converters.errors import ConversionError
from fixtures.converters.mxnet import params
from fixtures.runtimes import mxnet_process
from suites.meta.mxnet_files import CODES, LAYOUTS, array_bytes, list_bytes

NAMES = st.text(st.characters(codec="utf-8"), max_size=12).map("arg:{}".format)
ONES = np.ones((2, 3), np.float32)
GOOD = list_bytes({"arg:w": ONES})
HEADER, TYPE_AT = 24, 24 + 4 + 4 + 4 + 16 + 8

ASK_MXNET = """
import sys
sys.path.insert(0, sys.argv[1])
import mxnet_child
mx = mxnet_child.import_mxnet()
import numpy as np
types = ("float32", "float64", "float16", "uint8", "int8", "int32", "int64")
values = np.arange(12).reshape(3, 4) * 1.25
with mx.util.np_shape(sys.argv[2] == "V3"):
    arrays = {f"arg:{t}": mx.nd.array(values, dtype=t) for t in types}
    mx.nd.save(sys.argv[3], arrays)
    loaded = mx.nd.load(sys.argv[3])
np.savez(sys.argv[4], **{name: array.asnumpy() for name, array in loaded.items()})
"""


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[str, np.ndarray], bytes]:
    """Draw named arrays of every type and shape, and their file in one of the layouts."""
    layout = draw(st.sampled_from(LAYOUTS))
    shapes = hnp.array_shapes(min_dims=int(layout != "V3"), max_dims=4, min_side=0, max_side=4)
    arrays = hnp.arrays(st.sampled_from(list(CODES)), shapes)
    named = draw(st.dictionaries(NAMES, arrays, max_size=3))
    return named, list_bytes(named, layout)


@settings(deadline=None, max_examples=150)
@given(files())
def test_round_trip(case: tuple[dict[str, np.ndarray], bytes]) -> None:
    """Whatever is written in any layout is read back bit by bit, names in their order."""
    named, data = case
    found = params.parse(data, "f")
    assert list(found) == list(named)
    for name, array in named.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


@settings(deadline=None, max_examples=150)
@given(files(), st.data())
def test_truncation(case: tuple[dict[str, np.ndarray], bytes], data: st.DataObject) -> None:
    """A file cut anywhere is refused, with the byte at which it ends too early."""
    whole = case[1]
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ConversionError, match=r"^f, byte \d+: ends within .* are left"):
        params.parse(whole[:cut], "f")


@settings(deadline=None, max_examples=300)
@given(files(), st.data())
def test_mutation(case: tuple[dict[str, np.ndarray], bytes], data: st.DataObject) -> None:
    """A file with one byte changed gives arrays no larger than itself, or is refused."""
    raw = bytearray(case[1])
    at, value = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 255))
    assume(raw[at] != value)
    raw[at] = value
    try:
        found = params.parse(bytes(raw), "f")
    except ConversionError:
        return
    assert sum(array.nbytes for array in found.values()) < len(raw)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200))
def test_noise(tail: bytes) -> None:
    """Any bytes behind the list's magic give arrays or are refused."""
    data = struct.pack("<QQ", params.LIST_MAGIC, 0) + tail
    with suppress(ConversionError):
        assert sum(array.nbytes for array in params.parse(data, "f").values()) < len(data)


def _patched(at: int, form: str, *values: int) -> bytes:
    packed = struct.pack(form, *values)
    return GOOD[:at] + packed + GOOD[at + len(packed) :]


PLANTED = {
    "empty": (b"", "byte 0: ends within the list magic: expected 8 more bytes, 0 are left"),
    "other file": (b"<!DOCTYPE html><html>", "byte 0: begins otherwise than with 0x112"),
    "cut values": (GOOD[:70], "ends within array 0, values of shape (2, 3): expected 24 more"),
    "too many arrays": (_patched(16, "<Q", 2**60), f"byte 16: claims {2**60} arrays"),
    "33 dimensions": (_patched(HEADER + 8, "<i", 33), "byte 32: array 0 claims 33 dimensions"),
    "-1 dimensions": (_patched(HEADER + 8, "<i", -1), "claims -1 dimensions"),
    "negative size": (_patched(HEADER + 12, "<q", -2), "shape (-2, 3), expected no negative"),
    "overflow": (_patched(HEADER + 12, "<qq", 2**62, 4), "impossible shape"),
    "overflow of 0": (_patched(HEADER + 12, "<qq", 2**62, 0), "byte"),
    "huge": (_patched(HEADER + 12, "<qq", 2**40, 1), f"expected {2**42} more bytes"),
    "type 13": (_patched(TYPE_AT, "<i", 13), f"byte {TYPE_AT}: array 0: type 13 is unknown"),
    "bfloat16": (_patched(TYPE_AT, "<i", 12), "type 12 is bfloat16, which is not supported"),
    "row_sparse": (_patched(HEADER + 4, "<i", 1), "byte 28: array 0 is stored as row_sparse"),
    "csr": (_patched(HEADER + 4, "<i", 2), "stored as csr, expected a dense array"),
    "storage 7": (_patched(HEADER + 4, "<i", 7), "storage 7 is unknown"),
    "placeholder": (_patched(HEADER + 8, "<i", 0), "array 0 is an empty placeholder"),
    "names": (_patched(len(GOOD) - 21, "<Q", 5), "has 5 names for 1 arrays"),
    "not UTF-8": (GOOD[:-1] + b"\xff", "has a name that is not UTF-8"),
    "trailing": (GOOD + b"\0\0", "has 2 bytes after the last name"),
    "prefix": (list_bytes({"w": ONES}), "'w' begins neither with 'arg:' nor with 'aux:'"),
    "both kinds": (list_bytes({"arg:w": ONES, "aux:w": ONES}), "both an argument and a statistic"),
    "twice": (
        struct.pack("<QQQ", params.LIST_MAGIC, 0, 2) + array_bytes(ONES) * 2
        + struct.pack("<Q", 2) + struct.pack("<Q5s", 5, b"arg:w") * 2,
        "gives the name 'arg:w' a second time",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_planted_defect_is_named(name: str, tmp_path: Path) -> None:
    """Each defect is refused by a message that names the file and what was expected."""
    data, text = PLANTED[name]
    path = tmp_path / "bad.params"
    path.write_bytes(data)
    with pytest.raises(ConversionError) as caught:
        params.read(path)
    assert str(caught.value).startswith("bad.params")
    assert text in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is refused like any other bad input."""
    with pytest.raises(ConversionError, match=r"^no\.params: cannot be read: No such file"):
        params.read(tmp_path / "no.params")


def test_arrays_are_views(tmp_path: Path) -> None:
    """Arrays are read-only views into the mapped file, split by prefix."""
    path = tmp_path / "net.params"
    path.write_bytes(list_bytes({"arg:w": ONES, "aux:m": ONES * 2}))
    found = params.read(path)
    assert (list(found.arg), list(found.aux), list(found.all)) == (["w"], ["m"], ["w", "m"])
    assert not found.arg["w"].flags.owndata
    assert not found.arg["w"].flags.writeable


@pytest.mark.skipif(find_spec("mxnet") is None, reason="mxnet is not installed")
@pytest.mark.parametrize("layout", ["V2", "V3"])
def test_same_bits_as_mxnet(layout: str, tmp_path: Path) -> None:
    """A file saved by MXNet itself gives the bits that MXNet reads from it."""
    saved, answer = tmp_path / "a.params", tmp_path / "a.npz"
    folder = mxnet_process.CHILD.parent
    command = [sys.executable, "-c", ASK_MXNET, str(folder), layout, str(saved), str(answer)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    expected = load_tensors(answer)
    found = params.parse(saved.read_bytes(), "f")
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
