"""What a run costs as models and processes grow: ``python -m benchmarks.scale [--counts N,...]``.

Small networks of PyTorch, each with weights of its own, as a user's model file. Of each number of models:
collecting them alone, a first run of conversion and parity on the CPU with an empty store, and a second one
that finds everything there. Seconds of the clock, those of the processor, and the greatest memory of the
process, imports included; then the cost of one more model between the least and the greatest number, and the
exponent with which it grows, in seconds of the processor, which other work on the machine hardly changes: 1
is linear. Then the first and second run in several processes, by the clock.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.user_models.models import AT_START

ROOT = Path(__file__).resolve().parents[1]
COUNTS, PROCESSES = "10,100,1000", "1,2,4"
OF_PROCESSES = 40
"""Models of the runs in several processes."""
COLLECTING = 10.0
"""Seconds in which a thousand models are collected."""
LINEAR = 1.1
"""Greatest exponent, from the first to the last number of models, of what one run costs beyond starting."""
STARTING = 1
"""Models of the run whose cost is that of starting."""
UNBUILT = AT_START + 1
"""Models of the collection whose cost is that of starting: fewer are built before they are collected."""
STAGES = ("suites/test_convert.py", "suites/test_parity.py", "suites/test_support.py")
CHOSEN = ("-m", "not tensorrt", "--opset=13", "--support=none", "-q", "-p", "no:cacheprovider")
NETS = """
import torch
from torch import nn


def __getattr__(name):
    if not name.startswith("net_"):
        raise AttributeError(name)
    number = int(name.removeprefix("net_"))

    def make():
        torch.manual_seed(number)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 5))

    return make
"""
TABLE = """[model.net-{number}]
framework = "pytorch"
factory = "scale_nets.py:net_{number}"
inputs = {{ image = [1, 3, 8, 8] }}
"""


@dataclass(frozen=True)
class Cost:
    """What a run cost: seconds of the clock and the processor, bytes of the process that took the most."""

    seconds: float
    busy: float
    memory: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a run, then what grows how; 0 when all goals are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--counts", default=COUNTS, help="numbers of models, the least first")
    parser.add_argument("--processes", default=PROCESSES, help="numbers of processes; none for none")
    options = parser.parse_args(arguments)
    counts = [int(text) for text in options.counts.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(write_models(folder / "warm-up", STARTING), "--collect-only")  # compiles, and reads from the disk
        seen = {STARTING: measured(write_models(folder / "starting", STARTING))}
        seen[STARTING]["collect"] = run(write_models(folder / "unbuilt", UNBUILT), "--collect-only")
        for count in counts:
            seen[count] = measured(write_models(folder / str(count), count))
            print(*told(count, seen[count]), sep="\n", flush=True)
        verdicts = list(growth(seen))
        print(*verdicts, sep="\n", flush=True)
        if options.processes != "none":
            several(folder / "processes", [int(text) for text in options.processes.split(",")])
    return int(any(line.endswith("MISSED") for line in verdicts))


def write_models(folder: Path, count: int) -> Path:
    """Write a model file of so many networks into a new folder, and return it."""
    folder.mkdir(parents=True)
    (folder / "scale_nets.py").write_text(NETS)
    file = folder / "models.toml"
    file.write_text("\n".join(TABLE.format(number=number) for number in range(count)))
    return file


def measured(models: Path) -> dict[str, Cost]:
    """Return the cost of each way to run a model file, by its name."""
    return {
        "collect": run(models, "--collect-only"),
        "first run": run(models),
        "second run": run(models),
    }


def run(models: Path, *arguments: str) -> Cost:
    """Run the suite on a model file, with the store beside it. Raise RuntimeError where it is not green."""
    places = (
        f"--model={models}",
        f"--artifacts={models.parent / 'artifacts'}",
        f"--records={models.parent / 'records'}",
    )
    command = [sys.executable, "-m", "pytest", *STAGES, *CHOSEN, *places, *arguments]
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            raise RuntimeError(
                f"exit code {child.returncode}: {output.read().decode(errors='replace')[-2000:]}"
            )
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def told(count: int, costs: Mapping[str, Cost]) -> Iterator[str]:
    """Yield a line for each way to run so many models."""
    for way, cost in costs.items():
        told_ = f"{cost.seconds:8.1f} s {cost.busy:8.1f} s of the processor {cost.memory / 1e6:8.0f} MB"
        yield f"{count:5} models, {way:<11}{told_}"


def growth(seen: Mapping[int, Mapping[str, Cost]]) -> Iterator[str]:
    """Yield how each way grows from the first number of models to the last, and whether the goals are met.

    seen: the first is the cost of starting: of `STARTING` models, and of collecting `UNBUILT`.
    """
    starting, *counts = seen
    last = counts[-1]
    for way in seen[last]:
        start = UNBUILT if way == "collect" else starting
        first = next((count for count in counts if count > start), last)
        if first == last:
            yield f"{way}: how it grows takes two numbers of models above {start}"
            continue
        few, many = (seen[count][way].busy - seen[starting][way].busy for count in (first, last))
        memory = seen[last][way].memory - seen[first][way].memory
        slope, each = (many - few) / (last - first), memory / (last - first)
        power = exponent((first - start, last - start), (few, many))
        told_ = f"{1e3 * slope:.1f} ms of the processor and {each / 1e6:.2f} MB a model, exponent {power:.2f}"
        yield f"{way}, {first} to {last} models: {told_}, at most {LINEAR}: {met(power <= LINEAR)}"
    if last >= 1000 and "collect" in seen[last]:
        seconds = seen[last]["collect"].seconds
        told_ = f"collecting {last} models: {seconds:.1f} s, at most {COLLECTING} s"
        yield f"{told_}: {met(seconds <= COLLECTING)}"


def met(good: bool) -> str:
    """Say whether a goal is met."""
    return "met" if good else "MISSED"


def exponent(counts: tuple[int, int], seconds: tuple[float, float]) -> float:
    """Return the power of the count that the seconds grow with; 0 where they do not grow."""
    if min(seconds) <= 0 or seconds[1] <= seconds[0]:
        return 0.0
    return math.log(seconds[1] / seconds[0]) / math.log(counts[1] / counts[0])


def several(folder: Path, numbers: Sequence[int]) -> None:
    """Print what a first and a second run cost in so many processes, each with a store of its own."""
    for number in numbers:
        models = write_models(folder / str(number), OF_PROCESSES)
        words = ("-n", str(number)) if number > 1 else ()
        first, second = run(models, *words), run(models, *words)
        print(
            f"{OF_PROCESSES} models, {number} processes: {first.seconds:.1f} s, again {second.seconds:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
