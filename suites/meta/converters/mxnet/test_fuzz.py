"""Whatever the bytes of MXNet's files are, there is a network or one clear error, in bounded memory."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fixtures.converters.errors import ConversionError
from fixtures.converters.mxnet import arrays, params, symbol
from suites.meta.converters.mxnet.fuzz_readers import params_claim, symbol_claim
from suites.meta.networks.mxnet_files import (  # fmt: skip
    DENSE,
    LAYOUTS,
    Field,
    array_fields,
    every_file,
    list_fields,
    pack,
    sparse_fields,
    symbol_of,
)

LIES = st.sampled_from([0, 1, 2, 3, 6, 12, 13, 32, 33, 2**16, 2**20, 2**31 - 1, 2**31, 2**40, 2**62, 2**63])
LIES |= LIES.map(lambda number: -number) | st.integers(-5, 40)
DEEP: list[Field] = [("I", arrays.V2), ("i", 0), ("i", 70), *[("q", 1)] * 70, bytes(8), ("i", 0), bytes(4)]
VAST: list[Field] = [("I", arrays.V2), ("i", 0), ("i", 3), ("q", 0), ("q", 2**62), ("q", 2**62), bytes(12)]
WIDE = sparse_fields(np.ones((1, 1), np.float32), arrays.ROW_SPARSE)
WIDE[6] = ("q", 2**30)  # rows
NONE = sparse_fields(np.ones((0, 1), np.float32), arrays.CSR)
NONE[6] = ("q", 2**62)  # columns
FILES = list(every_file().values())
CLAIMING = [pack(list_fields([], [fields])) for fields in (DEEP, VAST, WIDE, NONE)]
CLAIMING.append(FILES[0].replace(b"arg:w", b"arg:\xff"))
"""Files in order but for rank, size, what they would take as dense arrays, or the name."""
TREES = [symbol_of([DENSE]), symbol_of([DENSE, DENSE])]
JSON = st.recursive(
    st.none() | st.booleans() | LIES | st.floats() | st.text(st.characters(), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def lying_fields(draw: st.DrawFn) -> bytes:
    """A valid file of up to three arrays, of which some numbers lie, and some bytes are another length."""
    made: list[list[Field]] = []
    for _ in range(draw(st.integers(0, 3))):
        code = draw(st.sampled_from([*arrays.DTYPES, arrays.BFLOAT16]))
        shape = draw(st.sampled_from([(2, 3), (1, 1), (3, 0), (0, 2)]))
        array = np.zeros(shape, arrays.DTYPES.get(code, "<u2"))
        array[::2] = 1
        storage = draw(st.sampled_from([arrays.DENSE, arrays.ROW_SPARSE, arrays.CSR]))
        layout = draw(st.sampled_from(LAYOUTS))
        made.append(sparse_fields(array, storage, code) if storage else array_fields(array, layout, code))
    names = [f"arg:{i}" for i in range(len(made))]
    fields = list_fields(draw(st.sampled_from([names, []])), made)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(fields) - 1))
        field = fields[at]
        if isinstance(field, bytes):
            fields[at] = draw(st.binary(max_size=9) | st.binary(min_size=len(field), max_size=len(field)))
        else:
            fields[at] = (field[0], draw(LIES))
    return pack(fields)


@st.composite
def damaged_bytes(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """A valid file that was cut, spliced with another, or changed in some bytes."""
    raw = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(0, 4))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        other, at = draw(st.sampled_from(files)), draw(st.integers(0, len(raw)))
        raw[at:] = other[draw(st.integers(0, len(other))) :]
    return bytes(raw[: draw(st.integers(0, len(raw)))]) if draw(st.booleans()) else bytes(raw)


@st.composite
def damaged_trees(draw: st.DrawFn) -> bytes:
    """A valid description in which values are replaced, left out, doubled, or renamed."""
    tree = json.loads(json.dumps(draw(st.sampled_from(TREES))))
    for _ in range(draw(st.integers(1, 3))):
        often = ["nodes"] * 9 if "nodes" in tree else []
        inner, place = tree, draw(st.sampled_from([*often, *sorted(tree)]))
        while isinstance(inner[place], dict | list) and inner[place] and draw(st.integers(0, 4)):
            inner = inner[place]
            place = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        change = draw(st.sampled_from(["replace", "copy", "rename"]))
        if change == "rename" and isinstance(inner, dict):
            inner[draw(st.sampled_from(["attr", "param", "subgraphs", "inputs", "zoo"]))] = inner.pop(place)
        elif change == "copy" and isinstance(inner, list):
            inner.append(inner[place])
        else:
            inner[place] = draw(JSON)
        if not tree:
            break
    return json.dumps(tree).encode()


def hunt(claim: Callable[[bytes], None], inputs: st.SearchStrategy[bytes], examples: int) -> None:
    """Hold the claim to so many inputs, the same ones in every run."""

    @given(inputs)
    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    def inner(data: bytes) -> None:
        claim(data)

    inner()


PARAMS = lying_fields() | damaged_bytes(FILES) | damaged_bytes(CLAIMING) | st.sampled_from(CLAIMING)
SYMBOLS = damaged_trees() | damaged_bytes([json.dumps(tree).encode() for tree in TREES])


def test_any_params_file() -> None:
    """It gives views of at most the file's size, or one error that names byte, cause and remedy."""
    hunt(params_claim, PARAMS, 1000)


