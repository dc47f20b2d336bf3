"""Writes small MXNet networks without MXNet: what the tests of the reader and converter feed on."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fixtures.converters.mxnet.params import DTYPES, LIST_MAGIC, V1, V2, V3

LAYOUTS = ("V3", "V2", "V1", "legacy")
CODES = {np.dtype(text): code for code, text in DTYPES.items()}
PARAMETERS = ("weight", "bias", "gamma", "beta", "moving_mean", "moving_var")
"""Variables that end in one of these have stored values; all others are inputs."""

Shape = tuple[int, ...]


def list_bytes(arrays: Mapping[str, np.ndarray], layout: str = "V2") -> bytes:
    """Write a whole .params file in one of the four layouts."""
    parts = [struct.pack("<QQQ", LIST_MAGIC, 0, len(arrays))]
    parts += [array_bytes(array, layout) for array in arrays.values()]
    parts.append(struct.pack("<Q", len(arrays)))
    for name in arrays:
        text = name.encode()
        parts += [struct.pack("<Q", len(text)), text]
    return b"".join(parts)


def array_bytes(array: np.ndarray, layout: str = "V2") -> bytes:
    """Write one array: tag, storage, shape, device, type, values."""
    rank = array.ndim
    head = {
        "V3": struct.pack(f"<Iii{rank}q", V3, 0, rank, *array.shape),
        "V2": struct.pack(f"<Iii{rank}q", V2, 0, rank, *array.shape),
        "V1": struct.pack(f"<Ii{rank}q", V1, rank, *array.shape),
        "legacy": struct.pack(f"<I{rank}I", rank, *array.shape),
    }[layout]
    return head + struct.pack("<iii", 1, 0, CODES[array.dtype]) + array.tobytes()


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

    heads: how many outputs the last operator has.
    """

    name: str
    ops: Sequence[Op]
    shapes: Mapping[str, Shape]
    heads: int = 1

    @property
    def outputs(self) -> list[str]:
        """MXNet's names of the outputs."""
        name = f"{self.name}_{len(self.ops) - 1}_output"
        return [name] if self.heads == 1 else [f"{name}{i}" for i in range(self.heads)]

    def inputs(self) -> dict[str, np.ndarray]:
        """Give seeded values for the free variables, -2..2; those named positive are 0.5..2."""
        free = [n for n in self.shapes if not n.endswith((*PARAMETERS, "label"))]
        return {f"{self.name}_{n}": self._values(n) for n in free}

    def stored(self) -> dict[str, np.ndarray]:
        """Give seeded values for the parameters, by full name."""
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
    """Make a net of one operator with several outputs."""
    return replace(one(name, op, attrs, **shapes), heads=heads)


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
