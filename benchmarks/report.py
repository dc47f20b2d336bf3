"""What the report costs: ``python -m benchmarks.report [--records N]``.

Made-up records of a hundred models in two runs, mixed as the main job mixes them: of ten records six are what
the support tables predict, three a build and comparisons, one a latency. The site is built from a tenth of
them and from all, and the overview of 10,000 is opened in a headless Chromium and filtered once. The fastest
of the rounds counts, in seconds of the clock; those of the processors are printed beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.browser import Browser
from fixtures.commands import report
from fixtures.records import Metric, Record

GOAL = 5.0
"""Seconds of the build of `RECORDS`."""
RECORDS = 100_000
LINEAR = 13.0
"""At most so many times the build of a tenth of the records."""
PAGE = 2.0
"""Seconds until the overview of `OPENED` records is there, its first filter included."""
OPENED = 10_000
MODELS = 100
OPSETS = (10, 11, 12, 13, 17)
VERSIONS = ("7.2", "8.2", "8.5.3", "8.6.1", "10.3", "10.9", "10.16", "11.0", "11.3", "11.5")
PRECISIONS = ("fp32", "tf32", "fp16", "int8")
STAGES = (*["support"] * 6, "tensorrt-build", "tensorrt-parity", "repeatability", "latency")
RUNS = ("2026-01-01T10:00:00+00:00", "2026-01-02T10:00:00+00:00")
TENSORS = ("boxes", "scores", "classes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a measurement, then the goals; 0 when all are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        seen = {
            name: built(count, Path(folder, name), options.rounds)
            for name, count in (("tenth", options.records // 10), ("all", options.records))
        }
        seen["page"] = opened(Path(folder), options.rounds)
    lines = verdicts(seen, options.records)
    print(*lines, sep="\n")
    return int(any(line.endswith("MISSED") for line in lines))


def verdicts(seen: dict[str, float], count: int) -> list[str]:
    """Hold the fastest rounds against the goals, one line each. count: records of the whole build."""
    held = [
        (f"{count} records: at most {GOAL} s", seen["all"] <= GOAL),
        (f"all over a tenth: at most {LINEAR}", seen["all"] <= LINEAR * seen["tenth"]),
        (f"page of {OPENED} records: at most {PAGE} s", seen["page"] <= PAGE),
    ]
    return [f"{text}: {'met' if good else 'MISSED'}" for text, good in held]


def built(count: int, folder: Path, rounds: int) -> float:
    """Return how long the fastest build of so many records takes; the first one only warms up."""
    write(count, folder / "records.jsonl")
    taken = []
    for _ in range(rounds + 1):
        begin, busy = time.perf_counter(), sum(os.times()[:4])
        with contextlib.redirect_stdout(io.StringIO()):
            report.main([str(folder / "records.jsonl"), "--output", str(folder / "report")])
        taken.append((time.perf_counter() - begin, sum(os.times()[:4]) - busy))
    seconds, busy = min(taken[1:])
    print(f"{count:>8} records  {seconds:8.3f} s  {busy:8.3f} s of the processors", flush=True)
    return seconds


def write(count: int, path: Path) -> None:
    """Write so many records: all combinations of model, opset, release, precision and stage, in two runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(record.to_json() + "\n" for record in itertools.islice(records(count), count))


def records(count: int) -> Iterator[Record]:
    """Yield records, every model as often as the others; every tenth is of the older run, answered anew."""
    each = -(-count // MODELS)
    for model in range(MODELS):
        axes = itertools.product(OPSETS, VERSIONS, PRECISIONS, enumerate(STAGES))
        both = (
            (time_, axis) for n, axis in enumerate(axes) for time_ in (RUNS if n // 10 % 9 == 0 else RUNS[1:])
        )
        for number, (time_, (opset, version, precision, (at, stage))) in enumerate(
            itertools.islice(both, each)
        ):
            release = f"{version}.{at}" if stage == "support" else version
            yield made(model, number, time_, opset, release, precision, stage)


def made(model: int, number: int, time_: str, opset: int, version: str, precision: str, stage: str) -> Record:
    """Return one record as the suite writes them: up to nine metrics, a message where it is red."""
    worst = 2.0 if number % 97 == 0 and stage == "tensorrt-parity" else 0.1 + number % 7 / 10
    metrics = {"refused": Metric(0.0, "nodes")}
    if stage != "support":
        metrics = {name: Metric(1.0 + number % 5, "s") for name in ("parse", "build")}
        metrics |= {name: Metric(1e6 + number) for name in ("engine_size", "layers", "max_abs")}
    if stage in ("tensorrt-parity", "repeatability"):
        metrics["worst"] = Metric(worst, "of allowed", limit=1.0)
        metrics |= {f"{name} relative_l2": Metric(1e-5, limit=1e-4) for name in TENSORS}
    red = worst > 1 and stage == "tensorrt-parity"
    return Record(
        stage, "failed" if red else "passed",
        {"name": f"model-{model}", "framework": ("darknet", "mxnet", "pytorch")[model % 3],
         "weights": "seeded", "digest": f"{model:064x}", "note": ""},
        opset=opset, tensorrt={"flavour": "tensorrt", "version": version}, precision=precision,
        runtime="tensorrt" if stage == "latency" else "", metrics=metrics,
        samples=tuple(1.0 + n / 100 for n in range(20)) if stage == "latency" else (),
        message="guilty hop: builder\nboxes: 9 of 10 mismatched" if red else "", seconds=1.5,
        rerun=f"tox run -e trt86 -- 'suites/test_parity.py::test[{model}-{opset}]' --opset {opset}",
        device={"name": "NVIDIA H200", "compute_capability": "9.0", "driver": "580"},
        dependencies={"numpy": "2.5.2", "onnx": "1.23.2", "onnxruntime": "1.30.0"},
        run_id=time_[:10], commit="0" * 40, suite_version="2026.11.0", time=time_,
    )  # fmt: skip


def opened(folder: Path, rounds: int) -> float:
    """Return the seconds from opening the overview of `OPENED` records to its first filter, the fastest."""
    built(OPENED, folder / "opened", 1)
    taken = []
    with Browser(folder / "profile") as browser:
        for _ in range(rounds):
            browser.open((folder / "opened" / "report" / "index.html").as_uri())
            ready = browser.run("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
            filtered = browser.run(FILTER)
            taken.append((ready + filtered) / 1000)
            print(
                f"page: {ready:.0f} ms until it is there, {filtered:.0f} ms for the first filter", flush=True
            )
    return min(taken)


FILTER = """(() => {
  const begin = performance.now();
  document.querySelector("input[value=failed]").click();
  document.body.getBoundingClientRect();
  return performance.now() - begin;
})()"""

if __name__ == "__main__":
    sys.exit(main())
