"""Samples of a user's model: seeded noise, stored arrays, or a folder of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reference_models import finite, inputs
from reference_models.model import Tensors
from reference_models.readers import arrays_of, reason
from reference_models.user.drawing import Span, drawn
from reference_models.user.factory import OwnModelError
from reference_models.user.given_inputs import Profile
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
    values of 0..255. key: what gave the source, for messages. dtypes: of inputs that are not float32. spans:
    of the values that are drawn. profiles: of inputs whose sizes are free.
    """

    shapes: Mapping[str, Shape]
    source: Path | None = None
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1 / 255,)
    key: str = "samples"
    dtypes: Mapping[str, str] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Modules that they are made with."""
        return ("PIL",) if self.source and not self.source.suffix else ()

    def __call__(self) -> Sequence[Tensors]:
        """Return at most `MOST` samples, each name -> array of batch 1. Raises OwnModelError."""
        if self.source is None:
            return [self._drawn(self.shapes, n) for n in range(NOISE)]
        if not self.source.exists():
            raise OwnModelError(
                f"{self.key}: there is no {self.source}; give an .npz, an .npy or a folder of images"
            )
        if self.source.is_dir():
            return self._images(self.source)
        return self._arrays(self.source)

    def at_sizes(self) -> Sequence[Tensors]:
        """Return a drawn sample of each size of the profiles: smallest, usual, largest, and a mixed one."""
        shapes = [{name: self._at(name, size) for name in self.shapes} for size in range(3)]
        shapes.append({name: self._mixed(name) for name in self.shapes})
        return [self._drawn(each, n) for n, each in enumerate(shapes) if each not in shapes[:n]]

    def _at(self, name: str, size: int) -> Shape:
        return self.profiles[name][size] if name in self.profiles else self.shapes[name]

    def _mixed(self, name: str) -> Shape:
        """Return a shape whose last free axis is the largest, and every other one the smallest."""
        low, high = self._at(name, 0), self._at(name, 2)
        free = [axis for axis, size in enumerate(low) if size != high[axis]]
        return tuple(high[axis] if axis in free[-1:] else size for axis, size in enumerate(low))

    def _drawn(self, shapes: Mapping[str, Shape], number: int) -> Tensors:
        return {
            name: drawn(shape, self.dtype(name), self.spans.get(name), seed=7 + number)
            for name, shape in shapes.items()
        }

    def dtype(self, name: str) -> str:
        """Return the dtype of an input."""
        return self.dtypes.get(name, "float32")

    def _arrays(self, path: Path) -> list[Tensors]:
        arrays = self.checked(arrays_in(path, self.key), path, self.key)
        counts = [len(array) for name, array in arrays.items() if not self._is_whole(name, array)]
        return [
            {name: a if self._is_whole(name, a) else self._one(name, a, n) for name, a in arrays.items()}
            for n in range(min([MOST, *counts]) if counts else 1)
        ]

    def _is_whole(self, name: str, array: np.ndarray) -> bool:
        """Say whether an array is the input itself and not samples of it: it then serves every sample."""
        shape = self.shapes[name]
        return shape[:1] != (1,) and array.shape == shape

    def _one(self, name: str, array: np.ndarray, number: int) -> np.ndarray:
        """Return a sample out of (N, ...): the batch of 1 of an input is its first axis."""
        one = array[number : number + 1]
        return one if array.ndim == len(self.shapes[name]) else np.asarray(one[0])

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
            single = shape[1:] if shape[:1] == (1,) else shape
            fits = array.shape[1:] == single or self._is_whole(name, array) or array.shape[1:] == shape
            if array.dtype != self.dtype(name) or not fits or not array.size:
                raise OwnModelError(
                    f"{key}: {name} in {path} is {array.dtype} {array.shape}, expected {self.dtype(name)} "
                    f"({', '.join(map(str, ('N', *single)))})"
                )
            if array.dtype.kind == "f" and (fault := finite.fault(array)):
                raise OwnModelError(f"{key}: {name} in {path}: {fault}; give finite values")
        if len({len(arrays[n]) for n in self.shapes if not self._is_whole(n, arrays[n])}) > 1:
            raise OwnModelError(f"{key}: the arrays in {path} differ in length")
        return {name: arrays[name] for name in self.shapes}

    def _images(self, folder: Path) -> list[Tensors]:
        files = sorted(f for f in folder.iterdir() if f.suffix.lower() in IMAGES)[:MOST]
        if not files:
            raise OwnModelError(f"{self.key}: {folder} holds no image ({', '.join(IMAGES)})")
        if len(self.shapes) != 1 or [len(s) == 4 and s[1] == 3 for s in self.shapes.values()] != [True]:
            raise OwnModelError(
                f"{self.key}: images go into one input of 1x3xHEIGHTxWIDTH; give {folder} as an .npz instead"
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
