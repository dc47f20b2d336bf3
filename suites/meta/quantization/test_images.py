"""Calibration images from disk: each kind of file gives the same samples, and what does not fit is named."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.quantization.errors import QuantizationError
from fixtures.quantization.images import open_images

SHAPES: dict[str, tuple[int | None, ...]] = {"image": (1, 3, 4, 4)}
IMAGES = np.arange(6 * 48, dtype=np.float32).reshape(6, 3, 4, 4)


def written(folder: Path, kind: str) -> Path:
    """Write the images as one file, as a named array in an archive, or as a folder of files."""
    if kind == "npy":
        np.save(folder / "images.npy", IMAGES)
        return folder / "images.npy"
    if kind == "npz":
        np.savez(folder / "images.npz", image=IMAGES)
        return folder / "images.npz"
    for number, image in enumerate(IMAGES):  # with and without an axis of one
        np.save(folder / f"{number}.npy", image if number % 2 else image[None])
    return folder


@pytest.mark.parametrize("kind", ["npy", "npz", "folder"])
def test_every_kind_gives_the_same_samples(kind: str, tmp_path: Path) -> None:
    """In their order, one a batch, from any sample on."""
    images = open_images(written(tmp_path, kind), SHAPES)
    assert images.count == 6
    np.testing.assert_array_equal(np.concatenate([feed["image"] for feed in images.feeds()]), IMAGES)
    np.testing.assert_array_equal(np.concatenate([feed["image"] for feed in images.feeds(4)]), IMAGES[4:])


def test_samples_have_the_batch_of_the_model(tmp_path: Path) -> None:
    """Six images for a model of batch 3 are two samples; the digest names files and shapes."""
    path = written(tmp_path, "npy")
    threes = open_images(path, {"image": (3, 3, 4, 4)})
    assert [feed["image"].shape for feed in threes.feeds()] == [(3, 3, 4, 4)] * 2
    assert threes.digest != open_images(path, SHAPES).digest
    np.save(path, IMAGES + 1)
    assert open_images(path, SHAPES).digest != open_images(written(tmp_path, "npy"), SHAPES).digest


def broken(folder: Path, what: str) -> Path:
    """Write what cannot be used."""
    path = folder / "images.npy"
    if what == "picture":
        (folder / "a.jpg").write_bytes(b"\xff\xd8")
        return folder
    if what == "empty folder":
        return folder
    if what in ("cut", "no array"):
        np.save(path, IMAGES)
        path.write_bytes(path.read_bytes()[:-7] if what == "cut" else b"no array at all")
        return path
    arrays: dict[str, np.ndarray] = {
        "type": (IMAGES * 1).astype(np.uint8), "shape": IMAGES[:, :, :2], "number": IMAGES[:5],
        "order": np.asfortranarray(IMAGES),
    }  # fmt: skip
    np.save(path, arrays[what])
    return path


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("picture", r"a\.jpg: not one of \.npy, \.npz; save the float32 array .*--calibration"),
        ("empty folder", "has no images; give at least one"),
        ("no array", "no array that numpy can read"),
        ("type", r"uint8 \(6, 3, 4, 4\), expected float32"),
        ("shape", r"float32 \(6, 3, 2, 4\), expected float32 \(\?, 3, 4, 4\)"),
        ("number", "5 images are no multiple of 2, the batch of the model; leave out 1"),
        ("order", "its order is Fortran's"),
        ("cut", "ends in image 5 of 6, is it whole"),
    ],
)
def test_what_cannot_be_used_is_named(what: str, said: str, tmp_path: Path) -> None:
    """One line with the file, before or while it is read."""
    shapes: dict[str, tuple[int | None, ...]] = {"image": (2 if what == "number" else 1, 3, 4, 4)}
    with pytest.raises(QuantizationError, match=said) as caught:
        list(open_images(broken(tmp_path, what), shapes).feeds())
    assert "\n" not in str(caught.value)
