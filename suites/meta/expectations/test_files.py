"""Expectation files are read by their schema, and what does not fit is said in one line."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.expectations import ExpectationError, files, load
from fixtures.expectations import schema as schema_of_rows
from fixtures.expectations.files import FILES
from fixtures.expectations.schema import SCHEMA, schema
from fixtures.store.kept import Kept
from suites.meta.expectations.folders import SOUND, row, write
from suites.meta.places import EXPECTATIONS

DEEP = 3000
"""More levels than Python follows."""


def problem(folder: Path, **files: str) -> str:
    """Return the line that a folder with these files is refused with."""
    with pytest.raises(ExpectationError) as caught:
        load(write(folder, **files))
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    return text


def test_the_committed_files_load() -> None:
    """Every committed row fits the schema."""
    rows = load(EXPECTATIONS)
    assert rows.tolerances
    assert rows.known_failures


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], int]:
    """Return how many rows of a folder a process that begins now holds against the schema."""
    rows: list[object] = []

    def noted(table: str, row: object) -> str:
        rows.append(row)
        return schema_of_rows.problem(table, row)

    monkeypatch.setattr(files, "problem", noted)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def count(folder: Path) -> int:
        rows.clear()
        known = Kept(tmp_path / "kept", b"code")
        monkeypatch.setattr(files, "sound", lambda: known)
        load(folder)
        return len(rows)

    return count


def test_the_suites_own_rows_are_held_against_the_schema_once(
    asked: Callable[[Path], int], tmp_path: Path
) -> None:
    """The next process knows the files; a row that is edited is looked at again, with those of its file."""
    assert asked(EXPECTATIONS) > 50
    assert asked(EXPECTATIONS) == 0
    copy = Path(shutil.copytree(EXPECTATIONS, tmp_path / "copy"))
    assert asked(copy) == 0
    shares = copy / "shares.toml"
    shares.write_text(shares.read_text() + row("share", model="edited"))
    assert asked(copy) == shares.read_text().count("[[share]]") > 1
    shares.write_text(shares.read_text() + row("share", share=-1))
    with pytest.raises(ExpectationError, match="share is -1, expected"):
        asked(copy)


def test_rows_of_a_folder_of_a_users_are_kept_for_no_other_process(
    asked: Callable[[Path], int], tmp_path: Path
) -> None:
    """Each edit of each user would make the file grow."""
    folder = write(tmp_path / "own")
    assert asked(folder) == asked(folder) == len(FILES)
    assert not (tmp_path / "kept").exists()


def test_every_field_of_a_row_finds_its_place(tmp_path: Path) -> None:
    """Selectors, numbers as floats, texts; lists of a trap as tuples; where the row stands."""
    rows = load(write(tmp_path))
    (limit,), (budget,), (trap,) = rows.tolerances, rows.budgets, rows.exporter_traps
    assert limit.where == "tolerances.toml row 1, line 1"
    assert (limit.selectors, limit.texts) == ({"stage": "onnxruntime-parity"}, {"reason": "why"})
    assert (limit.numbers, limit.models) == ({"rtol": 0.0, "atol": 0.0, "relative_l2": 0.0}, None)
    assert [type(number) for number in (*limit.numbers.values(), *budget.numbers.values())] == [float] * 4
    assert (budget.selectors, budget.numbers) == ({"model": "digits", "route": "qdq"}, {"drop": 1.0})
    assert (trap.specimen, trap.exporter, trap.opset) == (("index, *",), ("dynamo",), (18,))
    assert (rows.disagreements[0].tensorrt, rows.known_failures[0].texts["link"]) == ("rtx1.7*", "where")


@pytest.mark.parametrize(
    ("head", "models"), [("[model.a]\nb = 1\n[model.c]\n", {"a", "c"}), ("model = 3\n", set()), ("", set())]
)
def test_a_row_of_a_model_file_is_about_the_models_of_the_file(
    head: str, models: set[str], tmp_path: Path
) -> None:
    """Those that the file declares, and none where it declares none; a row of the suite is about all."""
    file = tmp_path / "models.toml"
    file.write_text(head + row("tolerance"))
    own = load(EXPECTATIONS, [file]).tolerances[-1]
    assert (own.models, own.where) == (models, f"models.toml tolerance 1, line {head.count(chr(10)) + 1}")


def test_the_schema_is_one() -> None:
    """It is valid JSON Schema of its draft, and every field and table says what is expected."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    assert set(schema()["properties"]) == {*FILES, "payoff"} == set(SOUND)
    for table in SOUND:
        found = schema()["$defs"][table]
        referred = [schema()["$defs"].get(each["$ref"].rpartition("/")[2], {}) if "$ref" in each else {}
                    for each in found["properties"].values()]  # fmt: skip
        assert found["description"]
        assert all("description" in {**each, **more}
                   for each, more in zip(found["properties"].values(), referred, strict=True))  # fmt: skip


