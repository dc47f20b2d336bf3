"""A run in two processes gives the records of a run in one, and is judged by all of them."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from importlib.util import find_spec
from pathlib import Path

import pytest

from fixtures.cases import ANCHOR_OPSET
from fixtures.records import Record
from fixtures.run import Run, make_run
from fixtures.run.options import Options
from fixtures.run.turns import turn
from suites.meta.gates.child_runs import Run as Ended
from suites.meta.gates.child_runs import pipeline, plant, run
from suites.meta.runtimes.tensorrt.test_build_options import linear

CHOSEN = (
    "suites/test_convert.py", "suites/test_parity.py", "suites/test_support.py", "suites/test_latency.py",
    "--opset=13", "-m", "not tensorrt", "-k", "not dynamo and not fp32-source and not (latency and net-)",
)  # fmt: skip
"""Of three models one is timed, a second and a half for each that is."""
needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`"
)


def shown(record: Record) -> tuple[object, ...]:
    """Return what two runs of one case must agree on, and that no time is in it."""
    timed = (
        record.stage == "latency"
    )  # how times scatter, and what is said of that, is no more alike than they
    same = {n: m.value for n, m in record.metrics.items() if not timed and m.unit not in ("s", "ms")}
    rerun = record.rerun.partition(" --artifacts")[0]
    return record.key, record.verdict, "" if timed else record.message, tuple(sorted(same.items())), rerun


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Runs in one process and in two, with stores that hold all that is made by torch.

    Each process would import it: those of a run in several are no forks.
    """
    folder = tmp_path_factory.mktemp("both")
    filled = pipeline(folder / "artifacts")
    for opset in (13, ANCHOR_OPSET):
        filled.onnx_model("digits", "torchscript", opset)
    filled.samples("digits")
    models = ",".join(str(linear(folder / f"net-{factor}.onnx", factor)) for factor in (1.0, 2.0))
    return {
        n: run(
            Path(shutil.copytree(folder / "artifacts", folder / n / "artifacts")),
            *CHOSEN,
            f"--model=digits,{models}",
            "-n",
            n,
            "--baseline=save",
            f"--baseline-file={folder / n / 'kept.jsonl'}",
        )
        for n in ("0", "2")
    }


@pytest.mark.slow
@needs_torch
def test_records_are_those_of_one_process(both: dict[str, Ended]) -> None:
    """Cases, verdicts, messages, measured values and rerun commands are the same, in any order."""
    one, two = both["0"], both["2"]
    assert (one.code, two.code) == (0, 0), two.output
    assert sorted(map(shown, two.records), key=str) == sorted(map(shown, one.records), key=str)
    assert {record.model["name"] for record in two.records} == {"digits", "net-1.0", "net-2.0"}
    assert {record.stage for record in two.records} >= {"convert", "onnxruntime-parity", "support", "latency"}


@pytest.mark.slow
@needs_torch
def test_the_summary_counts_every_process(both: dict[str, Ended]) -> None:
    """One run id, totals over all records and baselines, and the place of the record files."""
    (run_id,) = {record.run_id for record in both["2"].records}
    totals = next(line for line in both["2"].output.splitlines() if line.startswith("passed "))
    assert totals in both["0"].output
    assert f"{run_id}-*.jsonl" in both["2"].output
    saved = len([record for record in both["2"].records if record.verdict == "passed"])
    assert all(f"baselines: {saved} saved" in ended.output for ended in both.values())


@pytest.mark.slow
def test_a_run_of_two_processes_that_executes_nothing_is_red(tmp_path: Path) -> None:
    """The gate that wants something executed reads the records of all processes."""
    builds = ("suites/test_build.py", "--model=digits", "--opset=13", "--missing=10.16=it is not there")
    ended = run(tmp_path / "artifacts", *builds, "-n", "2")
    assert ended.code == 1
    assert "nothing was executed" in ended.output
    assert {record.verdict for record in ended.records} == {"not-run"}


