"""What the commands ``support`` and ``fix`` cost: ``python -m benchmarks.support [--rounds N]``.

A file of YOLOv4's size, 110 convolutions with 255 MB of weights, and chains of 1,000 and 10,000 nodes. Each
is asked about for all releases, and rewritten for TensorRT 8.2: it ends in a Mish, which 8.2 lacks, and in a
product whose factor folds. Imports and tables are left out; the fastest round counts.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

GOALS = {"weights": 0.5, "long": 5.0}
"""Seconds of the file with weights, and of the chain of 10,000 nodes."""
LINEAR = 13.0
"""At most so many times the chain of a tenth of the nodes."""
RELEASE = "8.2"
"""The TensorRT that `fix` rewrites for."""
OPSET = 18
"""Of the models: the first one that has Mish."""
NODES = {"short": 1_000, "long": 10_000}
OPERATORS = ("Relu", "Add", "Sigmoid", "Mul", "Transpose")
CONVOLUTIONS = 110
CHANNELS = 254
"""110 convolutions of 254 by 254 by 3 by 3 floats are 255 MB."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a file, then the goals; 0 when all are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.support", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder))
        lines = [line for command in COMMANDS for line in measured(command, paths, options.rounds)]
    print(*lines, sep="\n")
    return int(any(line.endswith("MISSED") for line in lines))


def measured(command: str, paths: Mapping[str, Path], rounds: int) -> list[str]:
    """Return what a command costs on the files, a line each, and how that is held against the goals."""
    seen = {name: seconds(command, path, rounds) for name, path in paths.items()}
    lines = [f"{command} {name:<10}{fastest:8.3f} s" for name, fastest in seen.items()]
    return lines + [f"{command} {verdict}" for verdict in verdicts(seen)]


def verdicts(seen: Mapping[str, float]) -> list[str]:
    """Hold the fastest rounds of a command against the goals, one line each."""
    held = [(f"{name}: at most {goal} s", seen[name] <= goal) for name, goal in GOALS.items()]
    held.append((f"long over short: at most {LINEAR}", seen["long"] <= LINEAR * seen["short"]))
    return [f"{text}: {'met' if good else 'MISSED'}" for text, good in held]


def files(folder: Path) -> dict[str, Path]:
    """Write the files into a folder; return them by name."""
    paths = {name: folder / f"{name}.onnx" for name in (*NODES, "weights")}
    for name, count in NODES.items():
        onnx.save(chain(count), paths[name])
    onnx.save(convolutions(CONVOLUTIONS, CHANNELS), paths["weights"])
    return paths


def chain(count: int) -> onnx.ModelProto:
    """Make a model of so many nodes, one behind the other."""
    nodes = []
    for n, operator in zip(range(count), itertools.cycle(OPERATORS), strict=False):
        inputs = [f"t{n}"] * (2 if operator in ("Add", "Mul") else 1)
        nodes.append(helper.make_node(operator, inputs, [f"t{n + 1}"], name=f"n{n}"))
    return _model(nodes, f"t{count}", [8, 8], [])


def convolutions(count: int, channels: int) -> onnx.ModelProto:
    """Make a model of so many convolutions of 3 by 3 with weights of zeros."""
    shape = [channels, channels, 3, 3]
    nodes = [
        helper.make_node("Conv", [f"t{n}", f"w{n}"], [f"t{n + 1}"], name=f"n{n}", pads=[1, 1, 1, 1])
        for n in range(count)
    ]
    zeros = bytes(4 * channels * channels * 9)
    weights = [helper.make_tensor(f"w{n}", TensorProto.FLOAT, shape, zeros, raw=True) for n in range(count)]
    return _model(nodes, f"t{count}", [1, channels, 8, 8], weights)


def _model(
    nodes: Sequence[onnx.NodeProto], end: str, shape: Sequence[int], weights: Sequence[TensorProto]
) -> onnx.ModelProto:
    """Make a model of nodes, behind which stand a Mish and a product whose factor is a constant sum."""
    tail = [
        helper.make_node("Mish", [end], ["gate"], name="gate"),
        helper.make_node("Add", ["half", "half"], ["factor"], name="factor"),
        helper.make_node("Mul", ["gate", "factor"], ["y"], name="product"),
    ]
    half = helper.make_tensor("half", TensorProto.FLOAT, [1], [0.5])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("t0", "y")]
    graph = helper.make_graph([*nodes, *tail], "g", values[:1], values[1:], [*weights, half])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def seconds(command: str, path: Path, rounds: int) -> float:
    """Return how long the fastest run of a command takes, after one that imports and reads the tables."""
    taken = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            COMMANDS[command](path)
        taken.append(time.perf_counter() - begin)
    return min(taken[1:])


def _support(path: Path) -> None:
    from fixtures.commands import support

    support.show(path)


def _fix(path: Path) -> None:
    """Raise RuntimeError where the release does not take what is written."""
    from fixtures.commands import fix

    words = [str(path), "--tensorrt", RELEASE, "-o", str(path.with_suffix(".fixed"))]
    if code := fix.main(words):
        raise RuntimeError(f"fix {' '.join(words)}: exit code {code}")


COMMANDS: Mapping[str, Callable[[Path], None]] = {"support": _support, "fix": _fix}

if __name__ == "__main__":
    sys.exit(main())
