"""The list of slow tests is about files that are there, and the quick ones need no framework."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from suites.meta.conftest import HERE, SLOW, why_slow
from suites.meta.places import ROOT

FRAMEWORKS = ("torch", "mxnet", "cv2", "tensorrt", "tensorrt_rtx", "skimage", "sklearn", "onnxslim")
HIDE = """
import importlib.machinery as machinery
find = machinery.PathFinder.find_spec
machinery.PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name.split(".")[0] in {names} else find(name, *rest)
)
"""


@pytest.mark.parametrize("place", SLOW)
def test_what_is_called_slow_is_there(place: str) -> None:
    """A file that was moved leaves no row behind."""
    assert (HERE / place).exists()


def test_a_row_is_about_its_file_or_folder_alone() -> None:
    """A row fits what it names and all below it, and no neighbour whose name begins alike."""
    assert why_slow(HERE / "gates" / "test_planted_errors.py") == SLOW["gates"]
    assert why_slow(HERE / "gates_of_elsewhere" / "test_it.py") == ""
    assert why_slow(HERE / "metrics" / "test_parity.py") == ""


@pytest.mark.slow
def test_the_quick_tests_are_collected_without_a_framework(tmp_path: Path) -> None:
    """`tox run -e unit` has neither torch nor MXNet nor OpenCV nor TensorRT: no quick test asks for them."""
    (tmp_path / "sitecustomize.py").write_text(HIDE.format(names=FRAMEWORKS))
    command = [sys.executable, "-m", "pytest", "suites/meta", "-m", "not slow", "--collect-only", "-qq"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
