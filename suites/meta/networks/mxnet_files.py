"""Writes small MXNet networks without MXNet: what the tests of the reader and converter feed on."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fixtures.converters.mxnet.arrays import BFLOAT16, CSR, DTYPES, INT64, ROW_SPARSE, V1, V2, V3
from fixtures.converters.mxnet.params import LIST_MAGIC

LAYOUTS = ("V3", "V2", "V1", "legacy")
CODES = {np.dtype(text): code for code, text in DTYPES.items()}
PARAMETERS = ("weight", "bias", "gamma", "beta", "moving_mean", "moving_var")
"""Variables that end in one of these have stored values; all others are inputs."""

Shape = tuple[int, ...]
Field = tuple[str, int] | bytes
"""A number, by its `struct` code, or bytes that stand as they are."""


def list_bytes(arrays: Mapping[str, np.ndarray], layout: str = "V2") -> bytes:
    """Write a whole .params file in one of the four layouts."""
    return pack(list_fields(arrays, [array_fields(array, layout) for array in arrays.values()]))


def list_fields(names: Iterable[str], arrays: Sequence[Sequence[Field]]) -> list[Field]:
    """Take a file apart into its numbers and bytes; it may have no names at all."""
    fields: list[Field] = [("Q", LIST_MAGIC), ("Q", 0), ("Q", len(arrays))]
    fields += [field for array in arrays for field in array]
    texts = [name.encode() for name in names]
    fields.append(("Q", len(texts)))
    for text in texts:
        fields += [("Q", len(text)), text]
    return fields


def array_fields(array: np.ndarray, layout: str = "V2", code: int | None = None) -> list[Field]:
    """Take a dense array apart: tag, storage, shape, device, type, values; bfloat16 is given as u16."""
    sizes: list[Field] = [("I" if layout == "legacy" else "q", size) for size in array.shape]
    heads: dict[str, list[Field]] = {
        "V3": [("I", V3), ("i", 0), ("i", array.ndim)],
        "V2": [("I", V2), ("i", 0), ("i", array.ndim)],
        "V1": [("I", V1), ("i", array.ndim)],
        "legacy": [("I", array.ndim)],
    }
    code = CODES[array.dtype] if code is None else code
    return [*heads[layout], *sizes, ("i", 1), ("i", 0), ("i", code), array.tobytes()]


def sparse_fields(array: np.ndarray, storage: int, code: int | None = None) -> list[Field]:
    """Take the values other than zero apart, as row_sparse or csr; all rows of row_sparse are stored."""
    if storage == ROW_SPARSE:
        values, indices = array, [np.arange(len(array))]
    else:
        rows, columns = np.nonzero(array)
        values, indices = array[rows, columns], [np.searchsorted(rows, np.arange(len(array) + 1)), columns]
    code = CODES[array.dtype] if code is None else code
    fields: list[Field] = [("I", V2), ("i", storage), *_shape(values.shape), *_shape(array.shape)]
    fields += [("i", 1), ("i", 0), ("i", code)]
    for part in indices:
        fields += [("i", INT64), *_shape(part.shape)]
    return [*fields, values.tobytes(), *(("q", int(i)) for part in indices for i in part)]


def _shape(shape: Shape) -> list[Field]:
    return [("i", len(shape)), *(("q", size) for size in shape)]


def pack(fields: Iterable[Field]) -> bytes:
    """Join fields into a file; a number too large for its code is cut to it."""
    return b"".join(f if isinstance(f, bytes) else _number(*f) for f in fields)


def _number(code: str, value: int) -> bytes:
    size = struct.calcsize(f"<{code}")
    return (value % 2 ** (8 * size)).to_bytes(size, "little")


def every_file() -> dict[str, bytes]:
    """One small file of every type in every layout and storage, and the lists that are none of these."""
    arrays = {name: np.array([[0, 1, 2], [0, 0, 3]], dtype) for name, dtype in DTYPES.items()}
    files: dict[str, bytes] = {}
    for code, array in {**arrays, BFLOAT16: np.array([[0, 0x3FC0, 0x7FC1]], "<u2")}.items():
        made = {layout: array_fields(array, layout, code) for layout in LAYOUTS}
        made |= {f"storage {s}": sparse_fields(array, s, code) for s in (ROW_SPARSE, CSR)}
        files |= {f"{layout}, type {code}": pack(list_fields(["arg:w"], [a])) for layout, a in made.items()}
    one = array_fields(arrays[0])
    scalar, empty = array_fields(np.array(7, np.float32), "V3"), array_fields(np.empty((0, 3), np.float32))
    placeholder: list[Field] = [("I", V2), ("i", 0), ("i", 0)]
    unknown: list[Field] = [("I", V3), ("i", 0), ("i", 2), ("q", -1), ("q", 3)]
    lists = {"no names": [one, one], "nothing": [], "odd": [scalar, empty, placeholder, unknown]}
    return files | {name: pack(list_fields([], fields)) for name, fields in lists.items()}


@dataclass(frozen=True)
class Op:
    """One operator of a `Net`.

    An input is a variable's name, an earlier operator's position, or that and the number of its output.
    """

    op: str
    attrs: Mapping[str, str]
    inputs: Sequence[str | int | tuple[int, int]]


@dataclass(frozen=True)
class Net:
    """A few operators, the last of which makes the outputs, and the shapes of their variables.

    heads: how many outputs the last operator has. numbered: whether a single one has a number too. suffix:
    what MXNet calls them.
    """

    name: str
    ops: Sequence[Op]
    shapes: Mapping[str, Shape]
    heads: int = 1
    numbered: bool = False
    suffix: str = "output"

    @property
    def outputs(self) -> list[str]:
        """MXNet's names of the outputs."""
        name = f"{self.name}_{len(self.ops) - 1}_{self.suffix}"
        if self.heads == 1 and not self.numbered:
            return [name]
        return [f"{name}{i}" for i in range(self.heads)]

    def inputs(self) -> dict[str, np.ndarray]:
        """Return seeded values for the free variables, -2..2; those named positive are 0.5..2."""
        free = [n for n in self.shapes if not n.endswith((*PARAMETERS, "label"))]
        return {f"{self.name}_{n}": self._values(n) for n in free}

    def stored(self) -> dict[str, np.ndarray]:
        """Return seeded values for the parameters, by full name."""
        kinds = {n: "aux" if n.startswith("moving") else "arg" for n in self.shapes}
        return {f"{kinds[n]}:{self.name}_{n}": self._values(n) for n in self.shapes if n.endswith(PARAMETERS)}

    def _values(self, name: str) -> np.ndarray:
        seed = sum(f"{self.name} {name}".encode())
        low = 0.5 if name in {"moving_var", "positive"} else -2.0
        random = np.random.RandomState(seed)
        return random.uniform(low, 2.0, self.shapes[name]).astype(np.float32)


