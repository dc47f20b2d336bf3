"""Every row of the tables speaks of a model here, and a remedy that names the command helps everywhere."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest
from onnx import ModelProto

from fixtures.compatibility import Caution, Refusal, inspect, releases
from fixtures.compatibility.answers import Answer, ask
from fixtures.compatibility.check import measured
from fixtures.compatibility.check.validity import InvalidModel
from fixtures.compatibility.rewrites import fix
from fixtures.compatibility.specimens import enumerated
from fixtures.compatibility.tables.derive import ROWS
from fixtures.compatibility.tables.releases import closed, patches
from suites.meta.compatibility import test_limits, test_reported_cases
from suites.meta.networks import (
    importer_cases,
    narrow_floats,
    parser_cases,
    reported_situations,
    row_models,
    user_situations,
)
from suites.meta.networks.rewrite_models import FOLDS, release

COMMAND = "the command fix"
"""What a remedy says that the command carries out."""
SIZED = ("at fixed sizes", "--shape", "fixed batches", "of fixed length")
"""Words of a remedy that holds for inputs of fixed sizes alone."""
LENGTH = 4
"""What an axis of no fixed length gets."""


@cache
def situations() -> dict[str, ModelProto]:
    """Return the models of tests of rows, by name."""
    rooms = (parser_cases, importer_cases, user_situations, reported_situations, narrow_floats)
    cases = {name: case.model() for room in rooms for name, case in room.CASES.items()}
    reported = {name: make() for name, (make, _) in test_reported_cases.CASES.items()}
    limits = {f"{rule} {label} {n}": model for n, (rule, label, model, _) in enumerate(test_limits.ROWS)}
    return {**cases, **reported, **limits, **row_models.MODELS}


@cache
def answers(name: str) -> list[Answer]:
    """Return what every release and patch says of a situation."""
    return ask(inspect(situations()[name]), (*releases(), *patches()), gpu=False)


def rows() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each row of limits and refusals: its name, and how the places begin that name it."""
    for path in sorted(ROWS.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        for n, row in enumerate(data.get("limit", ()), 1):
            span = closed(row.get("flavour", data.get("flavour")), row["releases"])
            names = tuple(
                f"operators.json {name} {row['rule']} {span}, " for name in row["operators"].split()
            )
            yield f"{path.name} {n}: {row['rule']} {span}", names
    for n, one in enumerate(measured.rows(), 1):
        yield f"refusals.toml {n}: {one.rule} {one.releases}", (f"refusals.toml row {n},",)


def test_every_row_speaks_of_a_model() -> None:
    """A row that none of the situations and specimens calls for would be one that nothing tests."""
    said = {reason.where for name in situations() for one in answers(name) for reason in one.reasons}
    for specimen in enumerated():
        said |= {
            reason.where
            for one in ask(inspect(specimen.model), releases(), gpu=False)
            for reason in one.reasons
        }
    assert [name for name, starts in rows() if not any(where.startswith(starts) for where in said)] == []


def sizes(model: ModelProto) -> dict[str, list[int]] | None:
    """Return a shape for each input that has an axis of no fixed length; None where one has no axes known."""
    found = {}
    for value in model.graph.input:
        kind = value.type.tensor_type
        if not kind.HasField("shape"):
            return None
        if any(not dim.HasField("dim_value") for dim in kind.shape.dim):
            found[value.name] = [dim.dim_value or LENGTH for dim in kind.shape.dim]
    return found


@cache
def left(name: str, label: str, *, sized: bool) -> frozenset[tuple[str, str]] | None:
    """Rewrite a situation and return what stays, by operator and remedy; None for what is no valid model."""
    shapes = sizes(situations()[name]) if sized else {}
    if shapes is None:
        return None
    try:
        row = release(label)
        done = fix(situations()[name], row.flavour, row.version, shapes=shapes)
    except InvalidModel:
        return None
    still: tuple[Refusal | Caution, ...] = (*done.remaining, *done.wrong)
    return frozenset((one.operator, one.remedy) for one in still)


@FOLDS
@pytest.mark.parametrize("label", [row.label for row in (*releases(), *patches())])
def test_a_remedy_that_names_the_command_helps_at_each_release(label: str) -> None:
    """Of every situation, what a remedy says that the command does is not refused or wrong any more."""
    stays, tried = defaultdict(list), 0
    for name in situations():
        (answer,) = [one for one in answers(name) if one.release.label == label]
        for reason in answer.reasons:
            if COMMAND in reason.remedy:
                found = left(name, label, sized=any(word in reason.remedy for word in SIZED))
                tried += found is not None
                if found and (reason.operator, reason.remedy) in found:
                    stays[name].append(reason.remedy)
    assert stays == {}
    assert tried
