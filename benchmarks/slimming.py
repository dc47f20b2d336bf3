"""What network slimming keeps of a network's accuracy: ``python -m benchmarks.slimming FOLDER``.

A trained reference model is sparse-trained, pruned and fine-tuned (Liu et al., arXiv 1708.06519) by the
commands that a user has; beside it the pruned architecture is trained from scratch (arXiv 1810.05270): as
many epochs (Scratch-E), or as many as cost the same operations, at most twice as many (Scratch-B).
Everything is seeded, and a step whose result lies in the folder is not done again. The folder gets
figures.json, cliff.svg and gammas.svg, too, and models.py, the tuned network as a model of `pytest suites`.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import onnx

from benchmarks import slimming_drawing, slimming_models
from benchmarks.pruned_latency import in_turn, session
from benchmarks.slimming_networks import EPOCHS, FRAMEWORKS, Files, Framework
from fixtures import __main__ as command
from fixtures.commands.training import HELD_OUT
from fixtures.metrics.alternation import Compared
from fixtures.report.experiments import Slimmed
from fixtures.store.files import write_atomically
from reference_models import registry

PARAMETERS, FLOPS, LOST = 0.5, 0.4, 1.0
"""Goals: shares removed, at least, and points of accuracy lost after fine-tuning, at most."""
CLIFF = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Ratios at which the sparse network is pruned and judged without fine-tuning."""
STEPS = "steps.jsonl"
"""Seconds of each training: of the clock, and of the processor; of one that was taken up, what was left."""
LONGEST = 2.0
"""Scratch-B trains at most so many times as long as Scratch-E, as in its paper."""


@dataclass(frozen=True)
class Settings:
    """How it is done. epochs: of sparse training and of fine-tuning each. held_out: scenes to judge by."""

    name: str
    ratio: float
    multiple: int
    strength: float
    epochs: int
    scenes: int
    held_out: int


TUNED = {
    "digits-yolov3-tiny": (0.6, 8, 0.05, 8),
    "digits-yolov4-tiny": (0.6, 8, 0.05, 8),
    "digits-yolov5n": (0.7, 4, 2e-4, 8),
    "digits-mobilenet": (0.8, 4, 0.01, 15),
}
"""Model -> ratio, rounding, strength and epochs where none are asked for: as much as the goals want gone."""


