"""The command `trt-parity`: an editable install gives it, every other build is refused."""

import subprocess
import venv
from pathlib import Path

import pytest

from suites.meta.places import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment, without any package."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder that is not the checkout."""
    return subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )


def test_an_editable_install_gives_the_command(python: Path, tmp_path: Path) -> None:
    """It runs from anywhere, needs no framework, and no folder of the suite lies in site-packages."""
    done = run(python, "-m", "pip", "install", "--quiet", "--editable", ROOT, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = run(python.with_name("trt-parity"), "--help", folder=tmp_path)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.startswith("usage: trt-parity COMMAND")
    site = next(python.parents[1].glob("lib*/python*/site-packages"))
    (entries,) = site.glob("trt_parity-*.dist-info/entry_points.txt")
    assert "[pytest11]\ntrt-parity = trt_parity\n" in entries.read_text() + "\n"
    assert not {"fixtures", "suites", "reference_models"} & {path.name for path in site.iterdir()}


@pytest.mark.parametrize("what", ["install", "wheel"])
def test_every_other_build_is_refused(what: str, python: Path, tmp_path: Path) -> None:
    """A plain install and a wheel end with what to do instead, and leave no file."""
    done = run(python, "-m", "pip", what, "--no-deps", ROOT, folder=tmp_path)
    assert done.returncode != 0
    assert "runs from its checkout" in done.stdout + done.stderr
    assert "pip install --editable ." in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
