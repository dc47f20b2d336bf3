"""Records on a disk that takes no more: what is there stays whole, and one line says what happened."""

import resource
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from fixtures import records
from fixtures.records import Record
from suites.meta.gates.child_runs import command, read_records, run
from suites.meta.places import ROOT

RECORD = Record(stage="convert", verdict="passed", model={"name": "digits"}, message="x" * 500)
LIMIT = 3000
"""Bytes that a file may have: a few records, and a part of another."""


def _limited() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


def test_a_record_that_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """No half line is left behind, and the records before it are read."""
    path, before = tmp_path / "run.jsonl", resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        with pytest.raises(OSError, match=r"large|space"):  # noqa: PT012
            for _ in range(9):
                records.append(path, RECORD)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    kept = list(records.read(path))
    assert kept
    assert path.read_bytes().endswith(b"\n")


@pytest.mark.slow
def test_a_full_disk_ends_the_run_in_one_line(tmp_path: Path) -> None:
    """The run ends with code 1, says which file, and keeps the records that it has."""
    filled, store = (tmp_path / name / "artifacts" for name in ("filled", "run"))
    chosen = ("suites/test_support.py", "--model=digits", "--opset=13", "-p", "no:warnings")
    assert run(filled, *chosen, "-k", "trt7.0").code == 0
    shutil.copytree(filled, store)
    done = subprocess.run(
        command(store, *chosen),
        cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=_limited,
    )  # fmt: skip
    assert done.returncode == 1
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert "the run ends" in done.stdout + done.stderr
    assert read_records(store)


@pytest.mark.slow
def test_a_records_folder_that_cannot_be_written_is_said_first(tmp_path: Path) -> None:
    """Before anything is collected, one line names the option and the folder."""
    (tmp_path / "records").write_text("a file, no folder")
    done = subprocess.run(
        command(tmp_path / "artifacts", "suites/test_support.py", "--model=digits"),
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in done.stderr.splitlines() if "--records" in line]
    assert "no record can be written" in line
    assert "Traceback" not in done.stderr
