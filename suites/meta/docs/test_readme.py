"""The README is one screen after another that says what is so."""

import re
from configparser import ConfigParser

from suites.meta.docs.pages import README, links, missing
from suites.meta.places import ROOT

MOST_LINES, MOST_CHARACTERS = 150, 120


def test_ci_runs_the_two_commands_as_written() -> None:
    """The commands of the first screen stand in the CI script."""
    script = (ROOT / ".ci" / "run").read_text()
    block = re.search(r"\n((?:    .*#.*\n)+)", README.read_text("utf-8"))
    assert block is not None
    commands = [line.split("#")[0].strip() for line in block[1].splitlines()]
    assert len(commands) == 2
    for command in commands:
        for part in command.split(" && "):
            assert f"\n{part}\n" in script


def test_it_is_short() -> None:
    """It has at most 150 lines, none above 120 characters outside tables."""
    lines = README.read_text("utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    assert [line for line in lines if len(line) > MOST_CHARACTERS and not line.startswith("|")] == []


def test_every_environment_is_explained() -> None:
    """Each section of tox.ini that makes environments describes them."""
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    sections = [name for name in tox.sections() if name.startswith("testenv")]
    assert "testenv:docs" in sections
    assert [name for name in sections if not tox.get(name, "description", fallback="").strip()] == []


def test_its_links_lead_somewhere() -> None:
    """Each link of a page outside docs/ names a file and, where it has one, a heading that are there."""
    pages = [README, ROOT / "CONTRIBUTING.md", ROOT / "suites" / "meta" / "README.md"]
    assert [missing(page, link) for page in pages for link in links(page) if missing(page, link)] == []
    assert len(links(README)) > 10


def test_a_link_that_leads_nowhere_is_found() -> None:
    """A file and a heading that are not there are each named."""
    assert "docs/stagse.md" in missing(README, "docs/stagse.md")
    assert "#hosp" in missing(README, "docs/failures.md#hosp")
    assert missing(README, "docs/failures.md#hops") == ""
