"""Seeded images to measure statistics on: patches of many sizes, coarse ones weigh most."""

from __future__ import annotations

import numpy as np

CELLS = (2, 4, 8, 16, 56, 112)
GREY, CONTRAST = 127.5, 160


def images(random: np.random.RandomState | np.random.Generator, count: int, side: int) -> np.ndarray:
    """Paint (count, 3, side, side), float64, 0..255."""
    total = np.zeros((count, 3, side, side))
    for cells in CELLS:
        patches = random.uniform(-1, 1, (count, 3, cells, cells)) * CONTRAST / np.sqrt(cells)
        at = np.arange(side) * cells // side
        total += patches[:, :, at][:, :, :, at]
    return np.clip(total + GREY, 0, 255)
