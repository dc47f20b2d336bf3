"""What converting a big network costs, held against a floor: the machinery of `darknet` and `mxnet` here.

Several ways from the same files, each round in a fresh process, in turn, with a warm page cache. Seconds
leave imports out; the peak is the whole process, its imports and the mapped weight file included.
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
from dataclasses import dataclass
from pathlib import Path

Way = Callable[[Path, str], Callable[[], object]]
"""Given the folder of the files and the model's name, does the imports and gives what is timed."""
MEASURED = "stream"
"""The way that the goals are about; the others are ``floor`` and whatever else there is to compare."""


@dataclass(frozen=True)
class Benchmark:
    """One converter's benchmark.

    module: what ``python -m`` runs. weights: name of the weight file in the folder. make: writes the source
    files, not measured. ways: by name; each writes ``net.onnx`` into the folder. seconds: goal of the
    measured way as a multiple of the floor's. peak: goal as a multiple of the weight file's bytes.
    """

    module: str
    about: str | None
    model: str
    weights: str
    make: Way
    ways: Mapping[str, Way]
    seconds: float
    peak: float

    @property
    def goals(self) -> dict[str, float]:
        """Both goals by the names of `ratios`."""
        return {"seconds": self.seconds, "peak": self.peak}


def main(benchmark: Benchmark, arguments: Sequence[str] | None = None) -> int:
    """Print one line a way, then the ratios; 0 when both goals are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog=f"python -m {benchmark.module}", description=benchmark.about)
    parser.add_argument("--model", default=benchmark.model, help="a network of the zoo; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the files lie while it runs; default: temporary")
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        print(json.dumps(_child(benchmark, options.child[0], Path(options.child[1]), options.model)))
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        return _compare(benchmark, Path(name), options.model, options.rounds)


def ratios(seen: Mapping[str, Sequence[Mapping[str, float]]], size: int) -> dict[str, float]:
    """Return the measured way's best time over the floor's, and its highest peak over the weights' bytes."""
    fastest = {way: min(row["seconds"] for row in rows) for way, rows in seen.items()}
    return {
        "seconds": fastest[MEASURED] / fastest["floor"],
        "peak": max(row["peak"] for row in seen[MEASURED]) / size,
    }


def missed(reached: Mapping[str, float], goals: Mapping[str, float]) -> list[str]:
    """List the goals whose ratio is too large."""
    return [goal for goal, limit in goals.items() if reached[goal] > limit]


def _compare(benchmark: Benchmark, folder: Path, model: str, rounds: int) -> int:
    _run(benchmark, "make", folder, model)
    size = (folder / benchmark.weights).stat().st_size
    seen: dict[str, list[dict[str, float]]] = {way: [] for way in benchmark.ways}
    for _ in range(rounds):
        for way in benchmark.ways:
            seen[way].append(_run(benchmark, way, folder, model))
    print(f"{model}: {size / 1e6:.1f} MB of weights, {rounds} rounds")
    for way, rows in seen.items():
        print(_line(way, rows, size))
    reached = ratios(seen, size)
    failed = missed(reached, benchmark.goals)
    for goal, limit in benchmark.goals.items():
        verdict = "MISSED" if goal in failed else "met"
        print(f"goal {goal} at most {limit}: {reached[goal]:.2f} {verdict}")
    return int(bool(failed))


def _line(way: str, rows: Sequence[Mapping[str, float]], size: int) -> str:
    seconds = [row["seconds"] for row in rows]
    peak, imports = (max(row[key] for row in rows) for key in ("peak", "imports"))
    return (
        f"{way:<8} min {min(seconds):.3f} s, median {statistics.median(seconds):.3f} s, "
        f"max {max(seconds):.3f} s; peak {peak / 1e6:.0f} MB, {peak / size:.2f} of the weights "
        f"(imports {imports / 1e6:.0f} MB)"
    )


def _run(benchmark: Benchmark, way: str, folder: Path, model: str) -> dict[str, float]:
    """One process for one measurement: a peak is a process's, and never goes down."""
    command = [sys.executable, "-m", benchmark.module, "--model", model, "--child", way, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: dict[str, float] = json.loads(done.stdout)
    return row


def _child(benchmark: Benchmark, way: str, folder: Path, model: str) -> dict[str, float]:
    work = {"make": benchmark.make, **benchmark.ways}[way](folder, model)
    (folder / "net.onnx").unlink(missing_ok=True)
    imports = _peak()
    start = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - start, "peak": _peak(), "imports": imports}


def _peak() -> float:
    """Largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
