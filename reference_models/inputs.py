"""Input tensors: real photos, letterboxed, and seeded noise.

Inputs stay inside the range that a network was made for: random values outside it drive
activations where no photo does and make errors look larger or smaller than they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from reference_models import fetch

INSTALLED = ("astronaut", "china", "rocket")
"""Photos that scikit-image and scikit-learn carry; there on every machine that converts."""
FETCHED = ("bus", "zidane")
"""Photos with objects of COCO classes, from the archive that carries the official yolov4-tiny."""


def photos(width: int, height: int, *, maximum: float, names: Sequence[str] = INSTALLED) -> list[np.ndarray]:
    """Return photos as float32 NCHW (1, 3, height, width), RGB, values 0..maximum.

    Raises KeyError for an unknown name, `fetch.FetchError` for a fetched photo that cannot be had.
    """
    return [letterbox(photo_path(name), width, height) * np.float32(maximum) for name in names]


def photo_path(name: str) -> Path:
    """Say where a photo lies on this machine, fetching it when it has to be."""
    if name in FETCHED:
        return fetch.fetch(f"{name}.jpg")
    if name == "china":
        # not by its import, which takes 1.4 s of CPU time
        if (spec := find_spec("sklearn")) and spec.origin:
            return Path(spec.origin).parent / "datasets" / "images" / "china.jpg"
        raise ModuleNotFoundError("scikit-learn is not installed, which carries the photo", name="sklearn")
    if name not in INSTALLED:
        raise KeyError(f"no photo named {name!r}; there are {', '.join(INSTALLED + FETCHED)}")
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    return next(folder / file for file in (f"{name}.png", f"{name}.jpg") if (folder / file).exists())


def letterbox(path: Path, width: int, height: int) -> np.ndarray:
    """Scale an image to fit, keep its aspect, centre it on grey: (1, 3, height, width), 0..1."""
    from PIL import Image

    with Image.open(path) as opened:
        image = opened.convert("RGB")
    size, offset = placed(image.width, image.height, width, height)
    canvas = Image.new("RGB", (width, height), (128, 128, 128))
    canvas.paste(image.resize(size, Image.Resampling.BILINEAR), offset)
    pixels = np.asarray(canvas, np.float32).transpose(2, 0, 1)[None]
    return np.ascontiguousarray(pixels) / np.float32(255)


def placed(
    image_width: int, image_height: int, width: int, height: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return width and height of a letterboxed image, and the place of its upper left corner, in pixels."""
    scale = min(width / image_width, height / image_height)
    size = (max(1, round(image_width * scale)), max(1, round(image_height * scale)))
    return size, ((width - size[0]) // 2, (height - size[1]) // 2)


def noise(shape: Sequence[int], maximum: float, seed: int) -> np.ndarray:
    """Uniform float32 noise in [0, maximum), the same for the same seed everywhere."""
    values = np.random.default_rng(seed).random(tuple(shape), np.float32)
    return values * np.float32(maximum)
