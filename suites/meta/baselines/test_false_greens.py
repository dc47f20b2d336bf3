"""What would be green though nothing is held against the baseline: it is red, or said at the end of a run."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.baselines import entries, files
from fixtures.baselines.baselines import Baselines
from fixtures.baselines.entries import Entry
from fixtures.baselines.files import BaselineError
from fixtures.expectations import Row
from fixtures.recording import RecordDraft
from suites.meta.baselines.test_baselines import INT8, LATENCY, ROWS, differing, draft_of, said, save, timed

MINE = frozenset({"digits"})


def compared(file: Path, *drafts: RecordDraft) -> Baselines:
    """A run that compares drafts."""
    run = Baselines.open(file, ["compare"], ROWS)
    for draft in drafts:
        run.examine(draft)
    return run


def remember(file: Path, **changed: object) -> None:
    """Change what every entry of a baseline says."""
    every = files.read(file)
    file.unlink()
    for entry in every:
        files.append(file, replace(entry, **changed))  # type: ignore[arg-type]


def clocked(scale: float, clock: float, name: str = "sm_clock_after") -> RecordDraft:
    """A draft of latency at a clock, in MHz."""
    draft = timed(scale)
    draft.measure(name, clock, "MHz")
    return draft


@pytest.mark.parametrize("name", ["sm_clock_after", "memory_clock_after"])
@pytest.mark.parametrize(("clock", "judged"), [(1980, True), (1900, True), (1200, False), (2300, False)])
def test_times_at_another_clock_are_not_compared(
    name: str, clock: float, judged: bool, tmp_path: Path
) -> None:
    """A faster clock hides a slower engine: the run that has compared nothing is red, and says at which."""
    save(tmp_path / "b.jsonl", clocked(1.0, 1980, name))
    draft = clocked(1.2, clock, name)
    run = compared(tmp_path / "b.jsonl", draft)
    assert run.seen == ({"worse": 1} if judged else {"at another clock": 1})
    note = f"times are not held against the baseline: {name} is {clock} MHz, and was 1980"
    assert draft.notes == ([] if judged else [note])
    assert [line.endswith("b.jsonl: 1 at another clock") for line in run.idle()] == [True] * (not judged)


def test_the_clock_is_that_of_the_last_entry(tmp_path: Path) -> None:
    """1040 beside 1000 is no other clock, whatever an older entry had."""
    save(tmp_path / "b.jsonl", clocked(1.0, 1980), clocked(1.0, 1000))
    assert said(tmp_path / "b.jsonl", clocked(1.2, 1040)) != ""
    assert compared(tmp_path / "b.jsonl", clocked(1.2, 1980)).seen == {"at another clock": 1}


def test_a_clock_that_nobody_knows_hides_nothing(tmp_path: Path) -> None:
    """Without NVML times are judged as they are, and a clock of 0 is none."""
    save(tmp_path / "b.jsonl", clocked(1.0, 0))
    assert said(tmp_path / "b.jsonl", clocked(1.2, 1200)) != ""
    assert said(tmp_path / "b.jsonl", timed(1.2)) != ""
    save(tmp_path / "b.jsonl", clocked(1.0, 1200))
    assert said(tmp_path / "b.jsonl", clocked(1.2, 0)) != ""
    assert said(tmp_path / "b.jsonl", timed(1.2)) != ""


def test_memory_is_judged_where_times_are_not_steady(tmp_path: Path) -> None:
    """Bytes do not scatter. A run whose times are all unsteady is red, though memory is as before."""
    before, same, more = timed(1.0), timed(1.0, unstable=True), timed(1.0, unstable=True)
    for draft, size in ((before, 1 << 30), (same, 1 << 30), (more, 1 << 31)):
        draft.measure("memory_taken", size, "bytes")
    save(tmp_path / "b.jsonl", before)
    run = compared(tmp_path / "b.jsonl", same)
    assert run.seen == {"unstable": 1}
    assert [line.endswith("b.jsonl: 1 unstable") for line in run.idle()] == [True]
    assert said(tmp_path / "b.jsonl", more).startswith("memory_taken: ")


def test_an_unstable_entry_does_not_hide_what_is_lost(tmp_path: Path) -> None:
    """It has no times, so that a time that was lost since the last steady one would not be missed."""
    before, unstable = timed(1.0), timed(1.0, unstable=True)
    before.measure("cuda_graph_median", 0.5, "ms")
    save(tmp_path / "b.jsonl", before, unstable)
    assert said(tmp_path / "b.jsonl", timed(1.0, seed=1)).startswith("cuda_graph_median: it was not measured")


def test_what_the_last_entry_has_not_is_not_missed(tmp_path: Path) -> None:
    """Who saves without it has said that it is gone; another model's entry says nothing of this one."""
    before, without = timed(1.0), timed(1.0)
    before.measure("cuda_graph_median", 0.5, "ms")
    save(tmp_path / "b.jsonl", before, without)
    assert said(tmp_path / "b.jsonl", timed(1.0, seed=1)) == ""
    save(tmp_path / "c.jsonl", differing(1e-6), differing(1e-6, digest="cd"))
    assert "logits relative_l2: it was not measured" in said(tmp_path / "c.jsonl", renamed(driver="999"))


def renamed(**about: str) -> RecordDraft:
    """A draft of parity whose output has another name."""
    draft = draft_of(differing(0.0).case, **about)
    draft.measure("scores relative_l2", 1e-6)
    return draft


