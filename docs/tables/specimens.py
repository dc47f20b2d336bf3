"""Specimens on a real TensorRT: what the tables say of them, beside what was measured."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

from docs.tables.markdown import table
from fixtures.checks import specimen_runs
from fixtures.checks.specimen_runs import Line
from fixtures.compatibility import inspect
from fixtures.compatibility.check.cautions import cautions
from fixtures.compatibility.specimens import Specimen, enumerated
from fixtures.compatibility.tables.releases import release

FOLDER = Path(__file__).resolve().parents[1] / "measurements" / "specimens"


@cache
def by_name() -> dict[str, Specimen]:
    """Return the enumerated specimens by name."""
    return {specimen.name: specimen for specimen in enumerated()}


def lines(file: str) -> list[Line]:
    """Return the lines of a campaign that are about specimens of today."""
    return [line for line in specimen_runs.read(FOLDER / f"{file}.jsonl") if line.name in by_name()]


def said_of(line: Line) -> str:
    """Return the table's first refusal of a specimen, empty where it takes it."""
    return specimen_runs.table_says(line, by_name()[line.name])


def said_wrong(line: Line) -> bool:
    """Return whether the table says that an engine of this specimen computes something else."""
    warnings = cautions(inspect(by_name()[line.name].model), release(line.flavour, line.version))
    return any(caution.kind == "wrong" for caution in warnings)


def agreement(file: str) -> str:
    """Print how well the table predicts refusals and wrong engines."""
    measured = lines(file)
    score = specimen_runs.agreement((line, said_of(line)) for line in measured)
    whole = [line for line in measured if not line.lacked]
    own = specimen_runs.agreement((line, said_of(line)) for line in whole)
    ran = [line for line in measured if line.l2 is not None]
    wrong = [line for line in ran if line.wrong]
    predicted = sum(said_wrong(line) for line in wrong)
    rows = [
        ("specimens", len(measured)),
        ("refused, as predicted", score.refused), ("taken, as predicted", score.taken),
        ("refused without warning", score.missed), ("taken against the prediction", score.overpredicted),
        ("precision / recall", f"{score.precision:.3f} / {score.recall:.3f}"),
        ("refused for what the run lacked", len(measured) - len(whole)),
        ("precision / recall without those", f"{own.precision:.3f} / {own.recall:.3f}"),
        ("engines compared with ONNX Runtime", len(ran)),
        ("taken, but wrong; of them said by the table", f"{len(wrong)}; {predicted}"),
    ]  # fmt: skip
    return table(["of", measured[0].version], [[name, str(value)] for name, value in rows])


def disagreements(file: str) -> str:
    """Print each specimen that was refused without warning, or taken against the prediction."""
    rows = []
    for line in lines(file):
        prediction = said_of(line)
        if bool(prediction) != bool(line.stage):
            seen = f"{line.stage}: {line.problem}" if line.stage else "takes it"
            rows.append(
                [f"`{line.name}`", "refused" if prediction else "taken", seen.replace("|", "/")[:110]]
            )
    return table(["specimen", "table", "TensorRT"], rows)


def lacks(file: str) -> str:
    """Print what a run lacked, and how many specimens were refused for it."""
    counts = Counter(line.lacked for line in lines(file) if line.lacked)
    return table(["the run lacked", "specimens"], [[what, str(n)] for what, n in sorted(counts.items())])


def unsaid(file: str) -> str:
    """Print each specimen whose engine computes something else, and the table does not say so."""
    rows = [
        [f"`{line.name}`", f"{line.l2:.3g}", line.note.replace("|", "/")[:80]]
        for line in lines(file)
        if line.wrong and not said_wrong(line)
    ]
    return table(["specimen", "relative L2", "note"], rows)
