"""Baselines: a planted slowdown of 10 % is worse, one of 1 % is not, a slow drift is found; so are errors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fixtures.baselines import files
from fixtures.baselines.baselines import Baselines
from fixtures.baselines.files import BaselineError
from fixtures.cases import Case
from fixtures.expectations import load
from fixtures.metrics.drift import RUNS
from fixtures.recording import RecordDraft
from fixtures.verdicts import Crashed, NotRun, StageError, Unsupported
from suites.meta.places import EXPECTATIONS

ROWS = load(EXPECTATIONS)
LATENCY = Case("latency", "digits", "torchscript", 17, "rtx1.6", runtime="tensorrt")
PARITY = Case("tensorrt-parity", "digits", "torchscript", 17, "rtx1.6")
INT8 = Case("int8-accuracy", "digits", "torchscript", 17, "rtx1.6", precision="int8", route="qdq")
H200 = {"name": "NVIDIA H200", "compute_capability": "9.0", "driver": "570.1 (CUDA 12.8)"}


def draft_of(case: Case, version: str = "1.6.1", digest: str = "ab", driver: str = "") -> RecordDraft:
    """An empty draft of a case on a device."""
    device = {**H200, "driver": driver or H200["driver"]}
    about = {"flavour": "tensorrt-rtx", "version": version}
    return RecordDraft(case, {"name": "digits", "digest": digest}, about, device=device)


def timed(scale: float, seed: int = 0, *, unstable: bool = False) -> RecordDraft:
    """A draft of latency that scatters by 1 % around a scale in ms."""
    draft = draft_of(LATENCY)
    samples = scale * np.exp(np.random.default_rng(seed).normal(0, 0.01, 400))
    draft.distributions["median"] = tuple(samples)
    draft.measure("median", float(np.median(samples)), "ms")
    draft.measure("unstable", unstable)
    return draft


def differing(value: float, **about: str) -> RecordDraft:
    """A draft of parity with so much relative L2."""
    draft = draft_of(PARITY, **about)
    draft.measure("logits relative_l2", value, limit=2e-4)
    return draft


def dropping(value: float) -> RecordDraft:
    """A draft of INT8 accuracy with such a drop, in points."""
    draft = draft_of(INT8)
    draft.measure("drop", value, "points", limit=1.0)
    return draft


def save(file: Path, *drafts: RecordDraft, mode: str = "save") -> None:
    """Save drafts in one run."""
    run = Baselines.open(file, [mode], ROWS)
    for draft in drafts:
        run.keep(draft, run_id="r1", commit="c1", time="2026-11-29T10:00:00+00:00")


def said(file: Path, draft: RecordDraft) -> str:
    """What a run that compares says of a draft, empty where nothing is worse."""
    return str(Baselines.open(file, ["compare"], ROWS).examine(draft) or "")


def test_a_slowdown_of_ten_per_cent_is_caught(tmp_path: Path) -> None:
    """Both distributions are shown, with the interval of the ratio, what is allowed and by which row."""
    save(tmp_path / "b.jsonl", timed(1.0))
    draft = timed(1.1, seed=1)
    lines = said(tmp_path / "b.jsonl", draft).splitlines()
    assert lines[0].startswith("median: 1.099 ms, was 0.9995; 1.100 times [1.096, 1.104]; allowed")
    assert "allowed are 5 % (thresholds.toml row 1, line" in lines[0]
    assert [line.split("|")[0].strip() for line in lines[1:3]] == ["before", "now"]
    assert all("n 200" in line and "█" in line for line in lines[1:3])
    assert draft.metrics["median over baseline"].value == pytest.approx(1.1, abs=0.01)


@pytest.mark.parametrize("scale", [1.01, 1.0, 0.8, 1.045])
def test_a_slowdown_of_one_per_cent_is_none(tmp_path: Path, scale: float) -> None:
    """Nor is what is as fast or faster, or what is slower by less than the threshold."""
    save(tmp_path / "b.jsonl", timed(1.0))
    for seed in range(1, 6):
        assert said(tmp_path / "b.jsonl", timed(scale, seed)) == ""


def drifted(file: Path, step: float, runs: int = RUNS) -> list[str]:
    """What each of many runs says that compares and, where nothing is worse, saves."""
    found = []
    for number in range(runs):
        run = Baselines.open(file, ["compare", "save"], ROWS)
        draft = timed(step**number, seed=number)
        error = run.examine(draft)
        found.append(str(error or ""))
        if error is None:
            run.keep(draft, run_id=f"r{number}", commit="c", time="")
    return found


def test_a_slow_drift_is_found_of_which_no_step_is_worse(tmp_path: Path) -> None:
    """1.3 % a run for ten runs: each is within the threshold of the one before, the last tells the trend."""
    *before, last = drifted(tmp_path / "b.jsonl", 1.013)
    assert before == [""] * (RUNS - 1)
    assert last.startswith("median: it has risen by 1")
    assert f"% over {RUNS} runs, slowly; allowed are 10 % (thresholds.toml row 1" in last
    save(tmp_path / "b.jsonl", timed(1.14), mode="anew")
    assert said(tmp_path / "b.jsonl", timed(1.14, seed=9)) == ""


def test_no_drift_is_found_where_there_is_none(tmp_path: Path) -> None:
    """Thirty runs that only scatter, or that become faster."""
    assert drifted(tmp_path / "a.jsonl", 1.0, runs=30) == [""] * 30
    assert drifted(tmp_path / "b.jsonl", 0.98, runs=12) == [""] * 12


def test_an_error_that_grows_tenfold_within_its_tolerance_is_seen(tmp_path: Path) -> None:
    """Also where another TensorRT, driver or conversion made it: the message says that."""
    save(tmp_path / "b.jsonl", differing(2e-6))
    assert said(tmp_path / "b.jsonl", differing(6e-6)) == ""
    worse = said(tmp_path / "b.jsonl", differing(2e-5, version="1.7.1", digest="cd", driver="580.2"))
    assert worse.startswith("logits relative_l2: 2e-05 , was 2e-06; 10 times; allowed are 400 % and 1e-06")
    assert "before: 2026-11-29 10:00:00, run r1, commit c1" in worse
    assert "the baseline is of NVIDIA H200 570.1 (CUDA 12.8) tensorrt-rtx 1.6.1, model ab" in worse
    assert "there is none of NVIDIA H200 580.2 tensorrt-rtx 1.7.1, model cd" in worse


def test_an_int8_drop_has_a_baseline(tmp_path: Path) -> None:
    """In points, since the drop before may be none."""
    save(tmp_path / "b.jsonl", dropping(0.0))
    assert said(tmp_path / "b.jsonl", dropping(0.28)) == ""
    assert said(tmp_path / "b.jsonl", dropping(0.56)).startswith(
        "drop: 0.56 points, was 0; allowed are 0 % and"
    )


@pytest.mark.parametrize(
    "other", [{"version": "1.7.1"}, {"driver": "580.2"}, {"digest": "cd"}, {"optimization_level": "0"}]
)
def test_times_are_compared_on_one_device_key_alone(tmp_path: Path, other: dict[str, str]) -> None:
    """Another TensorRT, driver, model or level has no baseline of latency: counted, not judged."""
    save(tmp_path / "b.jsonl", timed(1.0))
    run = Baselines.open(tmp_path / "b.jsonl", ["compare"], ROWS)
    draft = timed(2.0)
    draft.tensorrt = {**draft.tensorrt, "version": other.get("version", "1.6.1")}
    draft.device = {**draft.device, "driver": other.get("driver", H200["driver"])}
    draft.model["digest"] = other.get("digest", "ab")
    if level := other.get("optimization_level"):
        draft.measure("optimization_level", float(level), "of 5")
    assert run.examine(draft) is None
    assert "median over baseline" not in draft.metrics
    assert run.seen == {"without a baseline": 1}
    assert run.examine(timed(2.0)) is not None


def test_unstable_times_are_neither_kept_nor_judged(tmp_path: Path) -> None:
    """What says of itself that it is not steady proves nothing."""
    save(tmp_path / "b.jsonl", timed(1.0), timed(9.0, unstable=True))
    assert said(tmp_path / "b.jsonl", timed(1.0, seed=1)) == ""
    assert said(tmp_path / "b.jsonl", timed(9.0, unstable=True)) == ""
    assert said(tmp_path / "b.jsonl", timed(9.0)) != ""


def test_what_was_not_kept_or_has_no_row_is_not_judged(tmp_path: Path) -> None:
    """A metric that is new, and one of which no threshold speaks, whatever it is."""
    old, new = differing(1e-6), differing(1e-6)
    old.measure("layers", 1.0, "layers")
    new.measure("layers", 99.0, "layers")
    new.measure("boxes relative_l2", 1.0)
    save(tmp_path / "b.jsonl", old)
    assert said(tmp_path / "b.jsonl", new) == ""
    assert {name for name in new.metrics if name.endswith("baseline")} == {"logits relative_l2 over baseline"}


@pytest.mark.parametrize("lost", ["before", "now"])
def test_without_samples_the_values_are_compared(tmp_path: Path, lost: str) -> None:
    """A median whose samples one side does not have is a value like others."""
    before, now = timed(1.0), timed(1.1)
    (before if lost == "before" else now).distributions.clear()
    save(tmp_path / "b.jsonl", before)
    assert (
        said(tmp_path / "b.jsonl", now)
        .splitlines()[0]
        .endswith("; allowed are 5 % (thresholds.toml row 1, line 9)")
    )


def test_what_is_measured_no_more_is_worse(tmp_path: Path) -> None:
    """A CUDA graph that can no longer be captured has no time, and a time that is not there is never slow."""
    before, now = timed(1.0), timed(1.0, seed=1)
    before.measure("cuda_graph_median", 0.5, "ms")
    before.measure("layers", 9.0, "layers")  # no row speaks of it
    save(tmp_path / "b.jsonl", before)
    first, second = said(tmp_path / "b.jsonl", now).splitlines()
    assert first.startswith(
        "cuda_graph_median: it was not measured; the baseline has it (thresholds.toml row"
    )
    assert second == "before: 2026-11-29 10:00:00, run r1, commit c1"


@pytest.mark.parametrize("why", ["unstable", "another driver", "never measured"])
def test_what_could_not_be_compared_is_not_missed(why: str, tmp_path: Path) -> None:
    """Times that are not steady are not judged, those of another device neither."""
    before, now = timed(1.0), timed(1.0, seed=1, unstable=why == "unstable")
    if why != "never measured":
        before.measure("cuda_graph_median", 0.5, "ms")
    if why == "another driver":
        now.device = {**H200, "driver": "999.9"}
    save(tmp_path / "b.jsonl", before)
    assert said(tmp_path / "b.jsonl", now) == ""


@pytest.mark.parametrize("error", [Unsupported("no such layer"), NotRun("no device memory")])
@pytest.mark.parametrize(
    ("about", "seen"),
    [({}, True), ({"digest": "cd"}, True), ({"driver": "999"}, False), ({"version": "1.7"}, False)],
)
def test_what_runs_no_more_is_worse(
    error: StageError, about: dict[str, str], seen: bool, tmp_path: Path
) -> None:
    """On the device, driver and TensorRT that have measured it, and on no others; whatever the model."""
    save(tmp_path / "b.jsonl", differing(1e-6))
    run = Baselines.open(tmp_path / "b.jsonl", ["compare"], ROWS)
    found = run.absent(draft_of(PARITY, **about), error)
    assert (found is not None) is seen
    assert run.seen == ({"worse": 1} if seen else {})
    if found:
        assert str(found).startswith(f"{error.verdict}, and the baseline has it on the same device: {error}")
        assert (found.verdict, found.hop) == ("failed", "baseline")


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    """What failed or crashed is red by itself, and who does not compare is told nothing."""
    save(tmp_path / "b.jsonl", differing(1e-6))
    comparing = Baselines.open(tmp_path / "b.jsonl", ["compare"], ROWS)
    saving = Baselines.open(tmp_path / "b.jsonl", ["save"], ROWS)
    assert comparing.absent(draft_of(PARITY), Crashed("died")) is None
    assert comparing.absent(draft_of(PARITY), StageError("differs")) is None
    assert saving.absent(draft_of(PARITY), NotRun("no device")) is None


@pytest.mark.parametrize(
    ("modes", "driver", "said"),
    [(["compare"], "999", "b.jsonl: 1 without a baseline"), (["compare"], "", ""),
     (["compare", "save"], "999", ""), (["compare", "anew"], "999", ""), (["save"], "999", "")],
)  # fmt: skip
def test_a_run_that_compares_nothing_is_red(modes: list[str], driver: str, said: str, tmp_path: Path) -> None:
    """After an upgrade of the driver no time has a baseline, and none would ever be slow."""
    save(tmp_path / "b.jsonl", timed(1.0))
    run, draft = Baselines.open(tmp_path / "b.jsonl", modes, ROWS), timed(1.0, seed=1)
    if driver:
        draft.device = {**H200, "driver": driver}
    assert run.examine(draft) is None
    assert [said in line for line in run.idle()] == ([True] if said else [])


def test_a_case_without_a_baseline_is_counted(tmp_path: Path) -> None:
    """It passes, and the last lines of a run say how many there were."""
    save(tmp_path / "b.jsonl", timed(1.0))
    run = Baselines.open(tmp_path / "b.jsonl", ["compare"], ROWS)
    assert [run.examine(draft) for draft in (differing(1.0), timed(1.0))] == [None, None]
    assert run.summary() == f"baselines: 1 compared, 1 without a baseline; {tmp_path / 'b.jsonl'}"


def test_what_is_kept_is_counted(tmp_path: Path) -> None:
    """Each case that has something to keep; one that measured nothing has not."""
    run = Baselines.open(tmp_path / "b.jsonl", ["save"], ROWS)
    for draft in (timed(1.0), draft_of(PARITY), differing(1e-6)):
        run.keep(draft, run_id="r1")
    assert run.seen == {"saved": 2}
    assert [entry.key["stage"] for entry in files.read(tmp_path / "b.jsonl")] == [
        "latency",
        "tensorrt-parity",
    ]
    assert run.summary() == f"baselines: 2 saved; {tmp_path / 'b.jsonl'}"


def test_a_run_without_baselines_touches_nothing(tmp_path: Path) -> None:
    """No file is read or written, and nothing is said."""
    (tmp_path / "b.jsonl").write_text("no entry\n")
    run = Baselines.open(tmp_path / "b.jsonl", [], ROWS)
    run.keep(timed(1.0))
    assert (run.examine(timed(1.0)), run.summary()) == (None, "")
    assert (tmp_path / "b.jsonl").read_text() == "no entry\n"


def modes(*words: str) -> Sequence[str]:
    """Modes of a run."""
    return words


def test_comparing_with_nothing_is_an_error(tmp_path: Path) -> None:
    """A run that compares and has nothing to compare with would be green whatever it measured."""
    with pytest.raises(BaselineError, match=r"b\.jsonl has no baseline; make one: --baseline save"):
        Baselines.open(tmp_path / "b.jsonl", modes("compare"), ROWS)
    assert Baselines.open(tmp_path / "b.jsonl", modes("compare", "save"), ROWS).entries == []
