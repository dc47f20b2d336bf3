"""A run from a checkout in which nothing can be written, as one that another user owns."""

import os
from pathlib import Path

import pytest

from suites.meta.gates.forks import run_pytest
from suites.meta.places import ROOT

TEST = "suites/test_support.py::test_release_takes_the_model"


def ended(*options: str) -> tuple[int, str]:
    """Run a quick suite whose cache, of pytest itself, cannot be written."""
    words = [TEST, "--model=digits", "--opset=13", "-k=trt7.0", "-p", "no:hypothesispytest"]
    words += ["-o", "cache_dir=/proc/cache"]
    return run_pytest([*words, *options], ROOT, 300, os.environ)


def test_a_cache_that_cannot_be_written_fails_no_run(tmp_path: Path) -> None:
    """Pytest's own cache is a help to it and no result."""
    pytest.importorskip("torch", reason="torch is not installed; run `tox run -e meta`")
    code, said = ended(f"--artifacts={tmp_path / 'store'}", f"--records={tmp_path / 'records'}")
    assert code == 0, said
    assert "Traceback" not in said
    assert "passed" in said


@pytest.mark.parametrize("option", ["--artifacts", "--records"])
def test_a_folder_that_cannot_be_made_is_named(option: str, tmp_path: Path) -> None:
    """In one line with the option, and no traceback."""
    others = {"--artifacts": tmp_path / "store", "--records": tmp_path / "records"} | {option: "/proc/none"}
    code, said = ended(*(f"{name}={place}" for name, place in others.items()))
    assert code != 0
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    assert "/proc/none" in said
    assert option in said
