"""Values drawn for inputs of any dtype, the same on every machine."""

from __future__ import annotations

import numpy as np

from reference_models import inputs
from reference_models.user.shapes import Shape

Span = tuple[float, float]


def drawn(shape: Shape, dtype: str, span: Span | None, seed: int) -> np.ndarray:
    """Return an array of a shape and dtype. span: of its values, both ends included where they are whole.

    Without a span: of floats 0..1, of whole numbers 0 and 1, which any table that is looked up holds.
    """
    if dtype == "float32" and span is None:
        return np.asarray(inputs.noise(shape, 1.0, seed=seed))
    random = np.random.default_rng(seed)
    low, high = span or (0.0, 1.0)
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if dtype.startswith("float"):
        return np.asarray(random.uniform(low, high, shape)).astype(dtype)
    return np.asarray(random.integers(int(low), int(high), shape, endpoint=True)).astype(dtype)
