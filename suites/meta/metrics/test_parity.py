"""The one comparison sees every way in which outputs can differ, and its message names them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fixtures.metrics.parity import StructureError, Tolerance, compare, difference, worst_of

STRICT = Tolerance(rtol=1e-4, atol=1e-5, relative_l2=1e-4, where="tolerances.toml row 1")
EXACT = Tolerance(0.0, 0.0, 0.0)
ARRAYS = hnp.arrays(np.float32, hnp.array_shapes(max_dims=4), elements=st.floats(width=32, allow_nan=False))


def test_the_worst_element_is_named() -> None:
    """The message has the count, the index, both values, and what was allowed where."""
    expected = np.ones((2, 3), np.float32)
    actual = expected.copy()
    actual[1, 2] = 1.5
    found = difference("yolo_16", expected, actual, STRICT)
    assert (found.max_abs, found.max_rel, found.mismatched) == (0.5, 0.5, 1)
    text = str(found)
    for part in ("yolo_16: 1 of 6", "[1, 2]", "1.5, expected 1", "0.5", "tolerances.toml row 1"):
        assert part in text


@given(ARRAYS)
def test_equal_tensors_pass_at_zero_tolerance(array: np.ndarray) -> None:
    """An array equals itself, infinities included."""
    found = difference("x", array, array.copy(), EXACT)
    assert (found.ok, found.mismatched, found.of_allowed) == (True, 0, 0.0)


@given(ARRAYS, st.integers(0, 10**6), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_one_bad_number_never_passes(array: np.ndarray, at: int, bad: float) -> None:
    """NaN or infinity on one side only is counted and fails under any tolerance."""
    array = np.where(np.isfinite(array), array, np.float32(0))
    actual = array.copy()
    actual.flat[at % array.size] = bad
    found = difference("x", array, actual, Tolerance(1e30, 1e30, 1e30))
    assert (found.ok, found.nonfinite) == (False, 1)


def test_nan_on_both_sides_fails_too() -> None:
    """A network that gives NaN is broken even if its copy gives NaN as well."""
    array = np.array([1.0, np.nan], np.float32)
    assert not difference("x", array, array.copy(), STRICT).ok


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


def test_of_several_samples_the_worst_is_kept() -> None:
    """One bad photo among good ones is what is reported."""
    good = [difference("x", BASE["b"], BASE["b"], STRICT)]
    bad = [difference("x", BASE["b"], BASE["b"] + np.float32(1), STRICT)]
    assert worst_of([good, bad, good]) == bad


@pytest.mark.parametrize(("rounding", "limit"), [(1e-3, 5e-3), (1e-2, 2e-2), (0.0, 2e-2), (None, 2e-2)])
def test_a_limit_follows_the_rounding_of_the_network(rounding: float | None, limit: float) -> None:
    """A multiple of what fp16 rounding does stands where it is less than the row's own limit, and says so."""
    scaled = Tolerance(0, 0, 2e-2, times_fp16=5, where="row 1").scaled(rounding)
    assert scaled.relative_l2 == pytest.approx(limit)
    assert ("5 times the 0.001 of fp16 rounding" in scaled.set_by("relative_l2")) == (limit < 2e-2)
    assert Tolerance(0, 0, 2e-2).scaled(1e-6).relative_l2 == 2e-2
