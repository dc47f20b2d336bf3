"""What converting a PyTorch network costs: ``python -m benchmarks.pytorch [--model NAME] [--rounds N]``.

In one process and in turn: `bare` calls torch.onnx.export into a file, as a user would; `plain` is our
convert() with checks and simplification off, `checked` and `simplified` add them. The first round warms up
and does not count. Held is `plain` over `bare`, by their fastest rounds.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

GOAL = 1.15
"""At most so many times what a bare export takes."""
OPSETS = {"torchscript": 13, "dynamo": 18}
WAYS = ("bare", "plain", "checked", "simplified")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a way for each exporter, then the ratios; 0 when the goal is met, 1 when not."""
    from fixtures.converters.pytorch.opset_support import RANGES
    from reference_models import registry

    models = {n: m for n, m in registry.models().items() if m.framework == "pytorch"}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pytorch", description=__doc__)
    parser.add_argument("--model", choices=models, default="yolov5n", help="default: %(default)s")
    parser.add_argument("--exporter", choices=RANGES, help="default: both")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    reached = []
    with tempfile.TemporaryDirectory() as folder:
        source = models[options.model].build(Path(folder))
        for exporter in [options.exporter] if options.exporter else RANGES:
            work = ways(models[options.model], source.module, exporter, Path(folder))
            seen = measure(work, options.rounds)
            print(f"{options.model} {exporter} opset {OPSETS[exporter]}, {options.rounds} rounds")
            print(*map(line, seen.items()), sep="\n")
            reached.append(ratio(seen))
            checks, folding = (cost(seen, *pair) for pair in (WAYS[1:3], WAYS[2:]))
            print(f"checks {checks:+.3f} s, simplification {folding:+.3f} s")
            verdict = "met" if reached[-1] <= GOAL else "MISSED"
            print(f"goal plain over bare at most {GOAL}: {reached[-1]:.2f} {verdict}")
    return int(max(reached) > GOAL)


def ways(model: Any, module: Any, exporter: Any, folder: Path) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name; each writes or gives the ONNX model of the same network."""
    import torch

    from fixtures.converters.pytorch.convert import convert

    opset, example = OPSETS[exporter], dict(model.samples()[0])

    def bare() -> None:
        tensors = tuple(torch.from_numpy(array) for array in example.values())
        with warnings.catch_warnings(action="ignore"), torch.no_grad():
            torch.onnx.export(
                module, tensors, str(folder / "bare.onnx"), input_names=list(example),
                output_names=list(model.outputs), opset_version=opset, dynamo=exporter == "dynamo",
                verbose=False,
            )  # fmt: skip

    def ours(*, checked: bool, simplified: bool) -> Callable[[], object]:
        return lambda: convert(
            module, example, model.outputs, opset, exporter, checked=checked, simplified=simplified
        )

    works = [ours(checked=c, simplified=s) for c, s in ((False, False), (True, False), (True, True))]
    return dict(zip(WAYS, [bare, *works], strict=True))


def measure(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time each way once a round, in seconds, after a round that does not count."""
    seen: dict[str, list[float]] = {way: [] for way in work}
    for _ in range(rounds + 1):
        for way, run in work.items():
            start = time.perf_counter()
            run()
            seen[way].append(time.perf_counter() - start)
    return {way: seconds[1:] for way, seconds in seen.items()}


def ratio(seen: Mapping[str, Sequence[float]]) -> float:
    """Return our fastest plain conversion over the fastest bare export."""
    return min(seen["plain"]) / min(seen["bare"])


def cost(seen: Mapping[str, Sequence[float]], less: str, more: str) -> float:
    """Return the seconds that one way takes beyond another, by their fastest rounds."""
    return min(seen[more]) - min(seen[less])


def line(row: tuple[str, Sequence[float]]) -> str:
    """Say how long one way took."""
    way, seconds = row
    spread = f"min {min(seconds):.3f} s, median {statistics.median(seconds):.3f} s, max {max(seconds):.3f} s"
    return f"{way:<10} {spread}"


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # the bare export logs what it finds not installed
    sys.exit(main())
