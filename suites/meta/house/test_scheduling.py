"""A process of `tox run -e meta` that dies is named, and others do what it has left."""

import subprocess
import sys
from pathlib import Path

import pytest

from suites.meta.places import ROOT

DIES = """
import os, pathlib, signal, pytest
@pytest.mark.parametrize("number", range(3))
def test_it(number):
    died = pathlib.Path(__file__).with_name("died")
    if number == {number} and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""
WORDS = ("-p", "suites.meta.conftest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-q")
FILES = 4


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 2])
def test_a_run_goes_on_after_a_process_has_died(number: int, tmp_path: Path) -> None:
    """In the last file, when all others are done and no other process is left."""
    pytest.importorskip("xdist")
    for file in range(FILES):
        text = "import pytest\n@pytest.mark.parametrize('number', range(3))\ndef test_it(number): pass\n"
        (tmp_path / f"test_{file}.py").write_text(text)
    (tmp_path / f"test_{FILES}.py").write_text(DIES.format(number=number))
    words = [
        sys.executable,
        "-m",
        "pytest",
        *WORDS,
        "-c",
        "/dev/null",
        f"--rootdir={tmp_path}",
        str(tmp_path),
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1, done.stdout
    assert f"crashed while running 'test_{FILES}.py::test_it[{number}]'" in done.stdout
    assert f"1 failed, {3 * (FILES + 1)} passed" in done.stdout
