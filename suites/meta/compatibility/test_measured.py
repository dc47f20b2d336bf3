"""The table held against what a real TensorRT said of the enumerated specimens, which was written down."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks import specimen_runs
from fixtures.checks.specimen_runs import Line
from fixtures.compatibility import by_label, cautions, inspect, refusals
from fixtures.compatibility.specimens import Specimen, enumerated
from fixtures.metrics.agreement import Agreement
from suites.meta.places import ROOT

CAMPAIGNS = ROOT / "docs" / "measurements" / "specimens"
RUNS = sorted((Path(__file__).parent / "measured").glob("*.json"))
LIMIT = 0.98
LATER = {"CastBack(to=INT8)-opset21", "Half(low=UINT8)-opset10", "QDQ(scales=fed)-opset10",
         "QDQChannel(scales=fed)-opset13", "Reshape(operator=Expand,how=argmax)-opset19"}  # fmt: skip
"""Of those that the run lacked a flag or a profile for, what a later run was refused for another reason."""
OF_THE_MACHINE = {"tactics of cuBLAS and cuDNN", "cuDNN, for a plugin", "a library beside TensorRT"}


def compared(run: dict[str, Any]) -> dict[str, tuple[bool, bool]]:
    """Specimen -> whether the table refuses it, and whether the run did. What the run lacked is left out."""
    said = {name: kind == "refused" for kind in ("refused", "taken") for name in run[kind]}

    def table(one: Specimen) -> bool:
        return bool(refusals(one.model, "tensorrt", run["tensorrt"], gpu=True))

    return {one.name: (table(one), said[one.name]) for one in enumerated() if one.name in said}


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.stem)
def test_the_table_foretells_what_was_measured(file: Path) -> None:
    """Precision and recall are at least 0.98, and there is no difference."""
    found = compared(json.loads(file.read_text("utf-8")))
    score = Agreement.of(found.values())
    assert len(found) > 1000
    assert min(score.precision, score.recall) >= LIMIT
    assert [name for name, (table, real) in found.items() if table != real] == []


def test_what_the_run_lacked_is_no_refusal_of_its_parser() -> None:
    """What was refused for a flag, tactics or a profile is taken, but where a later run showed more."""
    run = json.loads(RUNS[0].read_text("utf-8"))
    lacked = {name for kind in ("flag", "tactics", "profile") for name in run[kind]}
    models = {one.name: one.model for one in enumerated()}
    refused = {n for n in lacked & set(models) if refusals(models[n], "tensorrt", "8.5", gpu=True)}
    assert refused == LATER


@pytest.mark.parametrize(
    ("file", "least"), [("2026-11-29-tensorrt-8.5.3.1-h200", 0.96), ("2026-11-29-tensorrt-8.6.0-h200", 0.97)]
)
def test_the_table_foretells_the_campaigns(file: str, least: float) -> None:
    """There is no difference but by what the runs lacked, and every wrong engine is said.

    least: recall of all lines, those included that lacked libraries of the machine.
    """
    models = {one.name: one for one in enumerated()}
    lines = [line for line in specimen_runs.read(CAMPAIGNS / f"{file}.jsonl") if line.name in models]
    said = {line.name: specimen_runs.table_says(line, models[line.name]) for line in lines}
    score = specimen_runs.agreement((line, said[line.name]) for line in lines)
    assert score.precision == 1
    assert score.recall >= least
    assert len(lines) > 700
    differing = [line for line in lines if bool(said[line.name]) != bool(line.stage)]
    assert {line.lacked for line in differing} <= OF_THE_MACHINE
    unsaid = {line.name for line in lines if line.wrong and not said_wrong(line, models[line.name])}
    assert unsaid == {"Cast(to=UINT8)-opset19", "TopK(in_order=0)-opset11"}  # undefined, and in any order


def said_wrong(line: Line, specimen: Specimen) -> bool:
    """Return whether the table says that the engine of a line computes something else."""
    row = by_label(f"trt{line.version[:3]}")
    assert row is not None
    return any(one.kind == "wrong" for one in cautions(inspect(specimen.model), row))


@pytest.mark.parametrize(
    ("problem", "lacked"),
    [("ERROR: 10: Could not find any implementation for node {n}.", "tactics of cuBLAS and cuDNN"),
     ("Unable to open library: libnvinfer_vc_plugin.so.8", "a library beside TensorRT"),
     ("Assertion profile != nullptr failed", "an optimization profile"),
     ("Assertion failed: creator", ""), ("", "")],
)  # fmt: skip
def test_what_a_run_lacked_is_no_refusal(problem: str, lacked: str) -> None:
    """What a builder refuses for the machine's sake is told apart by its words."""
    assert (
        Line("Conv", "0" * 64, "tensorrt", "8.6.0", gpu=True, stage="builder", problem=problem).lacked
        == lacked
    )
