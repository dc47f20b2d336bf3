"""What CI installs is pinned: every package of a dependency group, at a version that the group takes."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from suites.meta.places import ROOT

PINS = dict(
    line.split("==") for line in (ROOT / ".ci" / "constraints.txt").read_text().splitlines() if line[0] != "#"
)
FREE = {"numpy", "torch", "mxnet", "trtcheck", "polygraphy", "nvidia-ml-py", "ruff", "mypy"}
"""Decided by Python, by MXNet or by a pin of pyproject.toml; nvidia-ml-py is no part of CI."""


def requirements() -> list[Requirement]:
    """Return what the dependency groups name."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    return [Requirement(each) for group in groups.values() for each in group if isinstance(each, str)]


def test_every_package_of_a_group_is_pinned() -> None:
    """A release of a package reaches CI by a change of the file alone."""
    named = {canonicalize_name(requirement.name) for requirement in requirements()}
    assert named - FREE - set(PINS) == set()


def test_pins_are_versions_that_the_groups_take() -> None:
    """No pin lies outside of what a group asks for."""
    assert all(re.fullmatch(r"[\w.]+", version) for version in PINS.values())
    outside = [
        str(r) for r in requirements() if not r.specifier.contains(PINS.get(canonicalize_name(r.name), "0"))
    ]
    assert [text for text in outside if canonicalize_name(Requirement(text).name) not in FREE] == []
