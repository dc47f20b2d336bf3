"""Specimens are valid ONNX models, always the same ones, and of every form that their families name."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings

from fixtures.compatibility import inspect, refusals, releases
from fixtures.compatibility.specimens import FAMILIES, OPSETS, Family, Specimen, check, enumerated
from fixtures.compatibility.specimens.sketch import Sketch
from fixtures.compatibility.specimens.strategies import drawn, specimens


def test_there_are_enough_of_them() -> None:
    """At least 300, each of another name and other bytes, at every opset from 9 to 21, of every family."""
    found = enumerated()
    assert len(found) >= 300
    assert len({one.name for one in found}) == len({one.data for one in found}) == len(found)
    assert {one.opset for one in found} == set(OPSETS)
    families = {one.name.split("(")[0].split("-opset")[0] for one in found}
    assert families == {family.name for family in FAMILIES}


def test_they_are_neither_all_taken_nor_mostly_refused() -> None:
    """TensorRT-RTX 1.7 takes most and refuses a tenth at least, so that both errors can be seen."""
    said = Counter(bool(refusals(one.model, "tensorrt-rtx", "1.7", gpu=False)) for one in enumerated())
    assert 0.1 < said[True] / said.total() < 0.5


def test_they_are_made_alike_again() -> None:
    """A second enumeration gives the same bytes."""
    again = {one.name: one.data for family in FAMILIES for one in family.enumerate()}
    assert all(again[one.name] == one.data for one in enumerated())


def test_a_draw_is_made_alike_again() -> None:
    """One number draws the same specimens twice, another one others."""
    first, second, other = (drawn.__wrapped__(number, 20) for number in (1, 1, 2))
    assert [one.data for one in first] == [one.data for one in second] != [one.data for one in other]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(specimens())
def test_every_combination_is_valid_and_can_be_asked_about(one: Specimen) -> None:
    """Whatever is drawn passes ONNX's checker, and the tables of every release have an answer to it."""
    check(one.model)
    seen = inspect(one.model)
    for row in releases():
        for refusal in refusals(seen, row.flavour, row.version, gpu=False):
            assert refusal.why


def broken(sketch: Sketch, **_: Any) -> None:
    """Sketch a Relu of two inputs, which ONNX does not have."""
    sketch.end("Relu", sketch.feed("FLOAT", 4), sketch.feed("FLOAT", 4))


def mistyped(sketch: Sketch, **_: Any) -> None:
    """Sketch the square root of truth values, which ONNX does not have either."""
    sketch.end("Sqrt", sketch.feed("BOOL", 4))


@pytest.mark.parametrize("sketch", [broken, mistyped])
def test_what_is_no_valid_model_is_no_specimen(sketch: Any) -> None:
    """A node with a wrong number of inputs, or of a type that its schema does not have, is left out."""
    assert list(Family("Planted", sketch).enumerate()) == []


def test_a_dynamic_axis_has_a_profile() -> None:
    """Least, usual and greatest shape, in order, for the inputs that need them."""
    (one,) = [one for one in enumerated() if one.name.startswith("Dynamic(where=image)")]
    least, usual, greatest = one.profiles["x"]
    assert least <= usual < greatest
    assert len(greatest) == 4
