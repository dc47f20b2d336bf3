"""Scenes of digits are the same bytes everywhere, and their boxes are those of the ink."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed; run `tox run -e meta`")

from reference_models.datasets import digit_scenes, digits

DIGESTS = {"train": "1befa9a3ad97f4a2", "calibration": "cbd9b7cea94d95a8", "held-out": "fede672179a1a217"}


def _digest(scenes: digit_scenes.Scenes) -> str:
    parts = [scenes.images, *scenes.boxes, *scenes.labels]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


@pytest.mark.parametrize("name", digits.PARTS)
def test_a_part_is_the_same_bytes_on_every_machine(name: str) -> None:
    """Images, boxes and labels of the first 20 scenes have the digest that is written here."""
    assert _digest(digit_scenes.part(name, 20)) == DIGESTS[name]


def test_more_scenes_leave_the_first_ones_as_they_are() -> None:
    """The first 5 of 9 scenes are those of 5."""
    few, more = digit_scenes.part("train", 5), digit_scenes.part("train", 9)
    np.testing.assert_array_equal(few.images, more.images[:5])


def test_a_box_is_tight_around_ink() -> None:
    """Each edge of each box touches a pixel brighter than any background; no brighter pixel lies outside."""
    scenes = digit_scenes.part("held-out", 50)
    for image, boxes in zip(scenes.images[:, 0], scenes.boxes, strict=True):
        outside = image > 1 / 4
        for x1, y1, x2, y2 in boxes.astype(int):
            ink = image[y1:y2, x1:x2] > 1 / 4
            assert all(edge.any() for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))
            outside[y1:y2, x1:x2] = False
        assert not outside.any()


def _ink(pixels: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    """Return shape and bytes of what is brighter than any background, cropped to it."""
    bright = np.where(pixels > 1 / 4, pixels, 0)
    rows, columns = np.nonzero(bright)
    cropped = bright[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return cropped.shape, cropped.tobytes()


@pytest.mark.parametrize("name", digits.PARTS)
def test_every_digit_of_a_scene_is_one_of_the_same_part(name: str) -> None:
    """What a box holds, made smaller again, is a digit of that part of the data set, with its label."""
    images, classes = digits.part(name)
    known = {(_ink(image), int(label)) for image, label in zip(images[:, 0], classes, strict=True)}
    scenes = digit_scenes.part(name, 30)
    for image, boxes, labels in zip(scenes.images[:, 0], scenes.boxes, scenes.labels, strict=True):
        for (x1, y1, x2, y2), label in zip(boxes.astype(int), labels, strict=True):
            ink = image[y1:y2, x1:x2]
            smaller = [_ink(ink[::factor, ::factor]) for factor in digit_scenes.FACTORS]
            assert any((candidate, int(label)) in known for candidate in smaller)


def test_scenes_hold_one_to_four_digits_of_all_classes() -> None:
    """200 scenes have every number of digits from 1 to 4 and every class; pixels lie in 0..1."""
    scenes = digit_scenes.part("calibration", 200)
    assert {len(labels) for labels in scenes.labels} == {1, 2, 3, 4}
    assert set(np.concatenate(scenes.labels)) == set(range(10))
    assert scenes.images.shape == (200, 3, 96, 96)
    assert scenes.images.dtype == np.float32
    assert scenes.images.min() >= 0
    assert scenes.images.max() <= 1


def test_no_scene_at_all_is_refused() -> None:
    """A count of 0 names the count and what was expected."""
    with pytest.raises(ValueError, match="0 scenes of digits asked for: expected 1 or more"):
        digit_scenes.part("train", 0)
