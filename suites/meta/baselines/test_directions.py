"""What should be high is judged when it falls, by one step and over many; units and directions stay."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.baselines import files
from fixtures.baselines.baselines import Baselines
from fixtures.baselines.comparison import drifts
from fixtures.baselines.entries import Entry
from fixtures.expectations import Expectations, Row
from fixtures.metrics.drift import RUNS
from fixtures.recording import RecordDraft
from fixtures.records import Metric
from suites.meta.baselines.test_baselines import INT8, ROWS, differing, draft_of, said, save


def scoring(value: float, name: str = "matched", unit: str = "%", *, higher: bool = True) -> RecordDraft:
    """A draft of INT8 accuracy with one metric."""
    draft = draft_of(INT8)
    draft.measure(name, value, unit, higher_is_better=higher)
    return draft


def judging(**numbers: float) -> Expectations:
    """Expectations with one row, of the metric `rate`."""
    return Expectations(thresholds=(Row("row 1", {}, numbers, {"values": "rate"}),))


def rated(value: float, *, higher: bool = True, samples: bool = False) -> RecordDraft:
    """A draft with a rate, which scatters by 1 % where it is the median of samples."""
    draft = scoring(value, "rate", "images", higher=higher)
    if samples:
        draft.distributions["rate"] = tuple(value * np.exp(np.random.default_rng(5).normal(0, 0.01, 200)))
    return draft


def told(folder: Path, rows: Expectations, before: RecordDraft, now: RecordDraft) -> str:
    """What is said of a draft after another one."""
    Baselines(folder / "b.jsonl", ("save",), rows).keep(before, run_id="r1")
    return str(Baselines.open(folder / "b.jsonl", ["compare"], rows).examine(now) or "")


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("samples", [True, False])
def test_what_is_no_number_any_more_is_worse(tmp_path: Path, *, higher: bool, samples: bool) -> None:
    """NaN is neither above nor below what is allowed."""
    before = rated(4.0, higher=higher, samples=samples)
    now = rated(float("nan"), higher=higher)
    assert "nan images, was 4; it is no number (row 1)" in told(tmp_path, judging(growth=0.5), before, now)


@pytest.mark.parametrize(
    ("name", "before", "worse", "good"),
    [("matched", 98.0, 94.9, 95.1), ("matched", 90.0, 80.0, 99.0), ("top1_fp32", 97.0, 96.6, 96.8),
     ("images", 360.0, 359.0, 360.0), ("images", 360.0, 1.0, 400.0)],
)  # fmt: skip
def test_a_fall_is_worse_and_a_rise_is_not(
    name: str, before: float, worse: float, good: float, tmp_path: Path
) -> None:
    """By the suite's own rows: boxes, the accuracy of fp32, the number of images."""
    save(tmp_path / "b.jsonl", scoring(before, name))
    assert said(tmp_path / "b.jsonl", scoring(worse, name)).startswith(
        f"{name}: {worse:.4g} %, was {before:g}"
    )
    assert said(tmp_path / "b.jsonl", scoring(good, name)) == ""


@pytest.mark.parametrize("samples", [False, True])
@pytest.mark.parametrize(
    ("numbers", "before", "now", "worse"),
    [({"growth": 0.05}, 100, 94, True), ({"growth": 0.05}, 100, 97, False),
     ({"growth": 0.05}, 100, 120, False), ({"growth": 1.0}, 100, 45, True), ({"growth": 1.0}, 100, 55, False),
     ({"growth": 9.0}, 100, 5, True), ({"growth": 0.05, "plus": 20}, 100, 80, False),
     ({"plus": 20}, 100, 75, True), ({"plus": 20}, 100, 85, False)],
)  # fmt: skip
def test_a_fall_is_measured_as_a_rise_is(
    numbers: dict[str, float], before: float, now: float, worse: bool, samples: bool, tmp_path: Path
) -> None:
    """A growth of 1 is a half or twice as much; of samples the interval must be beyond it."""
    rows = judging(**numbers)
    for folder, ways, higher in (("a", (before, now), True), ("b", (now, before), False)):
        (tmp_path / folder).mkdir()
        drafts = [rated(value, higher=higher, samples=samples) for value in ways]
        assert bool(told(tmp_path / folder, rows, *drafts)) is worse


def test_a_step_to_the_limit_is_none(tmp_path: Path) -> None:
    """Exactly as much as is allowed, in both directions; and what a row says nothing of a step, has none."""
    assert told(tmp_path, judging(plus=2.0), rated(4.0), rated(2.0)) == ""
    assert told(tmp_path, judging(plus=2.0), rated(2.0, higher=False), rated(4.0, higher=False)) == ""
    assert told(tmp_path, judging(growth=1.0), rated(4.0), rated(2.0)) == ""
    assert told(tmp_path, judging(drift=0.1), rated(4.0), rated(0.5)) == ""


def test_samples_that_reach_the_limit_are_none(tmp_path: Path) -> None:
    """Without scatter the interval is the ratio itself: exactly what is allowed."""
    before, now = rated(2.0, higher=False), rated(3.0, higher=False)
    for draft in (before, now):
        draft.distributions["rate"] = (draft.metrics["rate"].value,) * 9
    assert told(tmp_path, judging(growth=0.5), before, now) == ""
    assert told(tmp_path, judging(growth=0.4), before, now) != ""


