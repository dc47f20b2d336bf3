"""Mutants of a source text: each differs from it in one place, as a slip of the hand would.

Only code is changed: no text, no annotation, no decorator. Of an f-string nothing is, since Python 3.11 does
not say where its parts stand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.BitAnd: "|", ast.BitOr: "&",
}  # fmt: skip
NAMES = {
    "max": ("min", "mean"), "min": ("max",), "any": ("all",), "all": ("any",), "argmax": ("argmin",),
    "sum": ("max",), "mean": ("max",), "median": ("mean",), "sorted": ("list",), "isfinite": ("isnan",),
}  # fmt: skip
"""Function or method -> what stands in its place; a built-in one only where that is built in, too."""
BUILT_IN = {"max", "min", "any", "all", "sum", "sorted", "list"}
UNTOUCHED = {"annotation", "returns", "decorator_list", "type_params"}
"""Fields of syntax nodes that are left alone."""


@dataclass(frozen=True)
class Mutant:
    """One changed source text. line: the number, from 1, of the line that the change begins in.

    text: that line, without its indent. change: what stood there, and what stands there now.
    """

    line: int
    text: str
    change: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of a source text, in the order of their places."""
    data, lines = source.encode(), source.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()) + 1)
    found = []
    for node, new in _edits(ast.parse(source)):
        begin, end = starts[node.lineno - 1] + node.col_offset, starts[_end(node) - 1] + _end_offset(node)
        old = " ".join(data[begin:end].decode().split())
        text = (data[:begin] + new.encode() + data[end:]).decode()
        found.append(Mutant(node.lineno, lines[node.lineno - 1].strip(), f"{old} -> {new}", text))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.change))


def _end(node: ast.expr | ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _end_offset(node: ast.expr | ast.stmt) -> int:
    return node.end_col_offset or node.col_offset


def _edits(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yield a node at or below one, and the text that replaces it."""
    if isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, ast.expr):
        yield from ((node, new) for new in _expressions(node))
    elif isinstance(node, ast.stmt) and _is_deletable(node):
        yield node, "pass"
    if isinstance(node, ast.Return) and node.value and not _is_constant(node.value, None):
        yield node.value, "None"
    for test in _conditions(node):
        yield test, f"(not ({ast.unparse(test)}))"
    for name, value in ast.iter_fields(node):
        if name not in UNTOUCHED:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _edits(child)


def _expressions(node: ast.expr) -> Iterator[str]:
    """Yield what may stand in place of an expression."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
            yield f"({left} {COMPARISONS[type(op)]} {right})"
        case ast.Compare():  # of a chain the first link
            yield ast.unparse(ast.Compare(node.left, [ast.NotEq(), *node.ops[1:]], node.comparators))
        case ast.BoolOp():
            word = " or " if isinstance(node.op, ast.And) else " and "
            yield f"({word.join(f'({ast.unparse(value)})' for value in node.values)})"
        case ast.UnaryOp(op=ast.Not()):
            yield f"({ast.unparse(node.operand)})"
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_path_or_text(node):
            yield f"(({ast.unparse(node.left)}) {ARITHMETIC[type(node.op)]} ({ast.unparse(node.right)}))"
        case ast.Constant(value=bool() | int() | float() as value):
            yield repr(_other(value))
        case ast.Name(id=name) if name in NAMES:
            yield from (other for other in NAMES[name] if {name, other} <= BUILT_IN)
        case ast.Attribute(attr=name) if name in NAMES:
            yield from (f"({ast.unparse(node.value)}).{other}" for other in NAMES[name])


def _other(value: bool | float) -> bool | float:
    """Return another constant: 0 and 1 for each other, ten times any other number."""
    if isinstance(value, bool):
        return not value
    return type(value)(1 - value) if value in (0, 1) else value * 10


def _is_path_or_text(node: ast.BinOp) -> bool:
    """Return whether an operator joins texts or paths: there is no other that could stand there."""
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )


def _is_constant(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _conditions(node: ast.AST) -> list[ast.expr]:
    """Return the conditions of a node that no other operator changes as a whole."""
    tests = [node.test] if isinstance(node, ast.If | ast.IfExp | ast.While) else getattr(node, "ifs", [])
    turned = (ast.BoolOp, ast.Compare, ast.UnaryOp)
    return [test for test in tests if isinstance(test, ast.BoolOp) or not isinstance(test, turned)]


def _is_deletable(node: ast.stmt) -> bool:
    """Return whether a statement acts on something, so that the code may run without it."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)  # a docstring
    if isinstance(node, ast.Assign):
        return not any(isinstance(target, ast.Name) for target in node.targets)
    return isinstance(node, ast.AugAssign | ast.Raise | ast.Delete)
