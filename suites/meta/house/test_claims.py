"""A file of `suites` is named after its stages and holds claims alone: few arguments and lines, no branch."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.stages import NAMES
from suites.meta.places import ROOT

FILES = sorted((ROOT / "suites").glob("test_*.py"))
MOST_ARGUMENTS, MOST_LINES = 4, 5
BRANCHES = (ast.If, ast.For, ast.While, ast.Try, ast.FunctionDef, ast.Lambda, ast.IfExp)


def claims(path: Path) -> Iterator[ast.FunctionDef]:
    """Yield the tests of a file."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield node


def stages_of(path: Path) -> Iterator[str]:
    """Yield the stage that each test of a file names in its marker."""
    for claim in claims(path):
        for mark in claim.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.stage":
                yield ast.literal_eval(mark.args[0])


def misplaced(path: Path) -> list[str]:
    """Name the stages of a file in whose name not all words of the file's name stand."""
    words = set(path.stem.removeprefix("test_").split("_"))
    return [stage for stage in stages_of(path) if not words <= set(stage.split("-"))]


def too_much(path: Path) -> list[str]:
    """Name what a file holds beside claims, and each claim that takes, says or decides too much."""
    tree = ast.parse(path.read_text("utf-8"))
    others = (ast.Import, ast.ImportFrom, ast.Expr, ast.FunctionDef)
    found = [ast.unparse(node) for node in tree.body if not isinstance(node, others)]
    for claim in claims(path):
        body = claim.body[1:]  # without the docstring
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        branches = [node for part in body for node in ast.walk(part) if isinstance(node, BRANCHES)]
        arguments = len(claim.args.args)
        is_test = claim.name.startswith("test_")
        if arguments > MOST_ARGUMENTS or not 1 <= lines <= MOST_LINES or branches or not is_test:
            found.append(f"{claim.name}: {arguments} arguments, {lines} lines, {len(branches)} branches")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_holds_the_stages_that_it_is_named_after(path: Path) -> None:
    """Each word of the file's name stands in the name of each of its stages."""
    assert list(stages_of(path))
    assert misplaced(path) == []


def test_every_stage_has_a_claim() -> None:
    """No stage of the table is asserted nowhere, and each test names one."""
    assert {stage for path in FILES for stage in stages_of(path)} == set(NAMES)
    assert all(len(list(stages_of(path))) == len(list(claims(path))) for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_claim_is_short(path: Path) -> None:
    """Machinery lies in `fixtures`: here are tests of at most four arguments and five lines."""
    assert too_much(path) == []


PLANTED = '''"""Planted."""
import pytest

CLOCK = 1


@pytest.mark.stage("tensorrt-build")
def test_planted(a, b, c, d, e):
    """Planted."""
    if a:
        assert b
'''


def test_what_does_not_belong_is_named(tmp_path: Path) -> None:
    """A stage of another file, a branch, a fifth argument and a constant are each seen."""
    path = tmp_path / "test_int8.py"
    path.write_text(PLANTED)
    assert misplaced(path) == ["tensorrt-build"]
    assert too_much(path) == ["CLOCK = 1", "test_planted: 5 arguments, 2 lines, 1 branches"]
