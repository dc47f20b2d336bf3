"""What converting a big Darknet network costs: ``python -m benchmarks.darknet [--model NAME] [--rounds N]``.

Three ways from the same files, each round in a fresh process, in turn, with a warm page cache:
`floor` folds into one array after another and calls onnx.save; `convert` is the function that gives a
ModelProto, then onnx.save; `stream` is what the command does. Seconds leave imports out; the peak is the
whole process, its imports and the mapped weight file included.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

GOALS = {"seconds": 1.5, "peak": 2.2}
"""Of the stream: seconds as a multiple of the floor's, peak as a multiple of the weight file's bytes."""
OPSET, SIDE = 13, 416


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a way, then the ratios; 0 when both goals are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.darknet", description=__doc__)
    parser.add_argument("--model", default="yolov3", help="a network of reference_models.darknet.zoo.catalog")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the files lie while it runs; default: temporary")
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        print(json.dumps(_child(options.child[0], Path(options.child[1]), options.model)))
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        return _compare(Path(name), options.model, options.rounds)


def _compare(folder: Path, model: str, rounds: int) -> int:
    _run("make", folder, model)
    size = (folder / "net.weights").stat().st_size
    ways = ("floor", "convert", "stream")
    seen: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            seen[way].append(_run(way, folder, model))
    print(f"{model}: {size / 1e6:.1f} MB of weights, {rounds} rounds, opset {OPSET}")
    for way, rows in seen.items():
        print(_line(way, rows, size))
    reached = ratios(seen, size)
    for goal, limit in GOALS.items():
        print(
            f"goal {goal} at most {limit}: {reached[goal]:.2f} {'MISSED' if missed(reached, goal) else 'met'}"
        )
    return int(any(missed(reached, goal) for goal in GOALS))


def ratios(seen: Mapping[str, Sequence[Mapping[str, float]]], size: int) -> dict[str, float]:
    """Give the stream's fastest round over the floor's, and its highest peak over the weights' bytes."""
    fastest = {way: min(row["seconds"] for row in rows) for way, rows in seen.items()}
    return {
        "seconds": fastest["stream"] / fastest["floor"],
        "peak": max(row["peak"] for row in seen["stream"]) / size,
    }


def missed(reached: Mapping[str, float], goal: str) -> bool:
    """Say whether a ratio is above its goal."""
    return reached[goal] > GOALS[goal]


def _line(way: str, rows: Sequence[Mapping[str, float]], size: int) -> str:
    seconds = [row["seconds"] for row in rows]
    peak, imports = (max(row[key] for row in rows) for key in ("peak", "imports"))
    return (
        f"{way:<8} min {min(seconds):.3f} s, median {statistics.median(seconds):.3f} s, "
        f"max {max(seconds):.3f} s; peak {peak / 1e6:.0f} MB, {peak / size:.2f} of the weights "
        f"(imports {imports / 1e6:.0f} MB)"
    )


def _run(way: str, folder: Path, model: str) -> dict[str, float]:
    """One process for one measurement: a peak is a process's, and never goes down."""
    command = [sys.executable, "-m", "benchmarks.darknet", "--model", model, "--child", way, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: dict[str, float] = json.loads(done.stdout)
    return row


def _child(way: str, folder: Path, model: str) -> dict[str, float]:
    work = {"make": _make, "floor": _floor, "convert": _convert, "stream": _stream}[way](folder, model)
    (folder / "net.onnx").unlink(missing_ok=True)
    imports = _peak()
    start = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - start, "peak": _peak(), "imports": imports}


def _peak() -> float:
    """Largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def _make(folder: Path, model: str) -> Callable[[], object]:
    from reference_models.darknet import weights
    from reference_models.darknet.zoo.catalog import ZOO

    def work() -> None:
        cfg = ZOO[model](SIDE)
        (folder / "net.cfg").write_text(cfg.text())
        weights.write_seeded(folder / "net.weights", cfg, seed=4)

    return work


def _floor(folder: Path, model: str) -> Callable[[], object]:
    """NumPy and onnx alone, no converter: the arrays of the network's convolutions, folded and saved."""
    import numpy as np
    import onnx

    from reference_models.darknet.zoo.catalog import ZOO

    convs = ZOO[model](SIDE).convs

    def work() -> None:
        data, at = np.memmap(folder / "net.weights", np.float32, "r", offset=20), 0
        out = onnx.ModelProto()
        for number, conv in enumerate(convs):
            parts = 4 if conv.bn else 1
            norm = data[at : at + parts * conv.filters].reshape(parts, conv.filters)
            at += norm.size
            weight = data[at : at + conv.filters * conv.channels * conv.size**2].reshape(conv.filters, -1)
            at += weight.size
            if conv.bn:
                weight = weight * (norm[1] / np.sqrt(norm[3] + np.float32(1e-5)))[:, None]
            for name, array in (("weight", weight), ("bias", norm[0])):
                tensor = out.graph.initializer.add(name=f"{number}.{name}", dims=array.shape, data_type=1)
                tensor.raw_data = array.tobytes()
        onnx.save(out, folder / "net.onnx")

    return work


def _convert(folder: Path, _: str) -> Callable[[], object]:
    import onnx

    from fixtures.converters.darknet.convert import convert

    return lambda: onnx.save(convert(folder / "net.cfg", folder / "net.weights", OPSET), folder / "net.onnx")


def _stream(folder: Path, _: str) -> Callable[[], object]:
    from fixtures.converters.darknet.writing import convert_to_file

    return lambda: convert_to_file(folder / "net.cfg", folder / "net.weights", OPSET, folder / "net.onnx")


if __name__ == "__main__":
    sys.exit(main())