def runs(file: Path, rows: Expectations, value: Callable[[int], RecordDraft], count: int) -> list[str]:
    """What each of many runs says that compares and, where nothing is worse, saves."""
    found = []
    for number in range(count):
        run = Baselines.open(file, ["compare", "save"], rows)
        error = run.examine(draft := value(number))
        found.append(str(error or ""))
        if error is None:
            run.keep(draft, run_id=f"r{number}")
    return found


@pytest.mark.parametrize(("higher", "way"), [(True, "fallen"), (False, "risen")])
def test_a_slow_fall_is_found(higher: bool, way: str, tmp_path: Path) -> None:
    """1.3 % a run for ten runs, in the direction that is bad; in the other it is none."""
    rows, step = judging(growth=0.05, drift=0.1), 1.013
    bad, good = (1 / step, step) if higher else (step, 1 / step)
    *before, last = runs(tmp_path / "a.jsonl", rows, lambda n: rated(50 * bad**n, higher=higher), RUNS)
    assert before == [""] * (RUNS - 1)
    part = 100 * abs(bad ** (RUNS - 1) - 1)
    assert last.startswith(
        f"rate: it has {way} by {part:.3g} % over 10 runs, slowly; allowed are 10 % (row 1)"
    )
    better = runs(tmp_path / "b.jsonl", rows, lambda n: rated(50 * good**n, higher=higher), 2 * RUNS)
    assert better == [""] * (2 * RUNS)


def over(runs: int, step: float, allowed: float) -> str:
    """What is said of the last of so many runs, in each of which a rate falls by the same part."""
    history = [Entry({}, {"rate": 0.5 * step**-number}) for number in range(runs - 1)]
    now, row = Metric(0.5 * step ** (1 - runs), "", higher_is_better=True), judging(drift=allowed)
    return "".join(drifts("rate", now, history, row.thresholds[0]))


@pytest.mark.parametrize(
    ("runs", "step", "allowed", "said"),
    [(20, 1.004, 0.1, ""), (39, 1.004, 0.1, ""), (40, 1.004, 0.1, "over 40 runs"), (40, 1.004, 0.2, ""),
     (20, 1.006, 0.1, "over 20 runs"), (20, 1.02, 0.1, "over 10 runs"), (80, 1.0015, 0.1, "over 80 runs"),
     (160, 1.001, 0.1, ""), (10, 1.0, 0.0, "")],
)  # fmt: skip
def test_a_drift_that_ten_runs_do_not_show_is_found_over_more(
    runs: int, step: float, allowed: float, said: str
) -> None:
    """0.4 % a run is 3.7 % over ten runs and 16.9 % over forty. What only 160 runs show is not looked for."""
    assert said in (found := over(runs, step, allowed))
    assert bool(found) == bool(said)


def test_a_value_that_is_not_above_0_has_no_drift(tmp_path: Path) -> None:
    """No part of it can be told; a step is for `plus`."""
    said_ = runs(tmp_path / "a.jsonl", judging(drift=0.1), lambda n: rated(float(RUNS - n - 1)), RUNS)
    assert said_ == [""] * RUNS


@pytest.mark.parametrize(
    ("now", "problem"),
    [(scoring(0.98, unit=""), "it is now in 'higher is better' and was in '%, higher is better'"),
     (scoring(98.0, higher=False), "it is now in '%, lower is better' and was in '%, higher is better'")],
)  # fmt: skip
def test_another_unit_or_direction_is_not_compared(now: RecordDraft, problem: str, tmp_path: Path) -> None:
    """0.98 ms is no less than 0.98 s: the run is red until a baseline begins anew."""
    save(tmp_path / "b.jsonl", scoring(98.0))
    worse = said(tmp_path / "b.jsonl", now)
    assert problem in worse
    assert "--baseline anew" in worse
    save(tmp_path / "b.jsonl", now, mode="anew")
    assert said(tmp_path / "b.jsonl", now) == ""


def test_entries_without_units_are_compared(tmp_path: Path) -> None:
    """A baseline from before units were noted stays what it is."""
    save(tmp_path / "new.jsonl", scoring(98.0))
    (entry,) = files.read(tmp_path / "new.jsonl")
    assert entry.kinds["matched"] == "%, higher is better"
    files.append(tmp_path / "b.jsonl", replace(entry, kinds={}, host=""))
    assert said(tmp_path / "b.jsonl", scoring(90.0)).startswith("matched: 90 %, was 98")
    assert said(tmp_path / "b.jsonl", scoring(97.0)) == ""


def test_the_suite_judges_in_both_directions() -> None:
    """Rows are there for metrics of either."""
    names = {row.texts["values"] for row in ROWS.thresholds}
    assert {"matched", "*_fp32", "images", "int8_layers", "fp16_layers", "recall", "drop", "median"} <= names
    assert ROWS.threshold(INT8, "int8_layers")["plus"].numbers["plus"] == 10
    assert not ROWS.threshold(INT8, "fp16_layers")
    assert not ROWS.threshold(differing(1.0).case, "fp32_layers")
