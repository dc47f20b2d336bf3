"""Where parameters come from: a .weights file, or a seeded generator that remembers what was asked for.

`load_weights_upto` of parser.c reads layer by layer, and so does the interpreter, as it goes. The order
within a layer is with the layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

Array = np.ndarray
HEADER = np.array([0, 2, 5, 0, 0], "<i4").tobytes()
"""major 0, minor 2, revision 5, and eight bytes of images seen, as AlexeyAB's Darknet writes."""


class Weights(Protocol):
    """A source of parameters, in file order."""

    transposed: bool

    def take(self, role: str, *shape: int) -> Array:
        """Return the next parameters. role: bias, scale, mean, variance or weights."""


class Stored:
    """A .weights file. Three integers, then 8 bytes of images seen from version 0.2 on, 4 before."""

    def __init__(self, data: bytes, dtype: np.dtype) -> None:
        major, minor = (int(word) for word in np.frombuffer(data, "<i4", 2))
        self.transposed = major > 1000 or minor > 1000
        self._data = np.frombuffer(data[20 if 10 * major + minor >= 2 else 16 :], "<f4")
        self._at, self._dtype = 0, dtype

    def take(self, role: str, *shape: int) -> Array:
        """Return the next parameters of the file; ValueError when it ends before."""
        count = int(np.prod(shape))
        if self._at + count > self._data.size:
            raise ValueError(f"the weights end before {role} {shape}")
        self._at += count
        return self._data[self._at - count : self._at].reshape(shape).astype(self._dtype)

    @property
    def left(self) -> int:
        """How many numbers were not asked for."""
        return self._data.size - self._at


class Seeded:
    """Random parameters, as sane as trained ones; `data` is the file that would have held them.

    Weights keep the second moment of what they get (He et al., arXiv 1502.01852), variances are spread
    over two powers of ten downwards of 1 so that the epsilon of BatchNorm matters. gain multiplies weights.
    """

    transposed = False

    def __init__(self, seed: int, gain: float = 1.0) -> None:
        self._random, self._gain = np.random.default_rng(seed), gain
        self._parts = [HEADER]

    def take(self, role: str, *shape: int) -> Array:
        """Make the next parameters and remember them."""
        made = self._make(role, shape).astype("<f4")
        self._parts.append(made.tobytes())
        return made.astype(np.float64)

    def _make(self, role: str, shape: tuple[int, ...]) -> Array:
        draw = self._random
        if role == "variance":
            return 10 ** draw.uniform(-2.0, 0.0, shape)
        if role == "scale":
            return draw.uniform(0.1, 0.4, shape)  # times 1/sqrt(variance), about 1
        if role == "mix":
            return draw.uniform(
                -0.5, 1.0, shape
            )  # of a weighted shortcut; relu normalization sees both signs
        spread = self._gain * np.sqrt(2.0 / np.prod(shape[1:])) if role == "weights" else 0.2
        return spread * draw.standard_normal(shape)

    @property
    def data(self) -> bytes:
        """The weights file so far."""
        return b"".join(self._parts)


@dataclass(frozen=True)
class Parameters:
    """What one linear layer holds: weights (filters, ...), bias and BatchNorm (filters,) or none."""

    weights: Array
    bias: Array
    scale: Array | None = None
    mean: Array | None = None
    variance: Array | None = None

    def folded(self, epsilon: float) -> Parameters:
        """Put BatchNorm into weights and bias: `fuse_conv_batchnorm` of network.c."""
        if self.scale is None or self.mean is None or self.variance is None:
            return self
        factor = self.scale / np.sqrt(self.variance + epsilon)
        weights = self.weights * factor.reshape(-1, *[1] * (self.weights.ndim - 1))
        return replace(self, weights=weights, bias=self.bias - self.mean * factor, scale=None)

    def normalized(self, x: Array, epsilon: float) -> Array:
        """BatchNorm and bias over axis 1: `normalize_cpu`, `scale_bias`, `add_bias`."""
        shape = (1, -1, *[1] * (x.ndim - 2))
        if self.scale is not None and self.mean is not None and self.variance is not None:
            x = (x - self.mean.reshape(shape)) / np.sqrt(self.variance.reshape(shape) + epsilon)
            x = x * self.scale.reshape(shape)
        return x + self.bias.reshape(shape)


def stored(path: Path, dtype: np.dtype) -> Stored:
    """Open a weights file."""
    return Stored(path.read_bytes(), dtype)
