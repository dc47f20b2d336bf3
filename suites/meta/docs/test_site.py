"""The strict build of the pages passes, and a link or an anchor that leads nowhere fails it."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from suites.meta.docs.pages import DOCS
from suites.meta.places import ROOT

if find_spec("mkdocs") is None:
    pytest.skip("mkdocs is not installed; run `tox run -e meta`", allow_module_level=True)

pytestmark = pytest.mark.slow
TIMEOUT = 120.0


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the pages and their configuration, to be spoiled."""
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    return tmp_path


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the pages strictly."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder / "site")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)


def test_the_strict_build_passes(site: Path) -> None:
    """No page, link or anchor is missing; records go beside their page, code does not."""
    done = build(site)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((site / "site" / "measurements").glob("*.jsonl"))
    assert not list((site / "site").rglob("*.py"))


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("[x](stagse.md)", "stagse.md"),
        ("[x](failures.md#hosp)", "does not contain an anchor '#hosp'"),
        ("[x](../README.md)", "../README.md"),
    ],
)
def test_a_link_that_leads_nowhere_fails(link: str, words: str, site: Path) -> None:
    """A page, a heading and a file outside docs/ that a link names must be there."""
    with (site / "docs" / "index.md").open("a") as page:
        page.write(f"\n{link}\n")
    done = build(site)
    assert done.returncode != 0
    assert words in done.stdout + done.stderr


def test_a_page_that_nothing_leads_to_fails(site: Path) -> None:
    """Each page is in the navigation."""
    (site / "docs" / "lost.md").write_text("# Lost\n")
    done = build(site)
    assert done.returncode != 0
    assert "lost.md" in done.stdout + done.stderr