def test_editors_find_the_schema() -> None:
    """Each file names it in its first line, and it lies beside them."""
    for name in FILES.values():
        assert (EXPECTATIONS / name).read_text().startswith(f"#:schema {SCHEMA.name}\n")
    assert SCHEMA.parent == EXPECTATIONS
    assert json.loads(SCHEMA.read_text())["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize(
    ("table", "changed", "named"),
    [
        ("tolerance", {"reason": None}, "reason is missing, expected a text that says why"),
        ("tolerance", {"reason": " "}, "reason is ' ', expected"),
        ("tolerance", {"rtol": -1}, "rtol is -1, expected"),
        ("tolerance", {"rtol": "a"}, "rtol is 'a', expected"),
        ("tolerance", {"atol": True}, "atol is true, expected"),
        ("tolerance", {"atol": float("inf")}, "atol is inf, expected"),
        ("tolerance", {"relative_l2": float("nan")}, "relative_l2 is nan, expected"),
        ("tolerance", {"times_fp16": float("-inf")}, "times_fp16 is -inf, expected"),
        ("tolerance", {"rtol": 10**400}, "rtol is a number of too many digits, expected"),
        ("tolerance", dict.fromkeys(("rtol", "atol", "relative_l2")), "expected a row that sets at least"),
        ("tolerance", {"modle": "digits"}, "unknown field modle; did you mean model"),
        ("tolerance", {"opset": 11.0}, "opset is 11.0, expected an opset such as 13"),
        ("tolerance", {"opset": [10, True]}, "opset is a list of 2, expected"),
        ("tolerance", {"batch": 8}, "batch is 8, expected a batch as a text"),
        ("tolerance", {"model": []}, "model is an empty list, expected"),
        ("tolerance", {"model": {"name": "digits"}}, "model is a table of 1, expected"),
        ("tolerance", {"values": ["a", "b"]}, "values is a list of 2, expected"),
        ("budget", {"drop": None}, "expected a row with a reason that sets at least one of drop, keep, "),
        ("budget", {"keep": 101}, "keep is 101, expected how many percent of fp32's accuracy"),
        ("budget", {"keep": 0.99}, "keep is 0.99, expected how many percent of fp32's accuracy must be kept"),
        ("budget", {"keep": 1}, "from 0 to 100, 99 and not 0.99"),
        ("budget", {"matched": 0.9}, "matched is 0.9, expected how many percent of fp32's boxes"),
        ("share", {"share": 0.5}, "share is 0.5, expected how many of a hundred layers"),
        ("threshold", {"growth": 11}, "growth is 11, expected the part by which a metric may rise, 0.05 for"),
        ("threshold", {"stage": "latency", "growth": 5}, "growth is 5, expected the part by which"),
        ("threshold", {"drift": 10}, "drift is 10, expected the part by which it may rise over many"),
        ("budget", {"grade": "loose"}, "grade is 'loose', expected strict"),
        ("budget", {"drop": float("inf")}, "drop is inf, expected"),
        ("known_failure", {"link": None}, "link is missing, expected"),
        ("known_failure", {"verdict": "passed"}, "verdict is 'passed', expected failed"),
        ("disagreement", {"tensorrt": None}, "tensorrt is missing, expected"),
        ("trap", {"opset": 18}, "opset is 18, expected a list of opsets"),
        ("trap", {"outcome": "equal"}, "outcome is 'equal', expected refused, invalid or wrong"),
        ("trap", {"message": "("}, "message is '(', expected a regular expression"),
        ("trap", {"message": "a{99999999999}"}, "message is 'a{99999999999}', expected a regular"),
        ("trap", {"message": "[[a]"}, "message is '[[a]', expected a regular expression"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_named(
    table: str, changed: dict[str, object], named: str, tmp_path: Path
) -> None:
    """File, row, line, field, what it is, and what was expected are one line."""
    said = problem(tmp_path, **{table: row(table) + "\n" + row(table, **changed)})
    assert f"{FILES[table]} row 2, line {len(SOUND[table]) + 3}: " in said
    assert named in said


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[budget]\ndrop = 1\n", "budget is a table of 1, expected rows: write [[budget]], in two brackets"),
        ("budget = 1\n", "budget is 1, expected rows"),
        ("budget = [1]\n", "row 1: this is 1, expected a row with a reason that sets"),
        ("[[budgets]]\n", "only [[budget]] belongs here, not 'budgets'"),
        ("[[budget\n", "budgets.toml: "),
        ("[[budget]]\ndrop = " + "[" * DEEP + "]" * DEEP, "nested too deep"),
        ("[[budget]]\nreason" + ".a" * DEEP + " = 1", "row 1"),
        ("[[budget]]\ndrop = " + "9" * 5000, "Exceeds the limit"),
        ("[[budget]]\ndrop = 0x" + "F" * 5000, "row 1"),
        ("[[budget]]\n'a\\u001b[31m' = 1\n", "unknown field"),
    ],
    ids=[
        "single",
        "value",
        "no table",
        "name",
        "broken",
        "deep",
        "dotted",
        "long",
        "hexadecimal",
        "escape",
    ],
)
def test_a_file_that_is_no_table_of_rows_is_named(text: str, named: str, tmp_path: Path) -> None:
    """Single brackets, values too deep or too long, and broken TOML are one line without control codes."""
    said = problem(tmp_path, budget=text)
    assert "budgets.toml" in said
    assert named in said
    assert said.isprintable()
    assert len(said.replace(str(tmp_path), "")) < 330


@pytest.mark.parametrize("content", [None, b"\xff\xfe[[budget]]"])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    """A folder without one of the files, and a file that is no UTF-8, are refused."""
    file = write(tmp_path) / "budgets.toml"
    file.unlink()
    if content:
        file.write_bytes(content)
    with pytest.raises(ExpectationError, match=r"budgets\.toml"):
        load(tmp_path)


def test_rows_in_one_line_have_their_lines(tmp_path: Path) -> None:
    """A row of an array is found in the text as one under a head is."""
    text = 'budget = [\n  # why\n  { drop = 1, reason = "a" },\n\n  { drop = -1, reason = "b" },\n]\n'
    assert "budgets.toml row 2, line 5: drop is -1" in problem(tmp_path, budget=text)


WRONG_TABLES = (
    "[tolerance]\nrtol = 1\n",
    "tolerance = 3\n",
    "[[tolerance]]\nrtol = inf\nreason = 'a'\n",
    "[[payoff]]\nratio = 70\nreason = 'of a hundred, which is no part'\n",
)


@pytest.mark.parametrize("text", WRONG_TABLES)
def test_the_tables_of_a_model_file_have_the_same_schema(text: str, tmp_path: Path) -> None:
    """A wrong row in models.toml is named with that file."""
    (tmp_path / "models.toml").write_text(text)
    with pytest.raises(ExpectationError, match=r"models\.toml.*(tolerance|payoff).* is .*, expected"):
        load(EXPECTATIONS, [tmp_path / "models.toml"])
