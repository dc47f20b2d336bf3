"""Any equation of Einsum is equal when it is written as products, and what cannot be is left."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suites.meta.networks.exact_forms import einsum
from suites.meta.networks.rewrite_models import assert_equal, fixed

SIZES = {"a": 2, "b": 3, "c": 4, "d": 5, "e": 1}
BATCHES = (6, 2)
"""Sizes of the axes of an ellipsis."""


@st.composite
def equations(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """Draw an equation of one to three operands, with diagonals, sums and ellipses, and shapes for it."""
    terms = draw(st.lists(st.text("".join(SIZES), min_size=1, max_size=4), min_size=1, max_size=3))
    dots = draw(st.booleans())
    labels = sorted(set("".join(terms)))
    kept = draw(st.lists(st.sampled_from(labels), unique=True))
    result = f"->{'...' * dots}{''.join(kept)}" if draw(st.booleans()) else ""
    shapes = [BATCHES * dots + tuple(SIZES[label] for label in term) for term in terms]
    return ",".join("..." * dots + term for term in terms) + result, shapes


@settings(max_examples=60, deadline=None, derandomize=True)
@given(equations())
def test_any_equation_is_equal_after(drawn: tuple[str, list[tuple[int, ...]]]) -> None:
    """TensorRT 7.0, which has no Einsum, takes what is written."""
    equation, shapes = drawn
    model = einsum(equation, *shapes)
    done = fixed(model, "trt7.0")
    assert done.good
    assert_equal(model, done.model)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [("...,...->...", [(1, 4), (3, 4)]), ("ijk,lk->ijl", [("h", "w", 4), (5, 4)]), ("ii->i", [("n", "n")])],
)
def test_axes_that_are_stretched_or_merged_at_no_fixed_size_are_left(
    equation: str, shapes: list[tuple[int | str, ...]]
) -> None:
    """The node stays, and is refused."""
    done = fixed(einsum(equation, *shapes), "trt8.4" if "..." in equation else "trt8.0")
    assert "Einsum" in {refusal.operator for refusal in done.remaining}
