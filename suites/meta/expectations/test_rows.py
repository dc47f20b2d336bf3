"""Rows of expectation files: what each is about, and how much it says."""

from dataclasses import replace
from typing import Any

import pytest

from fixtures.cases import Case
from fixtures.expectations.rows import Disagreement, Row, Trap, matches, patterns, wild

CASE = Case("onnxruntime-parity", "yolov5n", "dynamo", 11)
TRAP = Trap("row 1", ("index, *", "Sort"), ("dynamo",), (10, 18), "wrong", "mis.*", "why", "where")
DISAGREEMENT = Disagreement("row 1", "Softmax*", "rtx1.7*", "why")


@pytest.mark.parametrize(
    ("wanted", "value", "fits"),
    [
        (11, 11, True), (11, 13, False), ([10, 11], 11, True), ([10, 12], 11, False),
        ("yolo*", "yolov5n", True), ("yolo", "yolov5n", False), (["digits", "yolo*"], "yolov5n", True),
        ("YOLO*", "yolov5n", False), ("8", "8", True), ("1?", 11, True),
    ],
)  # fmt: skip
def test_a_selector_fits_a_number_a_pattern_or_one_of_a_list(wanted: Any, value: Any, fits: bool) -> None:
    """Numbers are equal, patterns fit the whole text in its case, one of a list is enough."""
    assert matches(wanted, value) is fits
    assert Row("row", {"model": wanted}, {}).fits(replace(CASE, model=value)) is fits


def test_every_selector_of_a_row_must_fit() -> None:
    """One that does not is enough, and so is a model of another file."""
    both = {"model": "yolo*", "opset": 11}
    assert Row("row", both, {}).fits(CASE) is True
    assert Row("row", {**both, "opset": 10}, {}).fits(CASE) is False
    assert Row("row", both, {}, models=frozenset({"yolov5n"})).fits(CASE) is True
    assert Row("row", both, {}, models=frozenset({"other"})).fits(CASE) is False


@pytest.mark.parametrize(("values", "name", "fits"), [("p3/*", "p3/boxes", True), ("p3", "p3/boxes", False)])
def test_a_row_is_about_the_values_that_it_names(values: str, name: str, fits: bool) -> None:
    """A row without `values` is about all of them."""
    assert Row("row", {}, {}, {"values": values}).fits_value(name) is fits
    assert Row("row", {}, {}).fits_value(name)


@pytest.mark.parametrize(
    ("selectors", "values", "own", "rank"),
    [
        ({}, None, False, (False, 0, 0, 0)),
        ({"model": "a*", "opset": 11}, "*", False, (False, 1, 2, 1)),
        ({"model": ["a*", "b"]}, "p3", False, (False, 2, 1, 0)),
        ({"model": ["a", "b"], "stage": "convert"}, None, True, (True, 0, 2, 2)),
    ],
)
def test_the_rank_of_a_row(
    selectors: dict[str, Any], values: str | None, own: bool, rank: tuple[int, ...]
) -> None:
    """A model file's, a value's name or pattern, the count of selectors, of those without any wildcard."""
    row = Row("row", selectors, {}, {"values": values} if values else {}, frozenset("a") if own else None)
    assert row.rank == rank


def test_a_row_is_taken_apart_pattern_by_pattern() -> None:
    """Each pattern of a list stands alone once, beside the other selectors."""
    row = Row("row", {"model": ["a", "b*"], "opset": 11}, {"rtol": 1.0})
    parts = [(name, pattern, alone.selectors) for name, pattern, alone in row.singly()]
    assert parts == [
        ("model", "a", {"model": "a", "opset": 11}),
        ("model", "b*", {"model": "b*", "opset": 11}),
        ("opset", 11, {"model": ["a", "b*"], "opset": 11}),
    ]
    assert (patterns("a"), patterns([1, "b"])) == (["a"], [1, "b"])


@pytest.mark.parametrize(("pattern", "is_wild"), [("a*", True), ("a?", True), ("[ab]", True), ("a", False)])
def test_a_wildcard_is_seen(pattern: str, is_wild: bool) -> None:
    """A number has none."""
    assert wild(pattern) is is_wild
    assert wild(11) is False


@pytest.mark.parametrize(
    ("label", "specimen", "about"),
    [("rtx1.7.1.116", "Softmax(axis=1)", (True, True)), ("rtx1.6.1", "LogSoftmax", (False, False))],
)
def test_a_disagreement_is_about_its_tensorrts_and_specimens(
    label: str, specimen: str, about: tuple[bool, bool]
) -> None:
    """Both are patterns of the whole name."""
    assert (DISAGREEMENT.speaks_of(label), DISAGREEMENT.fits(specimen)) == about


@pytest.mark.parametrize(
    ("exporter", "opset", "about"),
    [("dynamo", 18, True), ("dynamo", 10, True), ("dynamo", 11, False), ("torchscript", 18, False)],
)
def test_a_trap_is_about_its_exporters_at_its_opsets(exporter: str, opset: int, about: bool) -> None:
    """Both must be listed; of its specimens one is enough."""
    assert TRAP.speaks_of(exporter, opset) is about
    assert [TRAP.fits(name) for name in ("index, a", "Sort", "Sorted")] == [True, True, False]


@pytest.mark.parametrize(
    ("outcome", "detail", "explained"),
    [("wrong", "2 mismatched", True), ("wrong", "equal", False), ("refused", "2 mismatched", False)],
)
def test_a_trap_explains_its_outcome_in_its_words(outcome: str, detail: str, explained: bool) -> None:
    """Neither alone is enough; the words are a regular expression."""
    assert TRAP.explains(outcome, detail) is explained
