"""Holds the .params reader to its promise: arrays or a ConversionError, nothing else."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fixtures.converters.errors import ConversionError
from fixtures.converters.mxnet import params
from fixtures.converters.mxnet.arrays import BFLOAT16, CSR, DTYPES, ROW_SPARSE, V1, V2, V3
from suites.meta.networks.mxnet_files import (
    CODES,
    LAYOUTS,
    Field,
    Shape,
    array_fields,
    every_file,
    list_bytes,
    list_fields,
    pack,
    sparse_fields,
)
from suites.meta.oracles.mxnet_judge import NoJudge, ask

NAMES = st.text(st.characters(codec="utf-8"), max_size=12).map("arg:{}".format)
ONES = np.ones((2, 3), np.float32)
GOOD = list_bytes({"arg:w": ONES})
HEADER, TYPE_AT = 24, 24 + 4 + 4 + 4 + 16 + 8


def arrays_of(data: bytes) -> dict[str, np.ndarray]:
    """Read a file; arrays without names go by their numbers, and placeholders are left out."""
    found = params.parse(data, "f")
    pairs = found.items() if isinstance(found, dict) else enumerate(found)
    return {str(name): array for name, array in pairs if array is not None}


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
    found = arrays_of(data)
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
    with pytest.raises(ConversionError, match=r"^f, byte \d+: (ends within .* are left|claims \d+ arrays)"):
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
        found = arrays_of(bytes(raw))
    except ConversionError:
        return
    assert sum(array.nbytes for array in found.values()) < len(raw)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200))
def test_noise(tail: bytes) -> None:
    """Any bytes behind the list's magic give arrays or are refused."""
    data = struct.pack("<QQ", params.LIST_MAGIC, 0) + tail
    with suppress(ConversionError):
        assert sum(array.nbytes for array in arrays_of(data).values()) < len(data)


def listed(*fields: Field) -> bytes:
    """A file of one array, named w."""
    return pack(list_fields(["arg:w"], [fields]))


def sparse(storage: int, shape: Shape, stored: Shape, *parts: Sequence[int], kind: int = 6) -> bytes:
    """A file of one sparse array of ones, whatever its indices are."""
    sizes = [[("i", len(s)), *(("q", n) for n in s)] for s in (stored, shape)]
    heads: list[Field] = [f for p in parts for f in (("i", kind), ("i", 1), ("q", len(p)))]
    ones = np.ones(stored, np.float32).tobytes()
    indices: list[Field] = [("q", i) for part in parts for i in part]
    start: list[Field] = [("I", V2), ("i", storage), *sizes[0], *sizes[1]]
    return listed(*start, ("i", 1), ("i", 0), ("i", 0), *heads, ones, *indices)


def row_sparse(shape: Shape, rows: Sequence[int], kind: int = 6) -> bytes:
    """Rows of two ones each."""
    return sparse(ROW_SPARSE, shape, (len(rows), 2), rows, kind=kind)


def csr(shape: Shape, bounds: Sequence[int], columns: Sequence[int]) -> bytes:
    """As many ones as columns."""
    return sparse(CSR, shape, (len(columns),), bounds, columns)


def _patched(at: int, form: str, *values: int) -> bytes:
    packed = struct.pack(form, *values)
    return GOOD[:at] + packed + GOOD[at + len(packed) :]


