"""What the README says is so."""

import re
from dataclasses import fields

import pytest

from fixtures.run.options import Options
from fixtures.stages import NAMES
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
    assert {stage for stage in NAMES if f"| `{stage}` |" not in README} == set()


@pytest.mark.parametrize("name", [one.metadata["flag"] for one in fields(Options)])
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
