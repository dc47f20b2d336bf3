"""Whether a run in several processes records what a run in one does: ``python -m benchmarks.processes``.

Runs the suites in one process, which builds engines ahead, and in several (``-n``), each with a copy of one
artifact store that has the ONNX models and source outputs and nothing that is made of them. Then it holds
the records against one another: verdicts, messages, rerun commands, and all that is measured but times.
Values that ONNX Runtime computes may differ in the last bits, since it sums in another order with fewer
threads: distances of outputs may differ by a factor (`LOOSE`). Prints what differs, and the
seconds of each run; exit code 0 where nothing does, 1 where something does, 2 where a run did not end.

What is behind `--` goes to pytest: ``python -m benchmarks.processes -- --model yolov5n,digits``.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.polygraphy import fresh_store
from fixtures import records
from fixtures.records import Metric, Record

ROOT = Path(__file__).resolve().parents[1]
MODELS = "yolov3-tiny,yolov5n,gender-age,digits"
TIMES = ("s", "ms")
DISTANCES = ("", "of allowed")
"""Units of how far outputs are from one another."""
LOOSE, CLOSE = 2.0, 1e-3
"""How many times greater a distance may be: float32's noise alone is that. What part others may differ by."""
TIMED = ("latency", "latency-ab")
"""Stages whose messages and metrics are times."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what differs; exit code as the module says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processes", description=__doc__)
    parser.add_argument("-n", default="2", help="processes of the second run")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="artifact store")
    parser.add_argument("words", nargs="*", metavar="-- WORDS", help=f"of pytest; --model {MODELS} without")
    options = parser.parse_args(arguments)
    chosen = options.words or [f"--model={MODELS}"]
    store = options.artifacts.resolve()
    if run(store, store.with_name("records"), "suites/test_convert.py", *chosen) is None:
        return 2
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for count in ("0", options.n):
            place = Path(folder, count)
            fresh_store(store, place / "artifacts")
            ended = run(place / "artifacts", place / "records", "suites", "-n", count, *chosen)
            if ended is None:
                return 2
            found.append(read(place / "records"))
        lines = list(differences(*found))
    print(*lines, f"{len(found[0])} records in one process, {len(lines)} differences", sep="\n")
    return int(bool(lines))


def run(store: Path, folder: Path, *words: str) -> float | None:
    """Run pytest, say how long it took, and return that; None, with what it said, where it did not end."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "pytest", *words, "-q", "-p", "no:cacheprovider", f"--artifacts={store}"]
    ended = subprocess.run(
        [*command, f"--records={folder}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if ended.returncode not in (0, 1):
        print(ended.stdout[-3000:], ended.stderr[-3000:], file=sys.stderr)
        return None
    print(f"{' '.join(words)}: {seconds:.1f} s, exit code {ended.returncode}", flush=True)
    return seconds


def read(folder: Path) -> dict[tuple[str, ...], Record]:
    """Return the records of a folder by what they answer."""
    return {record.key: record for file in folder.glob("*.jsonl") for record in records.read(file)}


def differences(
    one: Mapping[tuple[str, ...], Record], many: Mapping[tuple[str, ...], Record]
) -> Iterator[str]:
    """Yield a line for each case that only one run has, and for each thing that is not the same of a case."""
    for key in sorted({*one, *many}):
        about = " ".join(filter(None, key))
        if key not in one or key not in many:
            yield f"{about}: only in {'one process' if key in one else 'several'}"
        else:
            yield from (f"{about}: {text}" for text in _apart(one[key], many[key]))


def _apart(one: Record, many: Record) -> Iterator[str]:
    texts = ("verdict", "rerun", "model", *(() if one.stage in TIMED else ("message",)))
    for name in texts:
        first, other = (plain(str(getattr(record, name))) for record in (one, many))
        if first != other:
            yield f"{name} is {other!r:.300}, and {first!r:.300} in one process"
    if one.metrics.keys() != many.metrics.keys():
        yield f"metrics are {sorted(many.metrics)}, and {sorted(one.metrics)} in one process"
    elif one.stage not in TIMED:
        yield from _metrics(one, many)


def plain(text: str) -> str:
    """Return a text without the folder of its run, and with numbers to two digits."""
    text = re.sub(r"[^\s=]*/(artifacts|records)(?=[/ ]|$)", r"\1", text)
    return re.sub(r"\d+\.\d+(e[-+]\d+)?", lambda match: f"{float(match[0]):.1g}", text)


def _metrics(one: Record, many: Record) -> Iterator[str]:
    for name, first in one.metrics.items():
        other = many.metrics[name]
        if first.unit not in TIMES and not alike(first, other):
            yield f"{name} is {other.value:.6g} {first.unit}, and {first.value:.6g} in one process"


def alike(first: Metric, other: Metric) -> bool:
    """Say whether two values are the same but for the order in which float32 is summed.

    Of distances both are within their limit, or both are not.
    """
    pair = sorted((first.value, other.value))
    if pair[0] == pair[1] or all(map(math.isnan, pair)):
        return True
    if first.unit in DISTANCES and first.within == other.within:
        return pair[1] <= LOOSE * pair[0]
    return math.isclose(*pair, rel_tol=CLOSE)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
