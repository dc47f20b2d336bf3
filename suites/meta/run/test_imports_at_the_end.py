"""What a run does not use it does not import, not even to say at its end that it was not used."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from fixtures.runtimes import torch_runtime
from fixtures.verdicts import NotRun
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


SOURCE_GPU = """
import sys, pytest
code = pytest.main(["suites/test_source_gpu.py", "-q", "--require=none", "--model=digits", *sys.argv[1:]])
print(int(code), "torch" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`")
def test_a_torch_that_knows_no_gpu_is_not_imported_to_say_so(tmp_path: Path) -> None:
    """It takes longer than all else of a run whose store has everything."""
    import torch

    words = [sys.executable, "-c", SOURCE_GPU, f"--artifacts={tmp_path}", f"--records={tmp_path}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    knows_a_gpu = bool(torch.version.cuda or torch.version.hip)
    assert done.stdout.splitlines()[-1] == f"0 {knows_a_gpu}", done.stdout + done.stderr
    if not knows_a_gpu:
        assert f"torch {torch.__version__} sees no CUDA device" in done.stdout


@pytest.mark.parametrize(
    ("version", "imported"),
    [
        ("cuda = None; hip = None", False),
        ("cuda = '13.0'; hip = None", True),
        ("cuda = None; hip = '7.2'", True),
        ("cuda = None", True),
        (None, True),
    ],
)
def test_one_that_may_know_a_gpu_is_asked(
    version: str | None, imported: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By CUDA or ROCm, or where what it was built for is not written as it is today."""
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise NotImplementedError('imported')")
    if version is not None:
        (package / "version.py").write_text(f"__version__ = '9.9'; {version}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(
        NotImplementedError if imported else NotRun, match=r"imported|torch 9\.9 sees no CUDA"
    ):
        torch_runtime.gpu()
