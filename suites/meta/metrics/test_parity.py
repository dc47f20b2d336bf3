"""The one comparison sees every way in which outputs can differ, and its message names them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fixtures.metrics.parity import (
    EXACT,
    Difference,
    StructureError,
    Tolerance,
    compare,
    difference,
    worst_of,
)

STRICT = Tolerance(rtol=1e-4, atol=1e-5, relative_l2=1e-4, where="tolerances.toml row 1")
ARRAYS = hnp.arrays(np.float32, hnp.array_shapes(max_dims=4), elements=st.floats(width=32, allow_nan=False))


def test_the_worst_element_is_named() -> None:
    """The message has the count, the index, both values, and what was allowed where."""
    expected = np.ones((2, 3), np.float32)
    actual = expected.copy()
    actual[1, 2] = 1.5
    found = difference("yolo_16", expected, actual, STRICT)
    assert (found.max_abs, found.max_rel, found.mismatched) == (0.5, 0.5, 1)
    text = str(found)
    for part in ("yolo_16: 1 of 6", "[1, 2]", "1.5, expected 1", "0.5"):
        assert part in text
    assert text.endswith("allowed 1e-05 + 0.0001 * |expected|, L2 0.0001 (tolerances.toml row 1)")


@given(ARRAYS)
def test_equal_tensors_pass_at_zero_tolerance(array: np.ndarray) -> None:
    """An array equals itself, infinities included."""
    found = difference("x", array, array.copy(), EXACT)
    assert found == Difference("x", array.size, 0, 0, 0.0, 0.0, 0.0, 0.0, (), 0.0, 0.0, EXACT)
    assert found.ok


@given(ARRAYS, st.integers(0, 10**6), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_one_bad_number_never_passes(array: np.ndarray, at: int, bad: float) -> None:
    """NaN or infinity on one side only is counted and fails under any tolerance."""
    array = np.where(np.isfinite(array), array, np.float32(0))
    actual = array.copy()
    actual.flat[at % array.size] = bad
    for pair in ((array, actual), (actual, array)):
        found = difference("x", *pair, Tolerance(1e30, 1e30, 1e30))
        assert (found.ok, found.nonfinite, found.relative_l2) == (False, 1, np.inf)


def test_nan_on_both_sides_fails_too() -> None:
    """A network that gives NaN is broken even if its copy gives NaN as well."""
    array = np.array([1.0, np.nan], np.float32)
    assert not difference("x", array, array.copy(), STRICT).ok


def test_what_must_be_equal_has_no_tolerance() -> None:
    """Not for an element, however great it is, nor for the norm."""
    assert (EXACT.rtol, EXACT.atol, EXACT.relative_l2, EXACT.times_fp16) == (0, 0, 0, 0)


def test_broken_numbers_are_counted_beside_wrong_ones() -> None:
    """NaN and infinity are mismatched, as a wrong value is, and one of them breaks the norm."""
    expected = np.ones(5, np.float32)
    found = difference("x", expected, np.array([1, 3, np.nan, 1, np.inf], np.float32), STRICT)
    assert (found.mismatched, found.nonfinite, found.relative_l2) == (3, 2, np.inf)
    assert ", 2 of them NaN or infinite" in str(found)


@pytest.mark.parametrize(
    ("expected", "actual", "atol", "index", "max_rel", "relative_l2"),
    [
        ((0, 4), (0, 6), 1, (1,), 0.5, 0.5),
        ((0, 0, 2), (0, 0, 1), 0, (2,), 0.5, 0.5),
        ((1,), (2,), 0, (0,), 1, 1),
    ],
    ids=["relative", "zeros that are equal", "as great as expected"],
)
def test_the_worst_is_found_among_zeros(
    expected: tuple[float, ...],
    actual: tuple[float, ...],
    atol: float,
    index: tuple[int],
    max_rel: float,
    relative_l2: float,
) -> None:
    """Zeros that are expected and given are no difference, under no tolerance either."""
    found = difference("x", np.array(expected, float), np.array(actual, float), Tolerance(0, atol, 9))
    assert (found.index, found.mismatched) == (index, 1)
    assert (found.max_rel, found.relative_l2) == (max_rel, relative_l2)


def test_the_limit_itself_is_allowed() -> None:
    """An error that is all that is allowed passes, by element and by norm."""
    found = difference("x", np.array([4.0]), np.array([5.0]), Tolerance(0, 1, 0.25))
    assert (found.ok, found.mismatched, found.of_allowed) == (True, 0, 1.0)


def test_a_difference_whose_square_is_nothing_is_none_of_the_norm() -> None:
    """Values near the smallest of float64: only elements can be told apart."""
    found = difference("x", np.zeros(2), np.array([0, 1e-200]), Tolerance(0, 1e-100, 0))
    assert (found.relative_l2, found.of_allowed) == (0.0, pytest.approx(1e-100))


def test_a_small_error_everywhere_is_seen_by_the_norm() -> None:
    """An error below the elementwise limit in every element can still be too much in all."""
    expected = np.full(1000, 1e-3, np.float32)
    found = difference("x", expected, expected + np.float32(9e-6), STRICT)
    assert (found.mismatched, found.ok) == (0, False)


BASE = {"a": np.zeros((1, 2), np.float32), "b": np.zeros(3, np.float32)}


@pytest.mark.parametrize(
    ("actual", "named"),
    [
        ({"a": BASE["a"]}, r"outputs are \['a'\], expected \['a', 'b'\]"),
        ({"b": BASE["b"], "a": BASE["a"]}, "outputs are"),
        ({**BASE, "c": BASE["b"]}, "outputs are"),
        ({**BASE, "a": np.zeros((2, 1), np.float32)}, r"a is float32 \(2, 1\)"),
        ({**BASE, "b": np.zeros(3, np.float16)}, "b is float16"),
    ],
    ids=["missing", "order", "extra", "shape", "dtype"],
)
def test_structure_is_checked_before_values(actual: dict[str, np.ndarray], named: str) -> None:
    """A missing, extra or misplaced output, a shape or a dtype is an error of its own."""
    with pytest.raises(StructureError, match=named):
        compare(BASE, actual, lambda _: STRICT)


def test_every_tensor_is_compared_under_its_own_tolerance() -> None:
    """One difference each, in the order of what is expected."""
    limits = {"a": EXACT, "b": STRICT}
    found = compare(BASE, BASE, limits.__getitem__)
    assert [(one.name, one.tolerance) for one in found] == [*limits.items()]


def test_of_several_samples_the_worst_is_kept() -> None:
    """One bad photo among good ones is what is reported."""
    good = [difference("x", BASE["b"], BASE["b"], STRICT)]
    bad = [difference("x", BASE["b"], BASE["b"] + np.float32(1), STRICT)]
    assert worst_of([good, bad, good]) == bad
    with pytest.raises(ValueError, match="shorter"):
        worst_of([[*good, *good], bad])


@pytest.mark.parametrize(("rounding", "limit"), [(1e-3, 5e-3), (1e-2, 2e-2), (0.0, 2e-2), (None, 2e-2)])
def test_a_limit_follows_the_rounding_of_the_network(rounding: float | None, limit: float) -> None:
    """A multiple of what fp16 rounding does stands where it is less than the row's own limit, and says so."""
    scaled = Tolerance(0, 0, 2e-2, times_fp16=5, where="row 1").scaled(rounding)
    assert scaled.relative_l2 == pytest.approx(limit)
    assert ("5 times the 0.001 of fp16 rounding" in scaled.set_by("relative_l2")) == (limit < 2e-2)
    assert Tolerance(0, 0, 2e-2).scaled(1e-6).relative_l2 == 2e-2
    assert Tolerance(0, 0, 9.0, times_fp16=5).scaled(None).relative_l2 == 9.0


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ({"rtol": "row 1", "atol": "row 1"}, "row 1"),
        ({"rtol": "row 1", "atol": "row 2"}, "rtol: row 1, atol: row 2"),
        ({"rtol": "row 1"}, "rtol: row 1, atol: labels"),
        ({}, "labels"),
    ],
)
def test_limits_name_the_rows_that_set_them(rows: dict[str, str], text: str) -> None:
    """One row is named once; a limit without a row names who sets the tolerance, or that a caller does."""
    assert Tolerance(0, 0, 0, where="labels", rows=rows).set_by("rtol", "atol") == text
    assert Tolerance(0, 0, 0).set_by("rtol") == "given by the caller"


def test_a_tolerance_can_be_a_key() -> None:
    """Two that allow the same and differ in their rows are equal to no one, and have one hash."""
    one, other = (Tolerance(0, 0, 0, rows={"rtol": row}) for row in ("row 1", "row 2"))
    assert (one == other, hash(one) == hash(other)) == (False, True)


@pytest.mark.parametrize("same", [np.inf, -np.inf])
def test_an_infinity_on_both_sides_changes_nothing(same: float) -> None:
    """What is measured of the other values is the same as without it, to the last bit."""
    draw = np.random.default_rng(0)
    expected = draw.normal(size=(3, 5)).astype(np.float32)
    actual = (expected + draw.normal(size=expected.shape) * 1e-4).astype(np.float32)
    row = np.full((1, 5), same, np.float32)
    tolerance = Tolerance(1e-5, 1e-4, 1e-3)
    alone = difference("x", expected, actual, tolerance)
    beside = difference("x", np.vstack([expected, row]), np.vstack([actual, row]), tolerance)
    assert 0 < alone.mismatched < alone.total
    assert replace(beside, total=alone.total) == alone
