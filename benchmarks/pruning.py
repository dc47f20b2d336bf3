"""What pruning costs: ``python -m benchmarks.pruning [--model NAME] [--rounds N] [--proof]``.

Of every network of the zoo at its real width: seconds of the processor from cfg and weights to the plan,
beside those of reading the weight file once (the floor), and with `--proof` the relative L2 between the
masked and the pruned network in ONNX Runtime, at each strategy. Exit code 1 where YOLOv4 takes more than a
second or a proof fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fixtures.pruning.darknet import comparison
from fixtures.pruning.darknet.files import Source, planned
from fixtures.pruning.distance import distance
from fixtures.pruning.plan import Settings
from fixtures.pruning.strategies import STRATEGIES
from fixtures.pruning.table import channels_in_all
from reference_models import inputs
from reference_models.darknet import weights
from reference_models.darknet.zoo.catalog import ZOO

SECONDS = {"yolov4": 1.0}
"""Architecture -> the most that its solution may take, of the best round."""
ROUNDING = 1e-5
SIDE = 128
"""Sides of the input of a proof."""


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each network; 1 where a limit is broken."""
    options = _parser().parse_args(arguments)
    names = options.model or list(ZOO)
    print(
        f"{'network':<24}{'channels':>10}{'left':>8}{'floor s':>10}{'solve s':>10}  masked = pruned",
        flush=True,
    )
    broken = [text for name in names for text in _line(name, options)]
    print("\n".join(broken), file=sys.stderr)
    return bool(broken)


def _line(name: str, options: argparse.Namespace) -> list[str]:
    """Measure a network and print its line; returns what breaks a limit."""
    with tempfile.TemporaryDirectory() as folder:
        source = written(name, SIDE if options.proof else options.size, Path(folder))
        floor = _best(options.rounds, lambda: np.fromfile(source.weights, np.float32))
        seconds = _best(options.rounds, lambda: planned(source, Settings(0.5)))
        whole, left = channels_in_all(planned(source, Settings(0.5)))
        print(f"{name:<24}{whole:>10}{left:>8}{floor:>10.3f}{seconds:>10.3f}", end="", flush=True)
        errors = _proof(source) if options.proof else {}
    print("  " + ", ".join(f"{strategy} {error:.1e}" for strategy, error in errors.items()), flush=True)
    if options.lines:
        row = {
            "name": name,
            "channels": whole,
            "left": left,
            "floor": floor,
            "solve": seconds,
            "errors": errors,
        }
        with options.lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    broken = [f"{name}: {strategy} is {e:.2g} off" for strategy, e in errors.items() if e > ROUNDING]
    if seconds > SECONDS.get(name, seconds):
        broken.append(f"{name}: {seconds:.2f} s, at most {SECONDS[name]} s are allowed")
    return broken


def written(name: str, side: int, folder: Path) -> Source:
    """Write a network of the zoo with seeded weights."""
    network, source = ZOO[name](side), Source(folder / "net.cfg", folder / "net.weights")
    source.cfg.write_text(network.text())
    weights.write_seeded(source.weights, network, seed=4)
    return source


def _best(rounds: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def _proof(source: Source) -> dict[str, float]:
    sample = [{"data": inputs.noise((1, *source.net.input_shape), 1.0, seed=1)}]
    errors = {}
    for strategy in STRATEGIES:
        plan = planned(source, Settings(0.5, strategy))
        masked = comparison.masked_outputs(source, plan, sample)
        errors[strategy] = distance(comparison.pruned_outputs(source, plan, sample), masked)
    return errors


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pruning", description=__doc__)
    parser.add_argument("--model", action="append", choices=ZOO, help="repeat it for several; default: all")
    parser.add_argument("--size", type=int, default=416, help="side of the input; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument(
        "--lines", type=Path, metavar="FILE", help="append a JSON line for each network to it"
    )
    parser.add_argument("--proof", action="store_true", help=f"run both networks at {SIDE} pixels")
    return parser


if __name__ == "__main__":
    sys.exit(main())
