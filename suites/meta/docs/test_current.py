"""What is printed into pages is current, and a page that is not is found."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from suites.meta.docs.pages import DOCS, README
from suites.meta.places import ROOT

if find_spec("cogapp") is None:
    pytest.skip("cogapp is not installed; run `tox run -e meta`", allow_module_level=True)

PRINTED = [page for page in (README, *sorted(DOCS.rglob("*.md"))) if "[[[cog" in page.read_text("utf-8")]
RENEW = "cog -r -I . README.md 'docs/*.md' 'docs/measurements/*.md'"
TIMEOUT = 120.0


def check(*pages: Path) -> subprocess.CompletedProcess[str]:
    """Let cog say whether what it would print into pages is what stands there."""
    command = [sys.executable, "-m", "cogapp", "--check", "-I", str(ROOT), *map(str, pages)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False)


@pytest.mark.slow
def test_the_pages_are_current() -> None:
    """What is printed into each page is what the code prints now."""
    done = check(*PRINTED)
    assert len(PRINTED) > 5
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nrenew them: {RENEW}"


def test_a_page_that_is_not_current_is_found(tmp_path: Path) -> None:
    """One changed figure makes the check fail, and it names the page."""
    old = DOCS.joinpath("reference-models.md").read_text("utf-8")
    page = tmp_path / "reference-models.md"
    page.write_text(old.replace("| 1x1x8x8 |", "| 1x1x9x9 |"))
    assert page.read_text() != old
    done = check(page)
    assert done.returncode != 0
    assert "reference-models.md" in done.stdout + done.stderr
