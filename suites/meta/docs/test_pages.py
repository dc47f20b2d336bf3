"""What docs/ says is so: models, options, variables, stages, rooms and commands are the code's."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from fixtures.__main__ import COMMANDS
from fixtures.run.options import Options
from fixtures.stages import NAMES
from fixtures.verdicts import HOPS, VERDICTS
from reference_models import registry
from reference_models.user.model_keys import FRAMEWORKS, keys_of
from suites.meta.docs.pages import DOCS, README, missing, table_cells, text
from suites.meta.places import EXPECTATIONS, ROOT

PAGES = sorted(DOCS.rglob("*.md"))
VARIABLE = re.compile(r"\"(TRT_PARITY_[A-Z0-9_]+|DARKNET_LIB)\"")


@pytest.mark.parametrize("name", registry.models())
def test_every_model_is_listed(name: str) -> None:
    """The table of reference models names each one."""
    assert f"\n| {name} |" in text("reference-models.md")


@pytest.mark.parametrize("name", [one.metadata["flag"] for one in fields(Options)])
def test_every_option_is_listed(name: str) -> None:
    """The table of options names each one of the parser."""
    assert re.search(rf"^\| `{name}[ `]", text("command-line.md"), re.MULTILINE)


def test_every_stage_is_listed() -> None:
    """The page of stages has a row for each."""
    assert {stage for stage in NAMES if f"\n| `{stage}` |" not in text("stages.md")} == set()


def test_every_variable_is_listed() -> None:
    """Each environment variable that the code names has a row."""
    listed = table_cells("command-line.md", "Environment variables")
    files = [*(ROOT / "fixtures").rglob("*.py"), *(ROOT / "reference_models").rglob("*.py")]
    used = {name for file in files for name in VARIABLE.findall(file.read_text("utf-8"))}
    assert used - listed == set()
    assert len(used) >= 4


def test_every_verdict_is_explained() -> None:
    """README and the page of failures explain each verdict."""
    for verdict in VERDICTS:
        assert f"| **{verdict}** |" in README.read_text("utf-8")
        assert f"| {verdict} |" in text("failures.md")


def test_every_key_of_a_model_file_is_shown() -> None:
    """The page on a model of one's own shows each key of a model file, flags included."""
    page = text("your-own-model.md")
    keys = {key for framework in FRAMEWORKS for key in keys_of(framework)}
    assert {key for key in keys if not re.search(rf"^{key} =|`{key} = true`", page, re.MULTILINE)} == set()


def test_every_hop_is_explained() -> None:
    """The page of failures has a row for each hop that can be guilty, and for no other."""
    assert set(HOPS) == table_cells("failures.md", "Hops")


def test_every_room_is_described() -> None:
    """The table of rooms has each folder of fixtures/ and of the checkout that holds code, and no other."""
    rooms = {f"{path.parent.relative_to(ROOT)}/" for path in (ROOT / "fixtures").glob("*/__init__.py")}
    rooms |= {"conftest.py", "reference_models/", "suites/", "suites/meta/", "benchmarks/", "docs/"}
    listed = {
        cell for cell in table_cells("architecture.md", "Rooms") if "/" in cell or cell == "conftest.py"
    }
    assert {cell for cell in listed if not (ROOT / cell).exists()} == set()
    assert rooms - listed == set()


def test_every_expectation_file_is_explained() -> None:
    """The page of failures has each file of suites/expectations."""
    files = {path.name for path in EXPECTATIONS.glob("*.toml")}
    assert files == table_cells("failures.md", "Accepting a failure")


def test_links_of_expectations_lead_somewhere() -> None:
    """A row that links to a page of this repository names a heading that is there."""
    rows = [(file, link) for file in EXPECTATIONS.glob("*.toml") for link in _links(file)]
    inside = [(file, link) for file, link in rows if "://" not in link]
    assert inside
    assert [missing(README, link) for _, link in inside if missing(README, link)] == []


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_every_command_is_one(page: Path) -> None:
    """Each `python -m fixtures` of a page is a command, and its options are in that command's help."""
    for words in re.findall(r"python -m fixtures ([a-z][^\n`#|]*)", page.read_text("utf-8")):
        assert unknown(words) == []


def test_a_command_that_is_none_is_found() -> None:
    """A misspelt command and a misspelt option are each named."""
    assert unknown("suport model.onnx") == ["suport"]
    assert unknown("support model.onnx --tensort 7.0 --json") == ["--tensort"]


def test_the_ci_of_a_user_is_valid() -> None:
    """What a user pastes is YAML of at most 20 lines; its options are those of a run."""
    yaml = pytest.importorskip("yaml")
    block = re.search(r"```yaml\n(.*?)```", text("ci.md"), re.DOTALL)
    assert block is not None
    steps = yaml.safe_load(block[1])["jobs"]["parity"]["steps"]
    runs = [step["run"] for step in steps if step.get("run", "").startswith("tox")]
    flags = {one.metadata["flag"] for one in fields(Options)}
    assert len(block[1].splitlines()) <= 20
    assert [re.findall(r" -e (\w+)", run) for run in runs] == [["convert"], ["rtx17"], ["report"]]
    assert {flag for run in runs for flag in re.findall(r" (--[a-z-]+)", run)} - flags == set()
    assert all("--require" in run for run in runs[:2])


def unknown(line: str) -> list[str]:
    """Return of a command line what no command has: its first word, or options."""
    names = [" ".join(command.words) for command in COMMANDS]
    name = next((name for name in names if f"{line} ".startswith(f"{name} ")), None)
    if name is None:
        return line.split()[:1]
    known = text("command-line.md").partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    options = set(re.findall(r"--[a-z-]+", known))
    return [option for option in re.findall(r" (--[a-z-]+)", line) if option not in options]


def _links(file: Path) -> list[str]:
    return re.findall(r"^link = \"(.*)\"$", file.read_text("utf-8"), re.MULTILINE)
