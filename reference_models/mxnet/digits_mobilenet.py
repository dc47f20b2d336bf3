"""The row 'digits-mobilenet': the network of gender-age with ten classes, trained on digits.

MobileNet at a quarter of its width, as 'gender-age' has it, but every gamma counts (fix_gamma=False), so that
it can be slimmed. Trained by ``python -m fixtures train recipe digits-mobilenet``; see PROVENANCE.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reference_models.datasets import digits
from reference_models.model import ReferenceModel, Source, Tensors
from reference_models.mxnet import process

NAME = "digits-mobilenet"
FOLDER = Path(__file__).parent
FILES = ("digits-mobilenet-symbol.json", "digits-mobilenet-0000.params")
"""Beside this file: written out, so that they count among what the model is made by."""
SIDE, SAMPLES = 32, 8


def prepared(images: np.ndarray) -> np.ndarray:
    """Make of digits (N, 1, 8, 8), 0..1, what the network takes: (N, 3, 32, 32), 0..255."""
    return np.repeat(digits.enlarged(images) * np.float32(255), 3, axis=1)


def part(name: str) -> digits.Labelled:
    """Return images and labels of a part of `digits.PARTS`."""
    images, labels = digits.part(name)
    return prepared(images), labels


def build(_folder: Path) -> Source:
    """Name the committed files."""
    return process.source(FOLDER, NAME, "trained")


def samples() -> list[Tensors]:
    """Return the first held-out digits, one by one."""
    images, _ = part("held-out")
    return [{"data": image[None]} for image in images[:SAMPLES]]


def dataset() -> dict[str, np.ndarray]:
    """Return the calibration images, and the held-out images and labels that decide the accuracy."""
    images, labels = part("held-out")
    return {"calibration": part("calibration")[0], "images": images, "labels": labels}


MODEL = ReferenceModel(
    name=NAME,
    framework="mxnet",
    inputs={"data": (1, 3, SIDE, SIDE)},
    outputs=("fc1_output",),
    build=build,
    samples=samples,
    converters=("mxnet",),
    origin=lambda: "trained",
    metric="top1",
    dataset=dataset,
    tier="zoo",
)
MODELS = (MODEL,)
