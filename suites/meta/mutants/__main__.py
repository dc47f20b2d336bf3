"""Plant errors in the code that compares, judges and stores, and count those that no test sees.

``python -m suites.meta.mutants [--sample N] [MODULE ...]`` tries each mutant with the tests of its module
(`modules.toml`), names those that survive, and ends with the survival rate of each module; exit code 1 where
more than 5 % survive. An interrupt ends it with the rates so far. Nothing is written into the tree.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from suites.meta.mutants.operators import Mutant, mutants
from suites.meta.mutants.tables import EQUIVALENT, MODULES, Equivalent, equivalents, read_modules
from suites.meta.mutants.trials import SLACK, TIMES, Copy
from suites.meta.places import ROOT

MOST = 0.05
"""The share of mutants that may survive."""
Planted = tuple[str, Mutant]
"""A module's path in the tree, and a mutant of it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 where few enough survive, 1 for too many, 2 for a bad table or red tests, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m suites.meta.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="paths in the tree; default: all")
    parser.add_argument("--sample", type=int, metavar="N", help="try N mutants, drawn evenly from all")
    parser.add_argument("--seed", type=int, default=0, help="of the drawing; default: %(default)s")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--tables", type=Path, default=MODULES.parent, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs behind it ignore that
    try:
        tests = read_modules(options.tables / MODULES.name, options.root, options.modules)
        known = equivalents(options.tables / EQUIVALENT.name)
        planted = [(module, each) for module in tests for each in _of(options.root / module)]
        tried = _without(planted, [row for row in known if row.module in tests])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.sample is not None:
        tried = _sample(tried, options.sample, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        return _run(Copy.of(options.root, Path(folder) / "tree"), tests, tried)


def _of(path: Path) -> list[Mutant]:
    return mutants(path.read_text("utf-8"))


def _without(planted: Sequence[Planted], known: Sequence[Equivalent]) -> list[Planted]:
    """Return the mutants that change something. Raise ValueError naming a row that fits no mutant."""
    for row in known:
        if not any(row.fits(*each) for each in planted):
            raise ValueError(f"{row.where}: {row.module} has no mutant {row.change!r} in a line {row.line!r}")
    return [each for each in planted if not any(row.fits(*each) for row in known)]


def _sample(planted: Sequence[Planted], count: int, seed: int) -> list[Planted]:
    drawn = random.Random(seed).sample(range(len(planted)), min(count, len(planted)))  # noqa: S311
    return [planted[at] for at in sorted(drawn)]


def _run(copy: Copy, tests: Mapping[str, Sequence[str]], tried: Sequence[Planted]) -> int:
    """Try mutants one after the other, naming each that survives, then print the rates."""
    planted: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    code, begin = 0, time.monotonic()
    try:
        for module, mutant, lives in _trials(copy, tests, tried):
            planted[module] += 1
            if lives:
                survived[module] += 1
                print(f"survived: {module}:{mutant.line}: {mutant.text}\n    {mutant.change}", flush=True)
            _show_progress(planted.total(), len(tried), survived.total(), time.monotonic() - begin)
    except KeyboardInterrupt:
        print(f"interrupted after {planted.total()} of {len(tried)} mutants")
        code = 130
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for module in planted:
        print(_rate(module, survived[module], planted[module]))
    print(_rate("all", survived.total(), planted.total()))
    return code or int(survived.total() > MOST * planted.total())


def _trials(
    copy: Copy, tests: Mapping[str, Sequence[str]], tried: Sequence[Planted]
) -> Iterator[tuple[str, Mutant, bool]]:
    """Yield each mutant and whether its tests pass. Raise ValueError for tests that fail without one."""
    for module, files in tests.items():
        own = [mutant for name, mutant in tried if name == module]
        if not own:
            continue
        usual = copy.baseline(files)
        if not usual.passed:
            raise ValueError(f"the tests of {module} do not pass without a mutant:\n{usual.said}")
        for mutant in own:
            trial = copy.trial(module, mutant.source, files, SLACK + TIMES * usual.seconds)
            yield module, mutant, trial.passed


def _show_progress(done: int, count: int, survived: int, seconds: float) -> None:
    if sys.stderr.isatty():
        left = seconds / done * (count - done)
        end = "\r" if done < count else "\n"
        text = f"{done} of {count} mutants, {survived} survived, {left / 60:.0f} min left"
        print(f"{text:70}", end=end, file=sys.stderr, flush=True)


def _rate(name: str, survived: int, count: int) -> str:
    return f"{name}: {survived} of {count} survived, {survived / max(count, 1):.1%}"


if __name__ == "__main__":
    sys.exit(main())