TAGS = (struct.pack("<I", V2), struct.pack("<I", V3))
PLANTED = {
    "empty": (b"", "byte 0: ends within the list magic: expected 8 more bytes, 0 are left"),
    "other file": (b"<!DOCTYPE html><html>", "byte 0: does not begin with 0x112, the mark of a"),
    "cut values": (GOOD[:70], "ends within array 0, values of shape (2, 3): expected 24 more"),
    "too many arrays": (_patched(16, "<Q", 2**60), f"byte 16: claims {2**60} arrays"),
    "33 dimensions": (_patched(HEADER + 8, "<i", 33), "byte 32: array 0 claims 33 dimensions"),
    "-1 dimensions": (_patched(HEADER + 8, "<i", -1), "claims -1 dimensions"),
    "negative size": (_patched(HEADER + 12, "<q", -2), "shape (-2, 3), expected no negative"),
    "overflow": (_patched(HEADER + 12, "<qq", 2**62, 4), "impossible shape"),
    "overflow of 0": (_patched(HEADER + 12, "<qq", 2**62, 0), "byte"),
    "huge": (_patched(HEADER + 12, "<qq", 2**40, 1), f"expected {2**42} more bytes"),
    "type 13": (_patched(TYPE_AT, "<i", 13), f"byte {TYPE_AT}: array 0: type 13 is unknown"),
    "unknown tag": (_patched(HEADER, "<I", 0xF993FACB), "byte 24: array 0 has the tag 0xf993facb, expected"),
    "40 dimensions": (_patched(HEADER, "<I", 40), "byte 24: array 0 claims 40 dimensions"),
    "storage 7": (_patched(HEADER + 4, "<i", 7), "byte 28: array 0: storage 7 is unknown"),
    "V2 placeholder": (listed(("I", V2), ("i", 0), ("i", 0)), "'arg:w' is an empty placeholder"),
    "V3 placeholder": (listed(("I", V3), ("i", 0), ("i", -1)), "'arg:w' is an empty placeholder"),
    "V3 unknown size": (listed(("I", V3), ("i", 0), ("i", 1), ("q", -1)), "'arg:w' is an empty placeholder"),
    "V1 of 0": (listed(("I", V1), ("i", 0)), "byte 24: array 0 has 0 dimensions: an empty placeholder for"),
    "legacy of 0": (listed(("I", 0)), "byte 24: array 0 has 0 dimensions: an empty placeholder for"),
    "no names": (pack(list_fields([], [array_fields(ONES)])), "has no names for its 1 arrays. Save the"),
    "names": (_patched(len(GOOD) - 21, "<Q", 5), "has 5 names for 1 arrays, expected one each or none"),
    "JSON": (b'{"nodes": []}', "but is JSON text; a -symbol.json is named first"),
    "zip": (b"PK\x03\x04" + bytes(20), "but is a zip archive, as MXNet 2"),
    "not UTF-8": (GOOD[:-1] + b"\xff", "has a name that is not UTF-8"),
    "trailing": (GOOD + b"\0\0", "has 2 bytes after its last part"),
    "prefix": (list_bytes({"w": ONES}), "'w' begins neither with 'arg:' nor with 'aux:'"),
    "both kinds": (list_bytes({"arg:w": ONES, "aux:w": ONES}), "both an argument and a statistic"),
    "twice": (pack(list_fields(["arg:w"] * 2, [array_fields(ONES)] * 2)), "gives the name 'arg:w' a second"),
    "i32 rows": (row_sparse((4, 2), [0], kind=4), "array 0 (row_sparse), rows have the type 4, expected 6"),
    "sparse scalar": (row_sparse((), [0]).replace(*TAGS), "of shape () has values of shape (1, 2)"),
    "other width": (row_sparse((4, 3), [0]), "of shape (4, 3) has values of shape (1, 2) and indices of"),
    "row 4 of 4": (row_sparse((4, 2), [0, 4]), "array 0 (row_sparse), rows are not all in 0 to 3"),
    "row -1": (row_sparse((4, 2), [-1]), "array 0 (row_sparse), rows are not all in 0 to 3"),
    "row twice": (row_sparse((4, 2), [1, 1]), "array 0 (row_sparse), rows are given more than once"),
    "2**40 rows": (row_sparse((2**40, 2), [5]), f"would take {2**43} bytes as a dense array of shape"),
    "2**62 rows": (row_sparse((2**62, 2), [5]), "array 0 (row_sparse) has the impossible shape"),
    "csr of 0": (csr((0, 2**62), [0], []), "array 0 (csr) has the impossible shape"),
    "csr of 3": (csr((2, 2, 2), [0, 0, 1], [0]), "which do not fit together"),
    "csr bounds": (csr((2, 2), [0, 1], [0]), "indices of shapes [(2,), (1,)], which do not fit together"),
    "descending": (csr((2, 2), [0, 2, 1], [0]), "array 0 (csr), row bounds do not ascend from 0 to 1"),
    "late start": (csr((2, 2), [1, 1, 1], [0]), "array 0 (csr), row bounds do not ascend from 0 to 1"),
    "early end": (csr((2, 2), [0, 0, 0], [0]), "array 0 (csr), row bounds do not ascend from 0 to 1"),
    "column 2 of 2": (csr((2, 2), [0, 0, 1], [2]), "array 0 (csr), columns are not all in 0 to 1"),
    "column -1": (csr((2, 2), [0, 0, 1], [-1]), "array 0 (csr), columns are not all in 0 to 1"),
    "place twice": (csr((2, 2), [0, 0, 2], [1, 1]), "array 0 (csr), places are given more than once"),
    "wide csr": (csr((2, 2**40), [0, 0, 1], [1]), f"would take {2**43} bytes as a dense array"),
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


def test_a_list_is_given_as_a_list() -> None:
    """Arrays without names are in their order, placeholders None, and V3 scalars have no dimensions."""
    data = every_file()
    scalar, empty = arrays_of(data["odd"]).values()
    assert (scalar.shape, scalar.item(), empty.shape) == ((), 7.0, (0, 3))
    assert list(params.parse(data["odd"], "f"))[2:] == [None, None]
    assert params.parse(data["nothing"], "f") == []


def test_an_empty_list_has_no_parameters(tmp_path: Path) -> None:
    """A network without parameters has such a file."""
    path = tmp_path / "net.params"
    path.write_bytes(every_file()["nothing"])
    assert params.read(path) == params.Parameters({}, {})


def test_sparse_arrays_share_one_allowance() -> None:
    """Dense values are made while those of all arrays hold 16 MiB together, and no further."""
    fields = sparse_fields(np.ones((3, 1), np.float32), ROW_SPARSE)
    fields[6] = ("q", 2**20)  # rows
    lists = {
        count: pack(list_fields([f"arg:{i}" for i in range(count)], [fields] * count)) for count in (4, 5)
    }
    assert sum(array.nbytes for array in arrays_of(lists[4]).values()) == 2**24
    with pytest.raises(ConversionError, match=f"array 4 .* would take {2**22} bytes .* at most 0"):
        arrays_of(lists[5])


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray], dict[str, str]]:
    """What MXNet reads from its own files and from files written by hand, with random bits as values."""
    folder, random = tmp_path_factory.mktemp("judged"), np.random.RandomState(0)
    files = every_file()
    for layout in LAYOUTS:
        for code in (*DTYPES, BFLOAT16):
            kind = np.dtype(DTYPES.get(code, "<u2"))
            arrays = {}
            for shape in ((5,), (3, 2), (2, 0), (2, 1, 3), (1, 2, 1, 2, 1)):
                bits = random.bytes(int(np.prod(shape)) * kind.itemsize)
                values = np.frombuffer(bits, kind).reshape(shape)
                arrays[f"aux:{shape}"] = values if kind.kind != "b" else np.frombuffer(bits, "u1") % 2 == 1
            made = [array_fields(array, layout, code) for array in arrays.values()]
            files[f"{layout}, random {code}"] = pack(list_fields(arrays, made))
    for name, data in files.items():
        (folder / f"{name}.params").write_bytes(data)
    try:
        answers, _, refused = ask(folder)
    except NoJudge as reason:
        pytest.skip(str(reason))
    return folder, answers, refused


