"""Each limit of a case comes from the row that says most about it, and the order of rows decides nothing."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.expectations import ExpectationError, Expectations, Row
from fixtures.metrics.parity import difference

CASE = Case("onnxruntime-parity", "yolov5n", "dynamo", 11)
RULE = Row("row 1", {"stage": "*-parity"}, {"rtol": 0.0, "atol": 1.0, "relative_l2": 1.0})
STAGE = Row("row 2", {"stage": "onnxruntime-parity"}, {"atol": 2.0})
MODEL = Row("row 3", {"stage": "*-parity", "model": "yolo*"}, {"atol": 3.0})
PART = Row("row 4", {"stage": "*-parity"}, {"atol": 4.0}, {"values": "*/*"})
VALUE = Row("row 5", {"stage": "*-parity"}, {"atol": 5.0}, {"values": "p3/boxes"})
OWN = Row("models.toml tolerance 1", {}, {"atol": 6.0}, models=frozenset({"yolov5n"}))
ROWS = (RULE, STAGE, MODEL, PART, VALUE, OWN)


def test_the_order_of_rows_decides_nothing() -> None:
    """Whatever stands first, a value's name outranks a pattern of it, and that the rest."""
    found = {
        tuple(Expectations(rows).tolerance(CASE, value).atol for value in ("p3/boxes", "p3/classes", "p3"))
        for rows in permutations(ROWS[:5])
    }
    assert found == {(5.0, 4.0, 3.0)}


@pytest.mark.parametrize("count", range(1, 7))
def test_of_two_rows_the_one_that_says_more_stands(count: int) -> None:
    """More selectors outrank fewer, names outrank wildcards, and a user's row outranks all."""
    assert Expectations(ROWS[:count]).tolerance(CASE, "p3/boxes").atol == float(count)


def test_a_row_overrides_only_what_it_names() -> None:
    """Other limits stay those of the general row, and each knows its own row."""
    found = Expectations((RULE, STAGE)).tolerance(CASE, "p3")
    assert (found.rtol, found.atol, found.relative_l2, found.times_fp16) == (0.0, 2.0, 1.0, 0.0)
    assert found.rows == {"rtol": "row 1", "atol": "row 2", "relative_l2": "row 1"}


@pytest.mark.parametrize(("actual", "mismatched"), [(9.0, 1), (2.5, 0)], ids=["element", "norm"])
def test_a_failure_names_the_row_of_each_limit(actual: float, mismatched: int) -> None:
    """Whichever limit is violated, the file and row beside it is the one that sets it."""
    tolerance = Expectations((RULE, STAGE)).tolerance(CASE, "p3")
    found = difference("p3", np.ones(1), np.full(1, actual), tolerance)
    assert (found.ok, found.mismatched) == (False, mismatched)
    assert "allowed 2 + 0 * |expected| (rtol: row 1, atol: row 2), L2 1 (row 1)" in str(found)


def test_a_multiple_of_fp16_rounding_names_its_row() -> None:
    """Where `times_fp16` gives the limit, its row is named and not that of relative_l2."""
    rows = (RULE, Row("row 7", {"stage": "onnxruntime-parity"}, {"times_fp16": 5.0}))
    scaled = Expectations(rows).tolerance(CASE, "p3").scaled(1e-3)
    assert scaled.relative_l2 == pytest.approx(5e-3)
    assert scaled.set_by("relative_l2") == "row 7, 5 times the 0.001 of fp16 rounding"


def test_two_rows_that_say_as_much_are_refused() -> None:
    """Both are named, with the field that both set; where they set other fields they stand."""
    other = Row("row 8", {"converter": "dynamo"}, {"atol": 9.0})
    with pytest.raises(ExpectationError, match="row 2 and row 8 both set atol of p3 of onnxruntime-parity"):
        Expectations((RULE, STAGE, other)).tolerance(CASE, "p3")
    apart = Row("row 8", {"converter": "dynamo"}, {"rtol": 9.0})
    assert Expectations((RULE, STAGE, apart)).tolerance(CASE, "p3").rtol == 9.0


def test_no_tolerance_is_no_pass() -> None:
    """A compared value of which a limit is set by no row is an error."""
    with pytest.raises(ExpectationError, match=r"no row for yolo_16 .* that sets rtol, atol, relative_l2"):
        Expectations().tolerance(CASE, "yolo_16")
    with pytest.raises(ExpectationError, match=r"no row for yolo_16 .* that sets rtol, relative_l2"):
        Expectations((STAGE,)).tolerance(CASE, "yolo_16")