def test_any_symbol_file() -> None:
    """It gives a network whose edges point backwards, or one error that names node, cause and remedy."""
    hunt(symbol_claim, SYMBOLS, 1000)


def _unchecked(cursor: arrays.Cursor, count: int, what: str) -> int:
    cursor.offset += count
    return cursor.offset - count


def _blunt(cursor: arrays.Cursor, offset: int, problem: str, remedy: str = "") -> ConversionError:
    return ConversionError(cursor.file, problem, "")


def _beyond(cursor: arrays.Cursor, offset: int, problem: str, remedy: str = "") -> ConversionError:
    return ConversionError(f"{cursor.file}, byte {len(cursor.data) + 9}", problem, arrays.COPY_AGAIN)


def _copied(cursor: arrays.Cursor, dtype: str, shape: arrays.Shape, what: str) -> np.ndarray:
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    begin = cursor.take(count, what)
    return np.frombuffer(bytearray(cursor.data[begin : begin + count]), dtype).reshape(shape)


def _name(cursor: arrays.Cursor) -> str:
    length = cursor.number("Q", "the length of a name")
    begin = cursor.take(length, "a name")
    return cursor.data[begin : begin + length].decode()


def _any_edge(where: str, value: Any, limit: int) -> symbol.Edge:
    return symbol.Edge(value[0], value[1])


FAILURES = (AssertionError, LookupError, TypeError, ValueError, Warning, struct.error)
PLANTED: Mapping[str, tuple[object, str, Any]] = {
    "reads past the end": (arrays.Cursor, "take", _unchecked),
    "copies values": (arrays.Cursor, "values", _copied),
    "error without a remedy": (arrays.Cursor, "error", _blunt),
    "error past the end": (arrays.Cursor, "error", _beyond),
    "any memory": (arrays, "MADE_AT_LEAST", 2**60),
    "any rank": (arrays, "MAX_DIMENSIONS", 2**30),
    "any size": (arrays, "ITEM_LIMIT", 2**200),
    "any index": (arrays, "_require_positions", lambda *_: None),
    "any row bounds": (arrays, "_places", lambda cursor, at, bounds, *_: bounds),
    "any text": (params, "_name", _name),
    "any edge": (symbol, "_edge", _any_edge),
    "any list": (symbol, "_list", lambda where, row, key: row.get(key)),
    "any name": (symbol, "_text", lambda where, row, key: row[key]),
    "any attributes": (symbol, "_attributes", lambda where, row: dict(row.get("attrs", {}))),
}
"""Owner, what is replaced, by what."""


@pytest.mark.parametrize("name", PLANTED)
def test_a_broken_reader_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check of the readers that is taken away breaks a claim."""
    owner, part, broken = PLANTED[name]
    monkeypatch.setattr(owner, part, broken)
    claim, inputs = (symbol_claim, SYMBOLS) if owner is symbol else (params_claim, PARAMS)
    with pytest.raises(FAILURES):
        hunt(claim, inputs, 20_000)  # it ends at the first; what is drawn depends on the modules loaded
