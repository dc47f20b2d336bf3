"""What network slimming keeps of a detector's accuracy: ``python -m benchmarks.slimming FOLDER``.

The trained digits detector is sparse-trained, pruned and fine-tuned (Liu et al., arXiv 1708.06519) by the
commands that a user has; beside it the pruned architecture is trained from scratch (arXiv 1810.05270): as
many epochs (Scratch-E), or as many as cost the same operations, at most twice as many (Scratch-B).
Everything is seeded, and a step whose weights lie in the folder is not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fixtures import __main__ as command
from fixtures.commands.training import HELD_OUT
from fixtures.converters.darknet import config
from fixtures.converters.darknet.network import Network, resolve
from fixtures.pruning.darknet.costs import of_network
from fixtures.training.examples import SceneExamples
from reference_models.darknet.digit_detectors import weight_file
from reference_models.training.detectors import RECIPES

PARAMETERS, FLOPS, LOST = 0.5, 0.4, 1.0
"""Goals: shares removed, at least, and points of mAP50-95 lost after fine-tuning, at most."""
CLIFF = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Ratios at which the sparse network is pruned and judged without fine-tuning."""


@dataclass(frozen=True)
class Row:
    """One network: what it costs an image, and mAP on held-out scenes in points."""

    name: str
    parameters: int
    flops: int
    map: float
    map50: float

    def __str__(self) -> str:
        cost = f"{self.parameters:>11,}{self.flops / 1e6:>9.2f}"
        return f"{self.name:<16}{cost}{self.map:>10.2f}{self.map50:>8.2f}"


@dataclass(frozen=True)
class Source:
    """A network's two files."""

    cfg: Path
    weights: Path

    @property
    def net(self) -> Network:
        """Its layers."""
        return resolve(config.read(self.cfg))


@dataclass(frozen=True)
class Experiment:
    """Where it is done, and how. epochs: of sparse training and of fine-tuning each. held_out: scenes."""

    folder: Path
    name: str
    ratio: float
    multiple: int
    strength: float
    epochs: int
    scenes: int
    held_out: int
    scratch: bool

    def rows(self) -> list[Row]:
        """Do all steps; return dense, sparse, pruned and tuned, and the two from scratch if asked for."""
        dense, sparse, small = (self._source(which) for which in ("dense", "sparse", "pruned"))
        self.folder.mkdir(parents=True, exist_ok=True)
        dense.cfg.write_text(RECIPES[self.name].architecture().text())
        dense.weights.write_bytes(weight_file(self.name).read_bytes())
        sparse.cfg.write_bytes(dense.cfg.read_bytes())
        self._train(sparse, "prune", "sparsify", dense.cfg, dense.weights, "--strength", self.strength)
        self._prune(sparse, small, self.ratio)
        tuned = self._source("tuned", small)
        self._train(tuned, "prune", "finetune", small.cfg, small.weights)
        names = {"dense": dense, "sparse": sparse, "pruned": small, "tuned": tuned}
        if self.scratch:
            recipe, longest = RECIPES[self.name], 2.0
            cheaper = of_network(dense.net).macs / of_network(small.net).macs
            for word, factor in (("scratch-E", 1.0), ("scratch-B", min(cheaper, longest))):
                names[word] = self._source(word, small)
                epochs = round(factor * (recipe.epochs + 2 * self.epochs))
                self._train(names[word], "train", "darknet", small.cfg, epochs=epochs)
        return [self._judged(name, source) for name, source in names.items()]

    def cliff(self) -> list[Row]:
        """Prune the sparse network at every ratio of `CLIFF`, and judge it as it is."""
        rows = []
        for ratio in CLIFF:
            source = self._source(f"pruned-{ratio}")
            self._prune(self._source("sparse"), source, ratio)
            rows.append(self._judged(source.cfg.stem, source))
        return rows

    def _source(self, which: str, of: Source | None = None) -> Source:
        cfg = of.cfg if of else self.folder / f"{which}.cfg"
        return Source(cfg, self.folder / f"{which}.weights")

    def _train(self, output: Source, *words: object, epochs: int = 0) -> None:
        if output.weights.exists():
            return
        options = ["--epochs", epochs or self.epochs, "--scenes", self.scenes, "-o", output.weights]
        _run(*words, *options, "--log", output.weights.with_suffix(".jsonl"))

    def _prune(self, dense: Source, output: Source, ratio: float) -> None:
        options = ["--ratio", ratio, "--round", self.multiple, "-q", "-o", output.cfg]
        _run("prune", "darknet", dense.cfg, dense.weights, *options)

    def _judged(self, name: str, source: Source) -> Row:
        from fixtures.training.darknet_module import read_cfg
        from fixtures.training.evaluation import mean_average_precision
        from fixtures.training.weight_file import read

        module = read_cfg(source.cfg)
        read(source.weights, module)
        every, half = mean_average_precision(module, SceneExamples("held-out", self.held_out))
        cost = of_network(module.net)
        return Row(name, cost.parameters, cost.flops, 100 * every, 100 * half)


def _run(*words: object) -> None:
    """Run a command of the suite. Raise SystemExit with its code where it fails."""
    if code := command.main([str(word) for word in words]):
        raise SystemExit(code)


def verdicts(dense: Row, tuned: Row) -> list[str]:
    """Hold what was removed and lost against the goals, one line each."""
    less = 1 - tuned.parameters / dense.parameters, 1 - tuned.flops / dense.flops
    lost = dense.map - tuned.map
    held = [
        (f"parameters removed: {less[0]:.1%}, at least {PARAMETERS:.0%}", less[0] >= PARAMETERS),
        (f"operations removed: {less[1]:.1%}, at least {FLOPS:.0%}", less[1] >= FLOPS),
        (f"mAP50-95 lost: {lost:.2f} points, at most {LOST}", lost <= LOST),
    ]
    return [f"{text}: {'met' if good else 'MISSED'}" for text, good in held]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, the cliff and the goals; 0 when all are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slimming", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, help="for cfg, weights and logs of each step")
    add("--name", choices=sorted(RECIPES), default="digits-yolov3-tiny")
    add("--ratio", type=float, default=0.6)
    add("--round", type=int, default=8, dest="multiple")
    add("--strength", type=float, default=0.05)
    add("--epochs", type=int, default=8, help="of sparse training and of fine-tuning each")
    add("--scenes", type=int, default=3000)
    add("--held-out", type=int, default=HELD_OUT, help="scenes to judge by")
    add("--scratch", action="store_true", help="train the pruned architecture from scratch, too")
    add("--json", type=Path, help="file for the figures")
    options = vars(parser.parse_args(arguments))
    path = options.pop("json")
    experiment = Experiment(**options)
    rows, cliff = experiment.rows(), experiment.cliff()
    print(
        f"{'network':<16}{'parameters':>11}{'MFLOPs':>9}{'mAP50-95':>10}{'mAP50':>8}", *rows, *cliff, sep="\n"
    )
    by_name = {row.name: row for row in rows}
    answers = verdicts(by_name["dense"], by_name["tuned"])
    print(*answers, sep="\n")
    if path:
        path.write_text(json.dumps([asdict(row) for row in (*rows, *cliff)], indent=1) + "\n")
    return int(any(line.endswith("MISSED") for line in answers))


if __name__ == "__main__":
    sys.exit(main())
