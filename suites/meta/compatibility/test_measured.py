"""The table held against what a real TensorRT said of the enumerated specimens, which was written down."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.compatibility import refusals
from fixtures.compatibility.specimens import Specimen, enumerated
from fixtures.metrics.agreement import Agreement

RUNS = sorted((Path(__file__).parent / "measured").glob("*.json"))
LIMIT = 0.98
LATER = {"CastBack(to=INT8)-opset21", "Half(low=UINT8)-opset10", "QDQ(scales=fed)-opset10",
         "QDQChannel(scales=fed)-opset13"}  # fmt: skip
"""Of those that the run lacked a flag for, what a later run with the flag was refused for another reason."""


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
