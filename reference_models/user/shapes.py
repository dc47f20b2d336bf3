"""Inputs on a command line: ``[NAME:]1x3x224x224``."""

from __future__ import annotations

import re
from collections.abc import Sequence

Shape = tuple[int, ...]
DEFAULT = "input"
"""What the only input is called when it was not given a name."""


def read_shape(text: str) -> tuple[str, Shape]:
    """Name, empty where there is none, and shape. Raises ValueError."""
    name, _, sizes = text.rpartition(":")
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", sizes):
        raise ValueError(f"{text!r} is not [NAME:]SIZExSIZEx..., such as 1x3x224x224")
    return name, tuple(int(size) for size in sizes.split("x"))


def named(inputs: Sequence[tuple[str, Shape]]) -> dict[str, Shape]:
    """Return each input a name: a single one may lack it. Raises ValueError for several, and for doubles."""
    if len(inputs) == 1:
        return {inputs[0][0] or DEFAULT: inputs[0][1]}
    names = [name for name, _ in inputs]
    if "" in names or len(set(names)) < len(names):
        raise ValueError("--input: several inputs need a name each, all different, such as mask:1x1x8x8")
    return dict(inputs)