def one(name: str, op: str, attrs: Mapping[str, str], **shapes: Shape) -> Net:
    """Make a net of one operator; it reads its variables in the order given."""
    return Net(name, [Op(op, attrs, list(shapes))], shapes)


def many(name: str, heads: int, op: str, attrs: Mapping[str, str], **shapes: Shape) -> Net:
    """Make a net of one operator with numbered outputs, of which there may be just one."""
    return replace(one(name, op, attrs, **shapes), heads=heads, numbered=True)


DENSE = one("n", "FullyConnected", {"num_hidden": "5"}, x=(3, 7), weight=(5, 7), bias=(5,))


def symbol_of(nets: Sequence[Net]) -> dict[str, Any]:
    """Describe nets side by side in one network, one head each."""
    nodes: list[dict[str, Any]] = []
    heads = []
    for net in nets:
        at: dict[str | int, int] = {}
        for name in net.shapes:
            at[name] = len(nodes)
            nodes.append({"op": "null", "name": f"{net.name}_{name}", "inputs": []})
        for i, op in enumerate(net.ops):
            at[i] = len(nodes)
            edges = [edge if isinstance(edge, tuple) else (edge, 0) for edge in op.inputs]
            inputs = [[at[made], output, 0] for made, output in edges]
            row = {"op": op.op, "name": f"{net.name}_{i}", "attrs": dict(op.attrs)}
            nodes.append(row | {"inputs": inputs})
        heads += [[len(nodes) - 1, i, 0] for i in range(net.heads)]
    arguments = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    return {"nodes": nodes, "arg_nodes": arguments, "heads": heads}


def write(folder: Path, nets: Sequence[Net]) -> tuple[Path, Path]:
    """Write both files of the nets side by side; gives the symbol's and the parameters' path."""
    symbol, params = folder / "net-symbol.json", folder / "net-0000.params"
    symbol.write_text(json.dumps(symbol_of(nets)))
    arrays = {name: array for net in nets for name, array in net.stored().items()}
    params.write_bytes(list_bytes(arrays))
    return symbol, params
