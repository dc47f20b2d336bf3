"""The noise floor: the greatest spread of runs and of rebuilt engines, against half of what parity allows."""

from typing import Any

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks.noise import NoiseFloor, spread
from fixtures.expectations import Expectations, Row
from fixtures.recording import RecordDraft
from fixtures.verdicts import StageError

CASE = Case("noise-floor", "digits", "torchscript", 17, "rtx1.6")
ZEROS = {"rtol": 0.0, "atol": 0.0}
ROWS = (
    Row("row 1", {"stage": "tensorrt-parity"}, {**ZEROS, "relative_l2": 0.5}),
    Row("row 2", {"stage": "tensorrt-parity"}, {**ZEROS, "relative_l2": 0.2}, {"values": "narrow"}),
)


def floor(*names: str) -> NoiseFloor:
    """A floor under the tolerances of some outputs."""
    return NoiseFloor(RecordDraft(CASE, {"name": "digits"}), Expectations(ROWS), names)


def outputs(*values: float) -> list[dict[str, Any]]:
    """Outputs of one value for each sample."""
    return [{"wide": np.array([value], np.float32)} for value in values]


def test_the_spread_is_that_of_the_worst_sample() -> None:
    """One sample of three that differs counts whole; equal bits are no spread."""
    assert spread(outputs(1, 1, 1), outputs(1, 1.5, 1)) == 0.5
    assert spread(outputs(1, 2), outputs(1, 2)) == 0


@pytest.mark.parametrize(
    ("runs", "repeated", "rebuilt"),
    [
        ([[1, 1], [1, 1], [1, 1]], 0, 0),
        ([[1, 1], [1, 1.125], [1, 1]], 0.125, 0),
        ([[1, 1], [1, 1], [1.125, 1.125]], 0, 0.125),
    ],
)
def test_runs_and_builds_are_measured_apart(runs: list[list[float]], repeated: float, rebuilt: float) -> None:
    """One engine that is not repeatable, and one build that is unlike the others, are told apart."""
    one = floor("wide")
    one([[outputs(value) for value in engine] for engine in runs])
    metrics = one.draft.metrics
    assert metrics["repeated_spread"].value == repeated
    assert metrics["rebuilt_spread"].value == rebuilt
    assert metrics["rebuilt_spread"].limit == 0.25


@pytest.mark.parametrize(
    ("names", "ok"), [(("wide",), True), (("wide", "narrow"), False), (("narrow", "wide"), False)]
)
def test_half_of_the_narrowest_tolerance_is_the_limit(names: tuple[str, ...], ok: bool) -> None:
    """A spread that one output's tolerance bears fails by another's, and the builder is guilty."""
    one, runs = floor(*names), [[outputs(1), outputs(1)], [outputs(1.125), outputs(1.125)]]
    if ok:
        one(runs)
        return
    with pytest.raises(StageError, match=r"rebuilt_spread is 0\.1.*the limit is 0\.1") as caught:
        one(runs)
    assert caught.value.hop == "builder"
