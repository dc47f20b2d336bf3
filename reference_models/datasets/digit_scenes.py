"""Detection scenes: one to four real handwritten digits on a plain 96x96 background, with their boxes.

The digits are those of `digits`, and a part of scenes uses the same part of digits, so no digit of a training
scene is seen in calibration or evaluation. Digits are enlarged by repeating pixels and grey levels are
multiples of 1/64: nothing is rounded, so a seed gives the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference_models.datasets import digits
from reference_models.inputs import noise

SIDE = 96
MOST = 4
FACTORS = (2, 3, 4, 5)
"""A digit of 8x8 pixels becomes 16, 24, 32 or 40 pixels wide."""

CALIBRATION, HELD_OUT, SAMPLES = 64, 300, 4
"""Scenes for INT8 ranges, that decide the accuracy, and that are compared one by one."""
SEEDS = {"train": 1, "calibration": 2, "held-out": 3}
TRIES = 50


@dataclass(frozen=True)
class Scenes:
    """Images float32 (N, 3, 96, 96) in 0..1; per image boxes float32 (M, 4) and labels int64 (M,).

    A box is x1, y1, x2, y2 in pixels around the digit's ink, its right and lower edge excluded.
    """

    images: np.ndarray
    boxes: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]


def part(name: str, count: int) -> Scenes:
    """Return the first `count` scenes of a part; more scenes never change those before them.

    Raises KeyError for a name that is not in `digits.PARTS`, ValueError for a count below 1.
    """
    if count < 1:
        raise ValueError(f"{count} scenes of digits asked for: expected 1 or more")
    images, labels = digits.part(name)
    scenes = [
        _scene(images[:, 0], labels, np.random.default_rng((SEEDS[name], index))) for index in range(count)
    ]
    pixels, boxes, classes = zip(*scenes, strict=True)
    colours = np.repeat(np.stack(pixels)[:, None], 3, axis=1)
    return Scenes(colours, boxes, classes)


def dataset() -> dict[str, np.ndarray]:
    """Return calibration scenes, and the held-out ones with every object: see `ReferenceModel`."""
    held_out = part("held-out", HELD_OUT)
    return {
        "calibration": part("calibration", CALIBRATION).images,
        "images": held_out.images,
        "boxes": np.concatenate(held_out.boxes),
        "labels": np.concatenate(held_out.labels),
        "counts": np.array([len(labels) for labels in held_out.labels]),
    }


def samples(name: str) -> list[dict[str, np.ndarray]]:
    """Return the first held-out scenes, one by one, then noise, as the input of that name."""
    scenes = part("held-out", SAMPLES).images
    tensors = [*(scene[None] for scene in scenes), noise((1, 3, SIDE, SIDE), 1.0, seed=7)]
    return [{name: tensor} for tensor in tensors]


def _scene(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one scene (96, 96), its boxes (M, 4) and labels (M,); M is 1 to 4."""
    canvas = np.full((SIDE, SIDE), rng.integers(0, 17) / 64, np.float32)
    taken = np.zeros((SIDE, SIDE), bool)
    boxes, classes = [], []
    for _ in range(rng.integers(1, MOST + 1)):
        chosen = rng.integers(len(images))
        digit = np.kron(images[chosen], np.ones([rng.choice(FACTORS)] * 2, np.float32))
        place = _free_place(taken, len(digit), rng)
        if place is None:
            continue
        taken[place] = True
        canvas[place] = np.maximum(canvas[place], digit)
        boxes.append(_ink(digit) + [place[1].start, place[0].start] * 2)
        classes.append(labels[chosen])
    return canvas, np.array(boxes, np.float32), np.array(classes, np.int64)


def _free_place(taken: np.ndarray, size: int, rng: np.random.Generator) -> tuple[slice, slice] | None:
    """Return rows and columns of a square that meets no other digit, None where no try found one."""
    for _ in range(TRIES):
        top, left = rng.integers(0, SIDE - size + 1, 2).tolist()
        place = slice(top, top + size), slice(left, left + size)
        if not taken[place].any():
            return place
    return None


def _ink(digit: np.ndarray) -> np.ndarray:
    """Return x1, y1, x2, y2 of the pixels that are brighter than every background (1/4)."""
    rows, columns = np.nonzero(digit > 1 / 4)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