@dataclass(frozen=True)
class Experiment:
    """Where it is done, and how."""

    folder: Path
    settings: Settings

    @cached_property
    def framework(self) -> Framework:
        """That of the model."""
        return FRAMEWORKS[registry.models()[self.settings.name].framework]

    def prepare(self) -> None:
        """Make the folder. Raise SystemExit where it holds another experiment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file, text = self.folder / "settings.json", json.dumps(asdict(self.settings), indent=1)
        if file.exists() and file.read_text() != text:
            raise SystemExit(f"{file}: another experiment lies here; give another folder, or delete this one")
        file.write_text(text)

    def rows(self, *, scratch: bool) -> list[Slimmed]:
        """Do all steps; return dense, sparse, pruned and tuned, and the two from scratch if asked for."""
        settings, files = self.settings, self.framework.files
        dense = files(self.folder, "dense")
        self.framework.dense(settings.name, dense)
        sparse, small = files(self.folder, "sparse", dense), files(self.folder, "pruned")
        tuned = files(self.folder, "tuned", small)
        self._train(sparse, "sparse", "prune", "sparsify", *dense.words, "--strength", settings.strength)
        self._prune(sparse, small, settings.ratio)
        self._train(tuned, "tuned", "prune", "finetune", *small.words)
        rows = [
            self._judged(name, network)
            for name, network in zip(
                ("dense", "sparse", "pruned", "tuned"), (dense, sparse, small, tuned), strict=True
            )
        ]
        if scratch:
            rows += self._scratch(small, rows[0].flops / rows[2].flops)
        return rows

    def _scratch(self, small: Files, cheaper: float) -> list[Slimmed]:
        rows = []
        for word, factor in (("scratch-E", 1.0), ("scratch-B", min(cheaper, LONGEST))):
            network = self.framework.files(self.folder, word, small)
            epochs = round(factor * (EPOCHS[self.settings.name] + 2 * self.settings.epochs))
            self._train(network, word, "train", self.framework.name, small.network, epochs=epochs)
            rows.append(self._judged(word, network))
        return rows

    def latency(self) -> Compared:
        """Time dense and fine-tuned network in turn, in ONNX Runtime on the CPU on one thread."""
        files, small = self.framework.files, self.framework.files(self.folder, "pruned")
        dense, tuned = map(self._converted, (files(self.folder, "dense"), files(self.folder, "tuned", small)))
        return in_turn(dense, tuned, partial(session, 1))

    def _converted(self, network: Files) -> Path:
        file = network.trained.with_suffix(".onnx")
        onnx.save(self.framework.graph(network, self.settings.name), file)
        return file

    def cliff(self, ratios: Sequence[float]) -> list[Slimmed]:
        """Prune the sparse network at every ratio, and judge it as it is."""
        rows, files = [], self.framework.files
        sparse = files(self.folder, "sparse", files(self.folder, "dense"))
        for ratio in ratios:
            network = files(self.folder, f"pruned-{ratio}")
            if self._goes(sparse, ratio):
                self._prune(sparse, network, ratio)
            else:
                network = sparse
            rows.append(self._judged(f"pruned-{ratio}", network))
        return rows

    def lines(self, name: str) -> list[dict[str, object]]:
        """Return the lines of a log of the folder."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def _train(self, output: Files, which: str, *words: object, epochs: int = 0) -> None:
        if output.trained.exists():
            return
        settings = self.settings
        options = ["--epochs", epochs or settings.epochs, "--scenes", settings.scenes, "-o", output.trained]
        before = time.perf_counter(), _processor_seconds()
        _run(*words, *options, "--log", self.folder / f"{which}.jsonl")
        wall, processor = time.perf_counter() - before[0], _processor_seconds() - before[1]
        with (self.folder / STEPS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": which, "wall": wall, "processor": processor}) + "\n")

    def _goes(self, dense: Files, ratio: float) -> bool:
        """Tell whether a ratio removes any channel: else the command writes nothing."""
        with redirect_stdout(StringIO()) as said:
            _run(*self._pruning(dense, ratio), "--dry-run")
        return "nothing is removed" not in said.getvalue()

    def _prune(self, dense: Files, output: Files, ratio: float) -> None:
        _run(*self._pruning(dense, ratio), "-o", output.network)

    def _pruning(self, dense: Files, ratio: float) -> list[object]:
        options = ["--ratio", ratio, "--round", self.settings.multiple, "-q"]
        return ["prune", self.framework.name, *dense.words, *self.framework.input, *options]

    def _judged(self, name: str, network: Files) -> Slimmed:
        cost, accuracy, second = self.framework.judged(network, self.settings.held_out)
        return Slimmed(name, cost.parameters, cost.flops, accuracy, second)


def _run(*words: object) -> None:
    """Run a command of the suite. Raise SystemExit with its code where it fails."""
    if code := command.main([str(word) for word in words]):
        raise SystemExit(code)


def _processor_seconds() -> float:
    """Return what this process and its children have used."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def line(row: Slimmed) -> str:
    """Return the line of a network."""
    cost = f"{row.parameters:>11,}{row.flops / 1e6:>9.2f}"
    return f"{row.name:<16}{cost}{row.accuracy:>10.2f}{row.second:>8.2f}"


def verdicts(dense: Slimmed, tuned: Slimmed, measure: str, times: Compared) -> list[str]:
    """Hold what was removed and lost, and whether it pays, against the goals, one line each."""
    less = 1 - tuned.parameters / dense.parameters, 1 - tuned.flops / dense.flops
    lost = dense.accuracy - tuned.accuracy
    held = [
        (f"parameters removed: {less[0]:.1%}, at least {PARAMETERS:.0%}", less[0] >= PARAMETERS),
        (f"operations removed: {less[1]:.1%}, at least {FLOPS:.0%}", less[1] >= FLOPS),
        (f"{measure} lost: {lost:.2f} points, at most {LOST}", lost <= LOST),
        (f"latency in ONNX Runtime: {times.ratio}, all of it below 1", times.ratio.high < 1),
    ]
    return [f"{text}: {'met' if good else 'MISSED'}" for text, good in held]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, the cliff and the goals, write the figures; 0 when all goals are met, else 1."""
    options = parser().parse_args(arguments)
    experiment = Experiment(options.folder, settings(options))
    experiment.prepare()
    rows, cliff = experiment.rows(scratch=options.scratch), experiment.cliff(options.cliff)
    measures, by_name = experiment.framework.measures, {row.name: row for row in rows}
    head = f"{'network':<16}{'parameters':>11}{'MFLOPs':>9}{measures[0]:>10}{measures[1]:>8}"
    times = experiment.latency()
    answers = verdicts(by_name["dense"], by_name["tuned"], measures[0], times)
    print(head, *map(line, rows), *map(line, cliff), *answers, *times.restless, sep="\n")
    print(f"{_processor_seconds():.0f} s of CPU time in this run")
    figures = {
        "date": time.strftime("%Y-%m-%d"),
        "settings": asdict(experiment.settings),
        "measures": measures,
        "rows": [asdict(row) for row in rows],
        "cliff": [{"ratio": ratio, **asdict(row)} for ratio, row in zip(options.cliff, cliff, strict=True)],
        "latency": asdict(times),
        "goals": answers,
        "steps": experiment.lines(STEPS),
        "packages": {name: version(name) for name in experiment.framework.packages},
        "processor": experiment.framework.processor(),
        "gammas": experiment.lines("sparse.jsonl"),
    }
    text = json.dumps(figures, indent=1) + "\n"
    write_atomically(experiment.folder / "figures.json", text.encode())
    slimming_drawing.draw(experiment.folder, figures)
    slimming_models.write(options.name, experiment.folder)
    return int(any(line.endswith("MISSED") for line in answers))


def parser() -> argparse.ArgumentParser:
    """Declare the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slimming", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, help="for networks, weights, logs and figures of each step")
    add("--name", choices=sorted(TUNED), default="digits-yolov3-tiny")
    add("--ratio", type=float, help="part of the channels that is to go")
    add("--round", type=int, dest="multiple", help="of the channels that are left")
    add("--strength", type=float, help="of the penalty on gammas")
    add("--epochs", type=int, help="of sparse training and of fine-tuning each")
    add("--scenes", type=int, default=3000)
    add("--held-out", type=int, default=HELD_OUT, help="scenes to judge by")
    add("--scratch", action="store_true", help="train the pruned architecture from scratch, too")
    add("--cliff", type=float, nargs="+", default=CLIFF, help="ratios to judge without fine-tuning")
    return parser


def settings(options: argparse.Namespace) -> Settings:
    """Return the settings of a command line; what is not asked for is that of `TUNED`."""
    asked = {name: getattr(options, name) for name in ("ratio", "multiple", "strength", "epochs")}
    tuned = dict(zip(asked, TUNED[options.name], strict=True))
    wanted = tuned | {name: value for name, value in asked.items() if value is not None}
    return Settings(options.name, **wanted, scenes=options.scenes, held_out=options.held_out)


if __name__ == "__main__":
    sys.exit(main())
