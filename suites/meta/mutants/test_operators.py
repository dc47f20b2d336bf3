"""Each operator changes one place of a text, and what is no code is left alone."""

import ast

import pytest

from suites.meta.mutants.operators import mutants


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("x = a < b", ["a < b -> (a <= b)"]),
        ("x = a == b", ["a == b -> (a != b)"]),
        ("x = a is not b", ["a is not b -> (a is b)"]),
        ("x = a in b", ["a in b -> (a not in b)"]),
        ("x = a < b < c", ["a < b < c -> a != b < c"]),
        ("x = a and b", ["a and b -> ((a) or (b))"]),
        ("x = not a", ["not a -> (a)"]),
        ("x = a + b", ["a + b -> ((a) - (b))"]),
        ("x = {0, 1, 7, 0.5, True}", ["0 -> 1", "0.5 -> 5.0", "1 -> 0", "7 -> 70", "True -> False"]),
        ("x = max(a)", ["max -> min"]),
        ("x = a.max()", ["a.max -> (a).mean", "a.max -> (a).min"]),
        ("x = sorted(a)", ["sorted -> list"]),
        ("def f():\n    return a", ["a -> None"]),
        ("def f():\n    return None", []),
        ("if a:\n    x = b", ["a -> (not (a))"]),
        ("x = [a for a in b if a]", ["a -> (not (a))"]),
        ("f(a)", ["f(a) -> pass"]),
        ("a[b] = c", ["a[b] = c -> pass"]),
        ("a = b", []),
        ("raise a", ["raise a -> pass"]),
        ("x: Literal[1] = a", []),
        ("@f(1)\nclass A:\n    pass", []),
        ("def f(a: int = 7) -> g(1):\n    '''Text.'''", ["7 -> 70"]),
        ("x = f'{a + 1}'", []),
        ("x = 'a' + b", []),
    ],
)
def test_one_place_is_changed(source: str, changes: list[str]) -> None:
    """What stood there and what stands there now are named; annotations, decorators and texts stay."""
    assert [mutant.change for mutant in mutants(source)] == changes


def test_a_mutant_is_a_text_of_its_own() -> None:
    """It differs in the named line alone, counted in characters and not in bytes, and is Python."""
    source = "name = 'é漢' if a > 1 else b\nif (name and\n        b):\n    f(name)\n"
    found = mutants(source)
    assert [(mutant.line, mutant.change) for mutant in found] == [
        (1, "1 -> 0"), (1, "a > 1 -> (a >= 1)"), (2, "name and b -> ((name) or (b))"),
        (2, "name and b -> (not (name and b))"), (4, "f(name) -> pass"),
    ]  # fmt: skip
    for mutant in found:
        ast.parse(mutant.source)
        assert mutant.text == source.split("\n")[mutant.line - 1].strip()
        assert mutant.source.split("\n")[0 if mutant.line > 1 else 1] == source.split("\n")[mutant.line == 1]