def test_a_label_gives_way_only_to_rows_that_name_it() -> None:
    """Values that must be equal stay so under patterns; what rows with their very name do not set is 0."""
    pattern, named = (Row(values, {}, {"atol": 1.0}, {"values": values}) for values in ("*", "age"))
    assert Expectations((RULE, pattern)).tolerance_of_label(CASE, "age") is None
    found = Expectations((RULE, named, pattern)).tolerance_of_label(CASE, "age")
    assert found is not None
    assert (found.rtol, found.atol, found.relative_l2, found.set_by("atol")) == (0.0, 1.0, 0.0, "age")
    assert Expectations((named,)).tolerance_of_label(CASE, "gender") is None


def test_a_row_of_a_model_file_is_about_its_models() -> None:
    """It leaves the suite's own models alone."""
    assert OWN.fits(CASE)
    assert not OWN.fits(Case("onnxruntime-parity", "yolov3", "darknet", 11))


BUDGETED = Case("int8-accuracy", "digits", "torchscript", 13, route="qdq")
ALL = Row("all", {}, {"keep": 99.0, "sqnr": 10.0})
ROUTE = Row("route", {"route": "qdq"}, {"drop": 1.0})
BOTH = Row("both", {"route": "qdq", "model": "digits"}, {"drop": 2.0, "keep": 98.0, "relative_l2": 0.1})
STRICT = Row("strict", {}, {"keep": 99.9}, {"grade": "strict"})


@pytest.mark.parametrize(
    ("rows", "grade", "stands"),
    [
        ((ALL, ROUTE), "", {"drop": "route", "sqnr": "all"}),
        ((ALL, ROUTE, BOTH), "", {"drop": "both", "keep": "both", "sqnr": "all", "relative_l2": "both"}),
        ((ALL, STRICT), "", {"keep": "all", "sqnr": "all"}),
        ((ALL, BOTH, STRICT), "strict", {"keep": "strict", "sqnr": "all", "relative_l2": "both"}),
        ((ALL, ROUTE), "strict", {"drop": "route", "sqnr": "all"}),
    ],
)
def test_the_budget_that_says_most_stands(rows: tuple[Row, ...], grade: str, stands: dict[str, str]) -> None:
    """Points and percent are one limit, of one row; the others cascade; a grade goes before none."""
    for order in (rows, rows[::-1]):
        assert Expectations(budgets=order).budget(BUDGETED, grade).rows == stands


def test_a_case_without_a_budget_is_an_error() -> None:
    """A row that limits something else than accuracy is none."""
    for rows in ((), (Row("row 1", {}, {"sqnr": 10.0}),)):
        with pytest.raises(ExpectationError, match=r"no row for int8-accuracy .* sets drop or keep"):
            Expectations(budgets=rows).budget(BUDGETED)


def test_points_and_percent_of_one_rank_are_an_error() -> None:
    """Neither of two rows that limit accuracy says more."""
    other = Row("row 2", {"model": "digits"}, {"keep": 99.0})
    with pytest.raises(ExpectationError, match="drop or keep"):
        Expectations(budgets=(ROUTE, other)).budget(BUDGETED)


def test_a_share_that_no_row_asks_for_is_none() -> None:
    """A share of layers is asked of the precisions that rows name, and the row that says most stands."""
    rule = Row("row 1", {"precision": "fp16"}, {"share": 50.0})
    own = Row("row 2", {"precision": "fp16", "model": "digits"}, {"share": 0.0})
    case = Case("tensorrt-parity", "digits", "torchscript", 13, precision="fp16")
    assert Expectations(shares=(own, rule)).share(case) is own
    assert Expectations(shares=(own, rule)).share(replace(case, precision="fp32")) is None


def test_known_failures_are_those_of_the_case() -> None:
    """All rows that fit it, in their order, and no other."""
    rows = tuple(
        Row(f"row {n}", {"model": model}, {}) for n, model in enumerate(("yolo*", "digits", "yolov5n"))
    )
    assert Expectations(known_failures=rows).known_failures_of(CASE) == (rows[0], rows[2])
