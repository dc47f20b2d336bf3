"""Handwritten digits: 1,797 real, labelled 8x8 images, split once and for all.

Data: scikit-learn's `load_digits`, the test part of the UCI "Optical Recognition of Handwritten
Digits" (Alpaydin and Kaynak 1998, CC BY 4.0). The split is a rule, not a draw: the k-th image of
its class goes to the part that k modulo 10 names, so every class is split alike on every machine.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

Labelled = tuple[np.ndarray, np.ndarray]

PARTS = {"train": (0, 1, 2, 3, 4, 5), "calibration": (6,), "held-out": (7, 8, 9)}
"""Part -> the remainders of k modulo 10 that belong to it."""


def train() -> Labelled:
    """Return about 60 %, which only training may see: images (N, 1, 8, 8), labels (N,)."""
    return part("train")


def calibration() -> Labelled:
    """Return about 10 % for INT8 ranges, seen neither in training nor when accuracy is judged."""
    return part("calibration")


def held_out() -> Labelled:
    """Return about 30 % (over 500 images) that decide the accuracy and nothing else."""
    return part("held-out")


def part(name: str) -> Labelled:
    """Return one part by name, in the order of the data set.

    Images are float32 (N, 1, 8, 8), 0..1; labels are int64 (N,). Raises KeyError for a name that is
    not in `PARTS`.
    """
    remainders = PARTS[name]
    images, labels = _all()
    chosen = np.isin(_rank_in_class(labels) % 10, remainders)
    scaled = (images[chosen] / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    return scaled, labels[chosen].astype(np.int64)


def enlarged(images: np.ndarray, factor: int = 4) -> np.ndarray:
    """(N, 1, H, W) -> (N, 1, factor*H, factor*W), bilinear, half-pixel centres, the border repeated.

    With a factor that is a power of 2 every product and sum is exact in float32: pixels are sixteenths.
    """
    size = images.shape[-1]
    places = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(size))).astype(np.float32)
    return np.ascontiguousarray(weights @ images @ weights.T)


def _all() -> Labelled:
    """Return all images (N, 64), 0..16, and labels (N,), as scikit-learn's `load_digits` does.

    Read from its file: the import of scikit-learn takes 1.4 s of CPU time, and brings nothing more.
    """
    if (spec := find_spec("sklearn")) and spec.origin:
        file = Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():
            rows = np.loadtxt(file, delimiter=",")
            return rows[:, :-1], rows[:, -1].astype(int)
    from sklearn.datasets import load_digits  # which says that it is missing, or has its data elsewhere

    images, labels = load_digits(return_X_y=True)
    return images, labels


def _rank_in_class(labels: np.ndarray) -> np.ndarray:
    """For each image, how many of its class come before it."""
    same = labels[:, None] == np.unique(labels)
    return np.cumsum(same, axis=0)[same] - 1
