"""A dependency group brings all that is imported where it is installed alone."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fixtures.plugin import PARTS
from suites.meta.places import ROOT

ENVIRONMENTS = {
    "report": ("fixtures.commands.report", "fixtures.report.site.pages"),
    "run": ("conftest", "fixtures.commands.support", *PARTS),
}
"""Group -> what is imported there at once."""
IMPORT = """
import importlib, json, sys
brought, modules = json.loads(sys.argv[1]), json.loads(sys.argv[2])
class Absent:
    def find_spec(name, path=None, target=None):
        if path is None and name in brought["others"]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent)
for module in modules:
    importlib.import_module(module)
"""


def distributions(requirements: Iterable[str | dict[str, str]]) -> Iterator[str]:
    """Yield the distributions of a group, and all that these require."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    waiting, seen = list(requirements), set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += groups[each["include-group"]]
            continue
        requirement = Requirement(each)
        name = canonicalize_name(requirement.name)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and name not in seen:
            seen.add(name)
            yield name
            try:
                waiting += requires(name) or []
            except PackageNotFoundError:
                continue


def imported(group: str, without: str = "") -> str:
    """Import what a group is for, all other packages hidden; return the last line of what went wrong."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    kept = [each for each in groups[group] if not without or not re.match(without, str(each))]
    brought = set(distributions(kept))
    others = [
        module
        for module, names in packages_distributions().items()
        if not brought & {canonicalize_name(name) for name in names}
    ]
    words = [json.dumps({"others": others}), json.dumps(ENVIRONMENTS[group])]
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


@pytest.mark.slow
@pytest.mark.parametrize("group", ENVIRONMENTS)
def test_a_group_is_enough(group: str) -> None:
    """Nothing else is imported by what its environment runs."""
    assert imported(group) == ""


@pytest.mark.slow
def test_a_package_that_a_group_lacks_is_seen() -> None:
    """The report without onnx, which the room of the support tables imports."""
    assert imported("report", without="onnx") == "ModuleNotFoundError: No module named 'onnx'"