@pytest.mark.parametrize(
    ("about", "missed"),
    [({}, True), ({"version": "1.7.1"}, True), ({"driver": "999"}, True), ({"digest": "cd"}, False)],
)
def test_a_metric_that_is_renamed_is_missed(about: dict[str, str], missed: bool, tmp_path: Path) -> None:
    """Of the same model also after an upgrade. Another model has other outputs, and is counted."""
    save(tmp_path / "b.jsonl", differing(1e-6))
    run = Baselines.open(tmp_path / "b.jsonl", ["compare"], ROWS)
    problem = str(run.examine(renamed(**about)) or "")
    assert problem.startswith("logits relative_l2: it was not measured") is missed
    assert run.seen == ({"worse": 1} if missed else {"without a baseline": 1})
    assert bool(run.idle()) is not missed


def test_what_depends_on_the_device_is_not_missed_on_another(tmp_path: Path) -> None:
    """The time of a CUDA graph, of a GPU that had one."""
    before = timed(1.0)
    before.measure("cuda_graph_median", 0.5, "ms")
    save(tmp_path / "b.jsonl", before)
    now = timed(1.0)
    now.device = {**now.device, "name": "NVIDIA L4"}
    assert compared(tmp_path / "b.jsonl", now).seen == {"without a baseline": 1}


def test_a_metric_that_is_new_is_counted(tmp_path: Path) -> None:
    """Under the name that it was given anew, of which the rows speak now, nothing is compared."""
    now = timed(1.0, seed=1)
    now.measure("cuda_graph_median", 0.5, "ms")
    save(tmp_path / "b.jsonl", timed(1.0))
    run = compared(tmp_path / "b.jsonl", now)
    assert run.summary().startswith("baselines: 1 compared, 1 metrics without a baseline; ")


@pytest.mark.parametrize(
    "change",
    [{"precision": "fp16"}, {"batch": "8"}, {"opset": 18}, {"converter": "dynamo"}, {"against": "fp16"}],
)
def test_a_baseline_of_another_case_is_none(change: dict[str, Any], tmp_path: Path) -> None:
    """Of another precision, batch or opset: neither times nor errors are held against it."""
    save(tmp_path / "b.jsonl", timed(1.0), differing(1e-6))
    drafts = timed(9.0), differing(1e-4)
    for draft in drafts:
        draft.case = replace(draft.case, **change)
    run = compared(tmp_path / "b.jsonl", *drafts)
    assert run.seen == {"without a baseline": 2}
    assert run.idle()


def test_a_baseline_of_another_calibrator_or_route_is_none(tmp_path: Path) -> None:
    """What found the ranges decides the drop."""
    before = draft_of(INT8)
    before.measure("drop", 0.0, "points")
    save(tmp_path / "b.jsonl", before)
    for case in (replace(INT8, route="weight-only"), replace(INT8, calibrator="entropy")):
        now = draft_of(case)
        now.measure("drop", 9.0, "points")
        assert compared(tmp_path / "b.jsonl", now).seen == {"without a baseline": 1}


@pytest.mark.parametrize("name", ["host_median", "first_inference"])
@pytest.mark.parametrize(("host", "judged"), [("", True), ("this", True), ("other x8", False)])
def test_times_of_the_host_are_compared_on_one_processor(
    name: str, host: str, judged: bool, tmp_path: Path
) -> None:
    """Two hosts with the same GPU are told from one another, where the baseline says on which it was."""
    before, now = draft_of(LATENCY), draft_of(LATENCY)
    before.measure(name, 1.0, "s")
    now.measure(name, 99.0, "s")
    save(tmp_path / "b.jsonl", before)
    (entry,) = files.read(tmp_path / "b.jsonl")
    assert entry.host
    remember(tmp_path / "b.jsonl", host=entry.host if host == "this" else host)
    assert compared(tmp_path / "b.jsonl", now).seen == {"worse" if judged else "without a baseline": 1}


def test_an_entry_says_on_which_processor_it_was() -> None:
    """With its cores, as the device of a run without a GPU."""
    draft = draft_of(LATENCY)
    draft.device = {}
    entry: Entry = entries.entry_of(draft)
    assert entry.host == entry.key["device"]
    assert entry.host.rpartition(" x")[2].isdigit()


def test_no_row_of_thresholds_is_no_success(tmp_path: Path) -> None:
    """A folder of expectations that judges nothing leaves a run that compares red."""
    save(tmp_path / "b.jsonl", timed(1.0))
    run = Baselines.open(tmp_path / "b.jsonl", ["compare"], replace(ROWS, thresholds=()))
    assert run.examine(timed(9.0)) is None
    assert run.idle()


@pytest.mark.parametrize(
    ("stage", "values", "said"),
    [
        ("latency", "medain", "fits no metric of the baseline; did you mean median?"),
        ("latency", "median", ""),
        ("latency", "cuda_graph_*", ""),  # the suite has a row of it
        ("tensorrt-build", "engine_sise", ""),  # nothing of the stage was measured
    ],
)
def test_a_threshold_of_no_metric_ends_the_run(stage: str, values: str, said: str, tmp_path: Path) -> None:
    """A misspelt one would judge nothing; what this machine cannot measure is no mistake."""
    save(tmp_path / "b.jsonl", timed(1.0))
    row = Row("models.toml threshold 1", {"stage": stage}, {"growth": 0.01}, {"values": values}, MINE)
    rows = replace(ROWS, thresholds=(*ROWS.thresholds, row))
    if said:
        with pytest.raises(BaselineError, match=re.escape(f"threshold 1: values = {values!r} {said}")):
            Baselines.open(tmp_path / "b.jsonl", ["compare"], rows)
    else:
        Baselines.open(tmp_path / "b.jsonl", ["compare"], rows)
    Baselines.open(tmp_path / "b.jsonl", ["save"], rows)