@pytest.mark.slow
@needs_torch
def test_a_planted_error_is_red_in_any_process(tmp_path: Path) -> None:
    """What fails in one of two processes fails the run, with the record and the message of a run in one."""
    store = tmp_path / "artifacts"
    pipeline(store).onnx_model("digits", "torchscript", 13)
    plant(store, "onnx", lambda model: setattr(model.opset_import[0], "version", 14))
    ended = run(store, *CHOSEN[:1], "--model=digits", "--opset=13", "-k", "torchscript", "-n", "2")
    assert ended.code == 1
    assert "opset is {'': 14}" in ended.the("failed").message
    assert "failed 1" in ended.output


KILLER = """import os, signal
def pytest_runtest_call(item):
    if os.environ.get("PYTEST_XDIST_WORKER") in ("gw0", "gw1") and "rtx1.5" in item.nodeid:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@needs_torch
def test_a_process_that_is_killed_is_red_and_loses_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends, names the test, and has a record of it beside those of all others: it crashed."""
    store = tmp_path / "artifacts"
    pipeline(store).onnx_model("digits", "torchscript", 13)
    (tmp_path / "killer.py").write_text(KILLER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    call = ("suites/test_support.py", "--model=digits", "--opset=13")
    whole = run(store, *call)
    cut = run(Path(shutil.copytree(store, tmp_path / "cut" / "artifacts")), *call, "-n", "2", "-p", "killer")
    assert (whole.code, cut.code) == (0, 1), cut.output
    assert sorted(r.key for r in cut.records) == sorted(r.key for r in whole.records)
    died = cut.the("crashed")
    assert died.tensorrt["version"] == "1.5"
    assert re.search(r"the process that ran it, gw[01], died", died.message)
    assert f"rerun: {died.rerun}" in died.message
    assert "crashed 1" in cut.output
    assert not list((tmp_path / "cut").rglob("*.running"))
    assert cut.output.count("crashed while running 'suites/test_support.py") >= 1


@pytest.mark.slow
def test_a_wrong_option_ends_a_run_of_two_processes_in_one_line(tmp_path: Path) -> None:
    """The first process checks the command line before any other begins."""
    ended = run(tmp_path / "artifacts", *CHOSEN[:1], "--tensorrt=/bin/true", "-n", "2")
    assert ended.code == 4
    assert ended.output.count("gives no TensorRT worker") == 1
    assert "Traceback" not in ended.output


def test_processes_write_files_of_their_own(tmp_path: Path) -> None:
    """The file is named after run and process, and the first process gathers exactly those of its run."""

    def process(run_id: str, name: str) -> Run:
        made = make_run(Options(records=tmp_path))
        made.run_id, made.process = run_id, name
        return made

    for run_id, name in (("aa", "gw0"), ("aa", "gw1"), ("bb", "gw0")):
        process(run_id, name).write(Record("convert", "passed", {}, run_id=run_id, time=name))
    first = process("aa", "")
    first.gather()
    assert [(record.run_id, record.time) for record in first.written] == [("aa", "gw0"), ("aa", "gw1")]


@pytest.mark.parametrize(
    ("first", "second", "together"), [(False, False, True), (False, True, False), (True, False, False)]
)
def test_who_times_is_alone(first: bool, second: bool, together: bool, tmp_path: Path) -> None:
    """Two that share run side by side; who asks to be alone waits for the other, and is waited for."""
    file = tmp_path / "machine"

    def enter() -> None:
        with turn(file, alone=second):
            pass

    with ThreadPoolExecutor(1) as pool:
        with turn(file, alone=first):
            entered = pool.submit(enter)
            assert bool(wait([entered], timeout=0.3).done) == together
        entered.result(10)


def test_nobody_overtakes_who_waits_to_be_alone(tmp_path: Path) -> None:
    """One that shares and comes later does not go on while another waits to be alone."""
    order: list[str] = []

    def enter(name: str, alone: bool) -> None:
        with turn(tmp_path / "machine", alone=alone):
            order.append(name)

    with ThreadPoolExecutor(2) as pool:
        with turn(tmp_path / "machine", alone=False):
            timed = pool.submit(enter, "timed", True)
            wait([timed], timeout=0.3)
            later = pool.submit(enter, "later", False)
            assert not wait([timed, later], timeout=0.3).done
        wait([timed, later], timeout=10)
    assert order == ["timed", "later"]
