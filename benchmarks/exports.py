"""What exports and a history's import cost: ``python -m benchmarks.exports [--records N]``.

For N records and ten times as many, in files of a thousand, each format in a process of its own: seconds of
CPU time, and the greatest memory. Limits were set before anything was measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from fixtures.exports.formats import FORMATS
from fixtures.records import Metric, Record

LINEAR = 13.0
"""Ten times the records take at most so many times the CPU time."""
FLAT = 1.3
"""Formats of rows take at most so many times the memory for ten times the records."""
EACH = 1000
"""Records of a file."""
ROOT = Path(__file__).parents[1]
IMPORT = "history import"


class Cost(NamedTuple):
    """CPU seconds and megabytes of one process."""

    seconds: float
    memory: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a format, then the limits that are missed; 0 when none is, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--formats", nargs="*", default=[*(row.name for row in FORMATS), IMPORT])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        sizes = [options.records, 10 * options.records]
        for size in sizes:
            write(Path(folder, str(size)), size)
        seen = {name: [cost(name, Path(folder, str(size))) for size in sizes] for name in options.formats}
    for name, costs in seen.items():
        print(f"{name:<18}", *(f"{one.seconds:8.2f} s {one.memory:6.0f} MB" for one in costs))
    missed = [line for name, (few, many) in seen.items() for line in verdicts(name, few, many)]
    print(*missed or ["every limit is kept"], sep="\n")
    return int(bool(missed))


def verdicts(name: str, few: Cost, many: Cost) -> list[str]:
    """Return the limits that a format misses."""
    held = [(f"CPU time: at most {LINEAR} times", many.seconds <= LINEAR * few.seconds)]
    if any(row.name == name and row.rows for row in FORMATS):
        held.append((f"memory: at most {FLAT} times", many.memory <= FLAT * few.memory))
    return [f"{name}: {text}: MISSED" for text, good in held if not good]


def write(folder: Path, count: int) -> None:
    """Write record files of latencies and of parity, each record of a case of its own."""
    folder.mkdir()
    metrics = {name: Metric(1.0 / 3, "ms") for name in ("median", "p95", "p99", "iqr", "host_median")}
    made = Record(
        "latency", "passed", {"name": "", "framework": "pytorch", "digest": "d" * 64}, opset=17,
        tensorrt={"flavour": "tensorrt", "version": "10.3.0"}, samples=(1.0 / 3,) * 50, metrics=metrics,
        message="steady " * 20, device={"name": "NVIDIA H200"},
        dependencies={"numpy": "1.26", "onnx": "1.23"}, time="2026-11-29T10:00:00+00:00",
    )  # fmt: skip
    for start in range(0, count, EACH):
        lines = [
            replace(made, model={**made.model, "name": f"model-{number}"}, run_id=f"run-{start}").to_json()
            for number in range(start, min(start + EACH, count))
        ]
        (folder / f"{start}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def cost(name: str, folder: Path) -> Cost:
    """Return what one command costs. Raise RuntimeError where it fails."""
    output = folder.with_suffix(f".{name.replace(' ', '-')}")
    words = (
        [*name.split(), folder, "--db", output] if name == IMPORT else ["export", name, folder, "-o", output]
    )
    command = [sys.executable, "-m", "fixtures", *map(str, words)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
