"""What the README says is so."""

import re

import pytest

from conftest import OPTIONS
from reference_models import registry
from suites.meta.places import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def test_ci_runs_the_two_commands_as_written() -> None:
    """The commands of the first screen stand in the CI script."""
    script = (ROOT / ".ci" / "run").read_text()
    block = re.search(r"\n((?:    .*#.*\n)+)", README)
    assert block is not None
    commands = [line.split("#")[0].strip() for line in block[1].splitlines()]
    assert len(commands) == 2
    for command in commands:
        for part in command.split(" && "):
            assert f"\n{part}\n" in script


@pytest.mark.parametrize("name", registry.models())
def test_every_model_is_listed(name: str) -> None:
    """The table of reference models names each one."""
    assert re.search(rf"^\| [^|]*\b{name}\b[^|]* \|", README, re.MULTILINE)


def test_every_stage_is_listed() -> None:
    """The table of suites names each stage."""
    stages: set[str] = set()
    for file in (ROOT / "suites").glob("test_*.py"):
        stages |= set(re.findall(r"mark\.stage\(\s*\"([^\"]+)\"", file.read_text()))
    assert stages
    assert {stage for stage in stages if f"| `{stage}` |" not in README} == set()


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_listed(name: str) -> None:
    """The README names each option of the command line."""
    assert f"`{name}" in README


def test_every_environment_is_explained() -> None:
    """Each tox environment of the matrix has a description."""
    text = (ROOT / "tox.ini").read_text()
    label = re.search(r"matrix = (.*)", text)
    assert label is not None
    for name in label[1].split(", "):
        explained = f"\n    {name}: " in text or f"[testenv:{name}]\ndescription = " in text
        assert explained, name
