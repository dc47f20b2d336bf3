"""Samples of a user's model: seeded noise, stored arrays, or a folder of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reference_models import finite, inputs
from reference_models.model import Tensors
from reference_models.readers import arrays_of, reason
from reference_models.user.factory import OwnModelError
from reference_models.user.shapes import Shape
from reference_models.wording import listed

MOST, NOISE = 8, 3
"""How many samples are taken of what a user gives; how many of noise are made without."""
IMAGES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


@dataclass(frozen=True)
class Samples:
    """Where samples come from; call it to get them.

    source: an .npz with an array (N, ...) for each input, an .npy for a single one, a folder of images, or
    None for noise in 0..1. An image is letterboxed, RGB, and each value becomes (value - mean) * scale, with
    values of 0..255.
    """

    shapes: Mapping[str, Shape]
    source: Path | None = None
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1 / 255,)

    @property
    def needs(self) -> tuple[str, ...]:
        """Modules that they are made with."""
        return ("PIL",) if self.source and not self.source.suffix else ()

    def __call__(self) -> Sequence[Tensors]:
        """Return at most `MOST` samples, each name -> float32 array of batch 1. Raises OwnModelError."""
        if self.source is None:
            return [
                {name: inputs.noise(shape, 1.0, seed=7 + n) for name, shape in self.shapes.items()}
                for n in range(NOISE)
            ]
        if not self.source.exists():
            raise OwnModelError(
                f"samples: there is no {self.source}; give an .npz, an .npy or a folder of images"
            )
        if self.source.is_dir():
            return self._images(self.source)
        return self._arrays(self.source)

    def _arrays(self, path: Path) -> list[Tensors]:
        arrays = self.checked(arrays_in(path, "samples"), path, "samples")
        count = min(MOST, len(next(iter(arrays.values()))))
        return [{name: arrays[name][n : n + 1] for name in self.shapes} for n in range(count)]

    def checked(
        self, arrays: Mapping[str, np.ndarray], path: Path, key: str, *, others: bool = False
    ) -> dict[str, np.ndarray]:
        """Return the array (N, ...) of each input out of those of a file.

        others: whether the file may hold more. Raise OwnModelError, naming the key, for what does not fit.
        """
        if path.suffix != ".npz" and len(self.shapes) == 1:
            arrays = {next(iter(self.shapes)): arrays[""]}
        if set(self.shapes) - set(arrays) or (set(arrays) - set(self.shapes) and not others):
            raise OwnModelError(
                f"{key}: {path} holds {listed([name or 'an array without a name' for name in arrays])}, "
                f"expected {listed(list(self.shapes))}"
            )
        for name, shape in self.shapes.items():
            array = arrays[name]
            if array.dtype != np.float32 or array.shape[1:] != shape[1:] or not array.size:
                raise OwnModelError(
                    f"{key}: {name} in {path} is {array.dtype} {array.shape}, expected float32 (N, "
                    f"{', '.join(map(str, shape[1:]))})"
                )
            if fault := finite.fault(array):
                raise OwnModelError(f"{key}: {name} in {path}: {fault}; give finite values")
        if len({len(arrays[name]) for name in self.shapes}) > 1:
            raise OwnModelError(f"{key}: the arrays in {path} differ in length")
        return {name: arrays[name] for name in self.shapes}

    def _images(self, folder: Path) -> list[Tensors]:
        files = sorted(f for f in folder.iterdir() if f.suffix.lower() in IMAGES)[:MOST]
        if not files:
            raise OwnModelError(f"samples: {folder} holds no image ({', '.join(IMAGES)})")
        if len(self.shapes) != 1 or [len(s) == 4 and s[1] == 3 for s in self.shapes.values()] != [True]:
            raise OwnModelError(
                f"samples: images go into one input of 1x3xHEIGHTxWIDTH; give {folder} as an .npz instead"
            )
        ((name, (_, _, height, width)),) = self.shapes.items()
        mean, scale = (np.asarray(v, np.float32)[None, :, None, None] for v in (self.mean, self.scale))
        return [
            {name: (inputs.letterbox(file, width, height) * np.float32(255) - mean) * scale} for file in files
        ]


def arrays_in(path: Path, key: str) -> dict[str, np.ndarray]:
    """Return arrays by name; the one of an .npy has an empty name. Raises OwnModelError, naming the key."""
    if not path.exists():
        raise OwnModelError(f"{key}: there is no {path}; give an .npz or an .npy")
    try:
        if path.suffix == ".npz":
            return arrays_of(path)
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except Exception as error:  # of a damaged file NumPy and zipfile raise anything, up to MemoryError
        text = reason(error)
        raise OwnModelError(f"{key}: {path} cannot be read ({text}); give an .npz or .npy") from None
    if not isinstance(array, np.ndarray):
        raise OwnModelError(f"{key}: {path} is an archive; name it .npz")
    return {"": array}
