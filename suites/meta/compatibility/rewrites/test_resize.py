"""Resize is written in another form exactly where both have the same weights."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto

from fixtures.compatibility.rewrites.interpolation import Axis, indices, matrix
from suites.meta.networks.rewrite_models import assert_equal, fixed, resize

NEAREST = ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners", "half_pixel_symmetric"]
ROUNDINGS = ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]
LINEAR = ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"]


def names(model: ModelProto, version: str) -> list[str]:
    """The rewrites of Resize that a version needs for a model."""
    return [change.rewrite for change in fixed(model, version).changes if change.operator == "Resize"]


@st.composite
def resizes(draw: st.DrawFn) -> ModelProto:
    """Draw a Resize of any mode, by scales that are eighths or by sizes, of an 8 x 8 picture."""
    mode = draw(st.sampled_from(["nearest", "linear", "cubic"]))
    options: dict[str, Any] = {"mode": mode, "opset": draw(st.sampled_from([11, 13, 19]))}
    how = draw(st.sampled_from(NEAREST if mode == "nearest" else LINEAR))
    options["coordinate_transformation_mode"] = how
    if how == "half_pixel_symmetric":
        options["opset"] = 19
    if mode == "nearest":
        options["nearest_mode"] = draw(st.sampled_from(ROUNDINGS))
    if draw(st.booleans()):
        return resize([1, 1, *(draw(st.integers(2, 24)) / 8 for _ in "hw")], **options)
    return resize(sizes=[1, 4, *(draw(st.integers(1, 24)) for _ in "hw")], **options)


@settings(max_examples=60, deadline=None)
@given(resizes(), st.sampled_from(["trt7.0", "trt7.2", "trt8.4", "rtx1.7"]))
def test_any_resize_is_equal_after(model: ModelProto, version: str) -> None:
    """Whatever the mode, mapping, rounding and sizes, nothing stays refused and the outputs are the same."""
    done = fixed(model, version)
    assert done.remaining == ()
    assert_equal(model, done.model)


@pytest.mark.parametrize(
    ("scale", "cheap"),
    [
        (2.0, True),
        (3.0, True),
        (4.0, True),
        (1.5, True),
        (0.5, True),
        (1.75, False),
        (1.25, False),
        (0.75, False),
    ],
)
def test_half_pixel_is_asymmetric_only_at_some_scales(scale: float, cheap: bool) -> None:
    """The form with another mapping is taken where the index maps agree, and Gather where they do not."""
    model = resize([1, 1, scale, scale])
    form = "nearest asymmetric floor by scales" if cheap else "resize by Gather"
    assert names(model, "trt7.0") == [form]


def test_the_cheap_form_would_be_wrong_elsewhere() -> None:
    """At scale 1.75 the two forms do differ: the outputs tell, and so do the index maps."""
    wrong = resize([1, 1, 1.75, 1.75], coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_equal(resize([1, 1, 1.75, 1.75]), wrong)
    mine = Axis(8, 14, 1.75, "nearest", "half_pixel", "round_prefer_floor")
    other = mine.as_form("asymmetric", "floor", 1.75)
    first, second = indices(mine), indices(other)
    assert first is not None
    assert second is not None
    assert np.flatnonzero(first != second).size > 0


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("length", [1, 5, 8, 19])
def test_weights_of_each_output_sum_to_one(mode: str, length: int) -> None:
    """A constant picture stays constant."""
    found = matrix(Axis(8, length, length / 8, mode, "half_pixel"))
    assert found is not None
    assert found.shape == (length, 8)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_a_size_that_is_not_fixed_is_left_alone() -> None:
    """Without sizes nothing can be compared: the Resize stays, and stays refused."""
    done = fixed(resize([1, 1, 2, 2], opset=11, shape=(1, 4, "h", 8)), "trt7.0")
    assert done.changes == ()
    assert [refusal.operator for refusal in done.remaining] == ["Resize"]


def test_a_batch_that_is_not_fixed_does_not_matter() -> None:
    """An axis that keeps its size need not have a fixed one."""
    model = resize([1, 1, 2, 2], opset=11, shape=("n", 4, 8, 8))
    done = fixed(model, "trt7.0")
    assert done.remaining == ()
    assert_equal(model, done.model)


def test_crop_and_resize_is_left_alone() -> None:
    """What reads a region has no rewrite here."""
    model = resize([1, 1, 2, 2], coordinate_transformation_mode="tf_crop_and_resize")
    assert [refusal.operator for refusal in fixed(model, "rtx1.7").remaining] == ["Resize"]
