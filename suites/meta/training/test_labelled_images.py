"""Images with one label each: read from one file, every fault named; batches that follow from numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.training.errors import TrainingError
from fixtures.training.labelled_images import LabelledImages

IMAGES, LABELS = np.random.default_rng(0).random((10, 1, 6, 5), np.float32), np.arange(10)


def test_images_are_read_as_they_are(tmp_path: Path) -> None:
    """Float32 and int64, whatever the file has."""
    np.savez(tmp_path / "a.npz", images=IMAGES.astype(np.float64), labels=LABELS.astype(np.uint8))
    read = LabelledImages.read(tmp_path / "a.npz")
    assert (read.images == IMAGES).all()
    assert (read.images.dtype, read.labels.dtype) == (np.float32, np.int64)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"images": IMAGES}, "has no array labels"),
    "too few labels": ({"images": IMAGES, "labels": LABELS[1:]}, r"labels \(9,\)"),
    "no image": ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"images \(0, 1, 6, 5\)"),
    "half a label": ({"images": IMAGES, "labels": LABELS / 2}, "float64; expected .* whole numbers"),
    "flat images": ({"images": IMAGES[:, 0], "labels": LABELS}, r"images \(10, 6, 5\)"),
    "NaN": ({"images": IMAGES * np.nan, "labels": LABELS}, "NaN or infinite"),
}


@pytest.mark.parametrize(("arrays", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(arrays: dict[str, Any], said: str, tmp_path: Path) -> None:
    """With the file."""
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(TrainingError, match=rf"a\.npz: .*{said}"):
        LabelledImages.read(tmp_path / "a.npz")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    """What it should be stands in the message."""
    (tmp_path / "a.npz").write_bytes(b"images")
    with pytest.raises(TrainingError, match=r"a\.npz is no archive of images and labels"):
        LabelledImages.read(tmp_path / "a.npz")


def test_an_epoch_shows_each_image_once_and_moves_it() -> None:
    """The same numbers give the same batch; a batch is moved as a whole, zeros come in."""
    images = LabelledImages(IMAGES, LABELS)
    batches = [images.batch(5, 1, 0, number, 2) for number in (0, 1, 0)]
    assert sorted(np.concatenate([b.labels for b in batches[:2]]).tolist()) == LABELS.tolist()
    assert (batches[0].images == batches[2].images).all()
    assert batches[0].images.shape == (5, 1, 6, 5)
    still = images.batch(5, 1, 0, 0, 0)
    assert (still.images == IMAGES[still.labels]).all()
    assert any((images.batch(5, 1, e, 0, 2).images == 0).any() for e in range(5))
