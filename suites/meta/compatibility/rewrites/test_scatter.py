"""ScatterND at any constant places is equal when it is written as pieces, and what cannot be is left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper

from suites.meta.networks.exact_forms import assigned, box
from suites.meta.networks.rewrite_models import assert_equal, fixed, small

SHAPE = (4, 5, 6)


@st.composite
def assignments(draw: st.DrawFn) -> ModelProto:
    """Draw a box of the first axes, or places one by one, some counted from the back."""
    depth = draw(st.integers(1, 3))
    if draw(st.booleans()):
        ranges = [sorted(draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True)))
                  for n in SHAPE[:depth]]  # fmt: skip
        places = box(*((begin, end) for begin, end in ranges))
    else:
        place = st.tuples(*(st.integers(0, n - 1) for n in SHAPE[:depth]))
        places = np.array(draw(st.lists(place, min_size=1, max_size=9, unique=True)))
    back = draw(st.booleans()) * np.array(SHAPE[:depth])
    return assigned(places - back, [*places.shape[:-1], *SHAPE[depth:]])


@settings(max_examples=50, deadline=None, derandomize=True)
@given(assignments())
def test_any_assignment_is_equal_after(model: ModelProto) -> None:
    """TensorRT 7.0, which has no ScatterND, takes what is written."""
    done = fixed(model, "trt7.0")
    assert done.good
    assert_equal(model, done.model)


@pytest.mark.parametrize(
    ("places", "updates"),
    [
        (np.array([[1], [1]]), (2, 5, 6)),
        (np.zeros((0, 1), np.int64), (0, 5, 6)),
    ],
)
def test_places_given_twice_and_no_places_are_left(places: np.ndarray, updates: tuple[int, ...]) -> None:
    """ONNX defines no result of the one; the other is no assignment."""
    done = fixed(assigned(places, updates), "trt8.0")
    assert [refusal.operator for refusal in done.remaining] == ["ScatterND"]


def test_a_sum_into_places_is_left() -> None:
    """Only an assignment is one of pieces."""
    node = helper.make_node("ScatterND", ["x", "i", "u"], ["y"], name="node", reduction="add")
    model = small([node], {"i": np.array([[1]])}, opset=16, shape=SHAPE, more={"u": (1, 5, 6)})
    assert "ScatterND" in {refusal.operator for refusal in fixed(model, "trt8.0").remaining}
