"""The pages, their headings and their links, as the tests of this folder read them."""

import re
from functools import cache
from pathlib import Path

from suites.meta.places import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"


@cache
def text(name: str) -> str:
    """Return a page of docs/ by its name, such as ``stages.md``."""
    return (DOCS / name).read_text("utf-8")


def table_cells(page: str, heading: str) -> set[str]:
    """Return what stands in backticks in the first column of the tables below a heading."""
    _, _, rest = text(page).partition(f"\n## {heading}\n")
    section = rest.split("\n## ")[0]
    firsts = re.findall(r"^\| ([^|]*) \|", section, re.MULTILINE)
    return {cell for first in firsts for cell in re.findall(r"`([^`]+)`", first)}


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures that lie in this repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    return [target for target in found if "://" not in target]


def missing(page: Path, link: str) -> str:
    """Say what a link names that is not there; nothing for one that leads somewhere."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return f"{page.name}: {link}: no such file"
    if anchor and anchor not in anchors(target):
        return f"{page.name}: {link}: no heading #{anchor} there"
    return ""


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub and mkdocs both give to a page's headings."""
    lines = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE).splitlines()
    heads = [line.lstrip("#").strip() for line in lines if re.match(r"#{1,6} ", line)]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
