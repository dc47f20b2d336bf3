"""No comprehension binds a name that another one of its function reads from around it.

CPython 3.12 inlines both into the function, and the reading one ends in UnboundLocalError (seen with 3.12.1
and 3.12.3; 3.11 and 3.13 read the outer name).
"""

import ast
import re
from collections.abc import Iterator

import pytest

from suites.meta.places import ROOT

INLINED = (ast.ListComp, ast.SetComp, ast.DictComp)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
FOR, WORD = re.compile(r"\bfor (.+?) in\b"), re.compile(r"\w+")
TOP = re.compile(
    r"^(?:def|class|async def) \w+|^from .+|^import .+|^ {4}\w+(?: as \w+)?,$|^\w.*?[:=]", re.MULTILINE
)
"""Lines that make a name of a module, names of an import over several lines among them."""
ROOMS = ("benchmarks", "docs", "fixtures", "reference_models", "suites")


def test_no_comprehension_hides_a_name_that_another_one_reads() -> None:
    """In no function of the checkout."""
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    assert len(paths) > 500
    texts = {path: text for path in paths if suspect(text := path.read_text(encoding="utf-8"))}
    found = [f"{path}: {name}" for path, text in texts.items() for name in hidden(text)]
    assert not found, found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("a = {one for one in xs}\n    return [one(x) for x in xs]", ["one"]),
        ("return [one(x) for x in xs], [[one for one in x] for x in xs]", ["one"]),
        ("a = {one for one in xs}\n    return list(one(x) for x in xs)", []),
        ("a = {one for one in xs}\n    return one(a)", []),
        ("one = len\n    return [one(x) for x in xs], [one for one in xs]", []),
        ("return [one for one in xs], [x for one in xs for x in one]", []),
    ],
)
def test_it_is_found(lines: str, found: list[str]) -> None:
    """A read in another comprehension alone is in danger: CPython 3.12.1 ran each of these."""
    assert list(hidden(f"def f(xs):\n    {lines}\n")) == found


def suspect(text: str) -> bool:
    """Say whether a comprehension may bind a name of the module; ruff forbids those of builtins."""
    bound = {name for names in FOR.findall(text) for name in WORD.findall(names)}
    return any(not bound.isdisjoint(WORD.findall(line)) for line in TOP.findall(text))


def hidden(source: str) -> Iterator[str]:
    """Yield each name of a file that one comprehension binds and another one of a function reads."""
    for scope in ast.walk(ast.parse(source)):
        if isinstance(scope, SCOPES):
            bound: set[str] = set()
            read: set[str] = set()
            local = {one.arg for one in ast.walk(scope.args) if isinstance(one, ast.arg)}
            for child in ast.iter_child_nodes(scope):
                _look(child, None, bound, read, local)
            yield from sorted((bound & read) - local)


def _look(
    one: ast.AST, around: frozenset[str] | None, bound: set[str], read: set[str], local: set[str]
) -> None:
    """Note what comprehensions bind, what they read from around them, and what the function itself binds.

    around: what the comprehensions around this node bind; None outside of all.
    """
    if isinstance(one, INLINED):
        names = {
            name.id for each in one.generators for name in ast.walk(each.target) if isinstance(name, ast.Name)
        }
        bound |= names
        around = (around or frozenset()) | names
    elif isinstance(one, ast.NamedExpr):
        local.add(one.target.id)
    elif isinstance(one, ast.Name):
        if around is None and isinstance(one.ctx, ast.Store):
            local.add(one.id)
        elif around is not None and isinstance(one.ctx, ast.Load) and one.id not in around:
            read.add(one.id)
    if not isinstance(one, (*SCOPES, ast.ClassDef, ast.GeneratorExp)):
        for child in ast.iter_child_nodes(one):
            _look(child, around, bound, read, local)
