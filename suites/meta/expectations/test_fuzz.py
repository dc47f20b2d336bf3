"""Many broken expectation files, and as many with wrong bytes: refused in one line, or sound."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.cases import Selection
from fixtures.expectations import ExpectationError, Expectations, load, unknown
from fixtures.expectations.files import FILES
from suites.meta.expectations.folders import SOUND, row, write
from suites.meta.gates.mutations import COUNT
from suites.meta.places import EXPECTATIONS

pytestmark = pytest.mark.slow
SEED = 20
USERS = ("tolerance", "budget", "share", "payoff", "threshold", "known_failure")
TABLES = {
    "drop": "budget", "share": "share", "ratio": "payoff", "growth": "threshold", "plus": "threshold",
    "drift": "threshold",
}  # fmt: skip
NUMBERS = ("rtol", "atol", "relative_l2", "times_fp16", *TABLES)
SELECTORS = ("stage", "model", "converter", "tensorrt", "precision", "route", "runtime", "batch", "baseline")
Draw = random.Random
Way = Callable[[Draw, str], str | bytes]


def missing(draw: Draw, table: str) -> str:
    """Leave out a field that every row has."""
    optional = ("stage", "model", "route", "precision", *NUMBERS[:3])
    return row(table, **{draw.choice([name for name in SOUND[table] if name not in optional]): None})


def unknown_field(draw: Draw, table: str) -> str:
    """Misspell a field, or add one of another table."""
    name = draw.choice([*SOUND[table]])
    return row(table, **{draw.choice([f"{name}s", name.upper(), f"{name[1:]}x", "a b", "", "\u00fcnd"]): "x"})


def wrong_type(draw: Draw, table: str) -> str:
    """Return a field a value of a type that it never has."""
    wrong = ["true", "1979-05-27", "07:32:00", "{ a = 1 }", "[[1]]", "[{}]", "{}", "1.5e0"]
    name = draw.choice([name for name in SOUND[table] if name not in NUMBERS])
    return row(table, **{name: None}) + f"{name} = {draw.choice(wrong)}\n"


def wrong_number(draw: Draw, _: str) -> str:
    """Return a limit that is no finite number from 0 on."""
    infinite = ["inf", "nan", "-inf", "-nan", "1e999", "9" * 400, "0x" + "F" * 300]
    name, wrong = draw.choice(NUMBERS), draw.choice([*infinite, "-1", "-1e-9", '"1"', "[1]", "true"])
    return row(TABLES.get(name, "tolerance"), **{name: None}) + f"{name} = {wrong}\n"


def empty(draw: Draw, table: str) -> str:
    """Return a text or list that says nothing."""
    names = [name for name, value in SOUND[table].items() if isinstance(value, str | list)]
    return row(table, **{draw.choice(names): draw.choice(["", " ", "\t", [], [""], ["", "x"]])})


def brackets(draw: Draw, table: str) -> str:
    """Write a table, a value or a list of values where rows are expected."""
    value = draw.choice(["1", "true", "{}", "[1]", "[[]]", '"x"'])
    fields = row(table).partition("\n")[2]
    return draw.choice([f"[{table}]\n{fields}", f"{table} = {value}"])


def cut(draw: Draw, table: str) -> str:
    """End the file before its last field is whole."""
    text = row(table)
    return text[: draw.randrange(1, len(text) - 7)]


def encoding(draw: Draw, table: str) -> bytes:
    """Put bytes that are no UTF-8, or control characters, into the text."""
    text = row(table).encode()
    at = draw.randrange(len(text))
    wrong = draw.choice([b"\xff", b"\xc3\x28", b"\x00", b"\x1b", b"\x7f", b"\xed\xa0\x80"])
    return text[:at] + wrong + text[at:]


def deep(draw: Draw, table: str) -> str:
    """Nest a value deeper than Python follows, or nearly so."""
    depth, name = draw.choice([30, 300, 900, 5000]), draw.choice([*SOUND[table]])
    value = draw.choice(["[" * depth + "]" * depth, "{a=" * depth + "1" + "}" * depth])
    return row(table, **{name: None}) + draw.choice([f"{name} = {value}\n", f"{name}{'.a' * depth} = 1\n"])


def digits(draw: Draw, table: str) -> str:
    """Write a number longer than Python reads."""
    name, count = draw.choice([*SOUND[table]]), draw.choice([4301, 9000])
    return row(table, **{name: None}) + f"{name} = {draw.choice(['', '0x', '-', '0b1'])}{'1' * count}\n"


def double(draw: Draw, table: str) -> str:
    """Return a field twice, or rows of a table twice in two forms."""
    text = row(table)
    return text + draw.choice([text.splitlines()[-1] + "\n", f"[{table}]\n", f"[[{table}.reason]]\n"])


def hiding(draw: Draw, _: str) -> str:
    """Write a known failure that would hide what it does not name."""
    wild = draw.choice(["*", "?*", "[a-z]*", "*[!.]*", "**", ["digits", "*"]])
    nameless: list[dict[str, object]] = [{}, {"stage": "*"}, {"sometimes": "often"}]
    nameless += [{"tensorrt": wild}, {"baseline": wild}]
    named: list[dict[str, object]] = [{"model": wild}, {"message": None}, {"message": "e"}]
    named += [{"message": " ?"}, {"verdict": "not-run"}]
    changed = draw.choice([*named, *({"model": None, **fields} for fields in nameless)])
    return row("known_failure", **changed)


def misspelt(draw: Draw, table: str) -> str:
    """Name what there is not: a case of no run."""
    table = table if table in USERS else "known_failure"
    return row(
        table, **{draw.choice(SELECTORS): draw.choice(["resnte50", "fp61", "non*", "tesnorrt-parity"])}
    )


WAYS: dict[Way, int] = {
    missing: 8, unknown_field: 10, wrong_type: 12, wrong_number: 14, empty: 8, brackets: 8, cut: 10,
    encoding: 8, deep: 8, digits: 6, double: 6, hiding: 8, misspelt: 3,
}  # fmt: skip
"""How a file is broken -> how often, in a hundred or so."""


def outcome(folder: Path, text: str | bytes, table: str) -> str:
    """Return what reading a folder with this file comes to, or a model file where `table` is none."""
    file = folder / FILES.get(table, "models.toml")
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        rows = load(folder, () if table in FILES else [file])
        said = unknown(rows, Selection((), (), (), ())) or [""]
    except ExpectationError as error:
        said = [str(error)]
    except Exception as error:
        return f"traceback: {type(error).__name__}"
    line = said[0]
    whole = line and line.isprintable() and len(line) < 700 and file.name in line
    return "refused" if whole else f"unclear: {line!r}" if line else "silent"


def test_many_broken_files_are_refused_in_one_line(tmp_path: Path) -> None:
    """No traceback, no silence: each broken file is one printable line that names it."""
    draw, found = Draw(SEED), Counter[tuple[str, str]]()
    ways = draw.choices([*WAYS], [*WAYS.values()], k=COUNT)
    for way in ways:
        table = draw.choice([*SOUND])
        text = way(draw, table)
        head = text.decode("utf-8", "ignore") if isinstance(text, bytes) else text
        table = next((name for name in SOUND if name in head.partition("\n")[0]), table)
        user = table not in FILES or (table in USERS and way is not misspelt and draw.random() < 0.2)
        found[way.__name__, outcome(write(tmp_path), text, "" if user else table)] += 1
    assert {said for _, said in found} == {"refused"}, found
    assert found.total() == COUNT
    assert min(found[way.__name__, "refused"] for way in WAYS) >= COUNT / 100


def sound(rows: Expectations) -> bool:
    """Return whether rows are what the schema promises, asked without it."""
    found = [*rows.tolerances, *rows.budgets, *rows.thresholds, *rows.known_failures]
    numbers = [number for one in found for number in one.numbers.values()]
    reasons = [one.texts.get("reason", "") for one in found]
    return all(math.isfinite(n) and n >= 0 for n in numbers) and all(reason.strip() for reason in reasons)


def test_files_with_wrong_bytes_are_refused_or_sound(tmp_path: Path) -> None:
    """Whatever bytes are changed or lost in a committed file, it is refused, or its rows are sound."""
    draw, found = Draw(SEED), Counter[str]()
    for _ in range(COUNT):
        name = draw.choice([*FILES.values()])
        data = bytearray((EXPECTATIONS / name).read_bytes())
        for _ in range(draw.choice([1, 1, 2, 8])):
            at, wrong = draw.randrange(len(data)), bytes([draw.randrange(256)])
            data[at : at + draw.choice([0, 1, 1, 5])] = draw.choice([b"", wrong, b"[", b'"'])
        (write(tmp_path) / name).write_bytes(data)
        try:
            found["sound" if sound(load(tmp_path)) else "silent"] += 1
        except ExpectationError as error:
            found["refused" if str(error).isprintable() and name in str(error) else "unclear"] += 1
    assert set(found) == {"sound", "refused"}, found
    assert found.total() == COUNT
