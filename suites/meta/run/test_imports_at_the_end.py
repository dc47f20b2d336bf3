"""What a run does not use it does not import, not even to say at its end that it was not used."""

import subprocess
import sys

import pytest

from suites.meta.places import ROOT

RUN = """
import sys, pytest
code = pytest.main(["suites/test_support.py", "--collect-only", "-q", "--missing=1.1=none", "--opset=13",
                    "--model=digits", *sys.argv[1:]])
print(int(code), "hypothesis" in sys.modules)
"""
IMPORTED = "-Wignore:Module already imported:pytest.PytestAssertRewriteWarning"


@pytest.mark.slow
def test_hypothesis_is_not_imported() -> None:
    """Its plugin's summary would import all of it."""
    done = subprocess.run([sys.executable, "-c", RUN], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0 False", done.stdout + done.stderr


@pytest.mark.slow
def test_its_summary_stays_where_it_is_used() -> None:
    """A run whose process has it says what it has to say."""
    words = [sys.executable, "-c", f"import hypothesis\n{RUN}", "--hypothesis-show-statistics", IMPORTED]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Hypothesis Statistics" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 True", done.stdout + done.stderr
