"""Lets MXNet read files: ``python -m suites.meta.oracles.mxnet_judge FOLDER`` from the root.

Ends with 69 without MXNet.

First saves to FOLDER/saved-* arrays of every type, rank and storage that MXNet can save, and a loop. Then
loads every .params file in it, and writes the dense values to answers.npz as ``<file>/<name or number>``,
bfloat16 as u16; and every .json, whose attributes it writes to symbols.json. What it refuses stands in
refused.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from fixtures.runtimes.mxnet_child import NO_MXNET, import_mxnet
from fixtures.store.files import load_tensors, save_tensors

TYPES = ("float32", "float64", "float16", "uint8", "int8", "int32", "int64", "bool", "bfloat16")
SHAPES = ((3,), (2, 3), (2, 1, 3), (1, 2, 1, 3), (2, 1, 2, 1, 2), (0, 3), (2, 0))


class NoJudge(Exception):
    """MXNet cannot be imported."""


def ask(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, str]]:
    """Return the answers of a child process: dense values, attributes, refusals."""
    command = [sys.executable, "-m", "suites.meta.oracles.mxnet_judge", str(folder)]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=root)
    if done.returncode == NO_MXNET:
        raise NoJudge(done.stderr)
    assert not done.returncode, done.stderr
    symbols, refused = (json.loads((folder / name).read_text()) for name in ("symbols.json", "refused.json"))
    return load_tensors(folder / "answers.npz"), symbols, refused


def save(mx: Any, folder: Path) -> None:
    """Save arrays of every kind, by names and without."""
    random = np.random.RandomState(0)
    for layout, shapes in {"V2": SHAPES, "V3": (*SHAPES, ())}.items():
        with mx.util.np_shape(layout == "V3"):
            dense = {
                f"arg:{kind} {shape}": _cast(mx, random.uniform(-9, 9, shape), kind)
                for kind in TYPES
                for shape in shapes
                if kind != "bfloat16" or 0 not in shape  # its cast refuses to make one
            }
            mx.nd.save(str(folder / f"saved-{layout}.params"), dense)
            mx.nd.save(str(folder / f"saved-{layout}-list.params"), list(dense.values()))
    for storage, shapes in {"row_sparse": ((4,), (4, 3), (4, 2, 3)), "csr": ((4, 3), (1, 5))}.items():
        sparse = {}
        for kind in set(TYPES) - {"bool", "bfloat16"}:  # its cast to sparse knows neither
            for shape in shapes:
                values = random.uniform(1, 9, shape) * (random.uniform(size=shape) < 0.5)
                sparse[f"arg:{kind} {shape}"] = _cast(mx, values, kind).tostype(storage)
            sparse[f"aux:{kind} none"] = mx.nd.sparse.zeros(storage, (4, 3), dtype=kind)
            sparse[f"aux:{kind} zeros"] = mx.nd.zeros((4, 3), dtype=kind).tostype(storage)
        mx.nd.waitall()  # its save writes the sizes of arrays that are not computed yet
        mx.nd.save(str(folder / f"saved-{storage}.params"), sparse)


def save_loop(mx: Any, path: Path) -> None:
    """Save a network that holds another one."""
    outputs, _ = mx.sym.contrib.foreach(lambda row, kept: (row * 2, kept), mx.sym.var("x"), [mx.sym.var("s")])
    outputs.save(str(path))


def _cast(mx: Any, values: np.ndarray, kind: str) -> Any:
    array = mx.nd.array(values, dtype="float32" if kind == "bfloat16" else kind)
    return mx.nd.Cast(array, dtype=kind) if kind == "bfloat16" else array


def values(mx: Any, path: Path) -> dict[str, np.ndarray]:
    """Load one file as dense values."""
    with mx.util.np_shape("V3" in path.name):
        loaded = mx.nd.load(str(path))
        rows = loaded.items() if isinstance(loaded, dict) else enumerate(loaded)
        dense = {str(name): _dense(array).asnumpy() for name, array in rows}
    return {n: a.view(np.uint16) if a.dtype.kind == "V" else a for n, a in dense.items()}


def _dense(array: Any) -> Any:
    return array if array.stype == "default" else array.tostype("default")


def main() -> None:
    """Save, load, write the answers."""
    mx, folder = import_mxnet(), Path(sys.argv[1])
    save(mx, folder)
    save_loop(mx, folder / "saved-foreach.json")
    answers: dict[str, np.ndarray] = {}
    symbols, refused = {}, {}
    for path in sorted(folder.iterdir()):
        try:
            if path.suffix == ".json":
                symbol = mx.sym.load(str(path))
                symbols[path.name] = {"attrs": symbol.attr_dict(), "outputs": symbol.list_outputs()}
            else:
                answers |= {f"{path.name}/{name}": array for name, array in values(mx, path).items()}
        except Exception as error:  # MXNet raises many kinds, and its loader none of its own
            refused[path.name] = str(error)
    save_tensors(folder / "answers.npz", answers)
    (folder / "symbols.json").write_text(json.dumps(symbols))
    (folder / "refused.json").write_text(json.dumps(refused))


if __name__ == "__main__":
    main()
