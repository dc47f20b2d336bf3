"""What is wrong with a row is said of its first fault, in words that are short whatever the row holds."""

import warnings

import pytest

from fixtures.expectations.schema import nearest, problem, shown
from suites.meta.expectations.folders import SOUND

LIMITS = dict.fromkeys(("rtol", "atol", "relative_l2"))


def fault(table: str, **changed: object) -> str:
    """Return what is wrong with a sound row, fields of which are changed, or left out where they are None."""
    fields = {**SOUND[table], **changed}
    return problem(table, {name: value for name, value in fields.items() if value is not None})


@pytest.mark.parametrize("table", SOUND)
def test_a_sound_row_has_no_fault(table: str) -> None:
    """Nothing is said of it, as a text."""
    assert fault(table) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"modle": 1, "reason": None}, "unknown field modle; "),
        ({"reason": None, "rtol": -1}, "reason is missing, expected "),
        ({"rtol": -1, "atol": -1}, "atol is -1, expected "),
        ({**LIMITS, "batch": 8}, "batch is 8, expected "),
        (LIMITS, "this is a table of 2, expected a row that sets at least "),
    ],
)
def test_the_first_fault_is_named(changed: dict[str, object], said: str) -> None:
    """A field that there is not, one that is missing, fields by name, and last the row as a whole."""
    assert fault("tolerance", **changed).startswith(said)


def test_a_pattern_that_python_warns_of_is_refused() -> None:
    """Wherever the caller of the reader does not care for warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fault("trap", message="[[a]").startswith("message is '[[a]', expected a regular expression")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"), (1.5, "1.5"), ([], "an empty list"), ({"a": 1}, "a table of 1"),
        (2**64 - 1, str(2**64 - 1)), (2**64, "a number of too many digits"), ("\x1b[31m", r"'\x1b[31m'"),
        ("a" * 58, repr("a" * 58)), ("a" * 59, repr("a" * 59)[:60] + "..."),
    ],
)  # fmt: skip
def test_a_value_is_shown_short_and_printable(value: object, text: str) -> None:
    """Whole up to 60 characters, with its quotes, and never what a terminal obeys."""
    assert shown(value) == text


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("digist", ["digits", "lenet"], "did you mean digits?"),
        ("yolo", [f"yolo{n}" for n in range(5)], "did you mean yolo4 or yolo3 or yolo2?"),
        ("fp", ["fp8", "fp4"], "there are fp8, fp4"),
        ("fpp", ["fp8"], "did you mean fp8?"),
        ("x", [], "there is none"),
        ("x", range(16), f"there are {', '.join(map(str, range(16)))}"),
        ("x", range(18), f"there are {', '.join(map(str, range(16)))} and 2 more"),
    ],
)
def test_the_nearest_names_are_asked_for(word: str, known: list[object], said: str) -> None:
    """At most three near ones, or the first sixteen where none is near; a short word is near to none."""
    assert nearest(word, known) == said