def test_same_bits_as_mxnet(judged: tuple[Path, dict[str, np.ndarray], dict[str, str]]) -> None:
    """Every layout, type, storage and rank that MXNet can read gives its bits, shape and type."""
    folder, answers, refused = judged
    compared = 0
    for path in sorted(folder.glob("*.params")):
        if path.name in refused:
            continue
        for name, array in arrays_of(path.read_bytes()).items():
            expected = answers.pop(f"{path.name}/{name}")
            widened = array.dtype == np.float32 and expected.dtype == np.uint16
            bits = (array.view(np.uint32) >> 16).astype(np.uint16) if widened else array
            assert (bits.dtype, bits.shape) == (expected.dtype, expected.shape)
            assert bits.tobytes() == expected.tobytes(), (path.name, name)
            assert not widened or not np.any(array.view(np.uint32) & 0xFFFF)
            compared += 1
    assert not answers
    assert compared > 500


def test_what_mxnet_itself_refuses(judged: tuple[Path, dict[str, np.ndarray], dict[str, str]]) -> None:
    """Only the types that its loader or its cast to dense does not know, and placeholders."""
    refused = {name.removesuffix(".params") for name in judged[2]}
    kinds = [f"{layout}, {kind}" for layout in LAYOUTS for kind in ("type", "random")]
    unknown = {f"{kind} {code}" for kind in kinds for code in range(8, 12)}
    sparse = {f"storage {s}, type {c}" for s in (1, 2) for c in range(7, 12)}
    assert refused == unknown | sparse | {"odd"}


SPACE = """
import resource, sys
from pathlib import Path
from fixtures.converters.mxnet import params
path = Path(sys.argv[1])
params.read(Path(sys.argv[2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = params.read(path).arg["big"]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, found.nbytes, found[-1])
"""


def test_a_big_file_costs_address_space_only(tmp_path: Path) -> None:
    """Reading 500 MB takes less than 2 MB of memory; the file has a hole, so that it takes no disk."""
    small, big, count = tmp_path / "small.params", tmp_path / "big.params", 125_000_000
    small.write_bytes(GOOD)
    *head, _ = array_fields(np.empty(0, np.float32))
    head[head.index(("q", 0))] = ("q", count)
    fields = list_fields(["arg:big"], [[*head, struct.pack("<f", 1.5)]])
    start = pack(fields[: 3 + len(head)])
    with big.open("wb") as file:
        file.write(start)
        file.seek(len(start) + 4 * count - 4)
        file.write(pack(fields[3 + len(head) :]))
    command = [sys.executable, "-c", SPACE, str(big), str(small)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    kilobytes, size, last = done.stdout.split()
    assert (int(size), float(last)) == (4 * count, 1.5)
    assert int(kilobytes) < 2000
