"""Inputs on a command line: ``[NAME:]SIZExSIZE...[:DTYPE][:LOW..HIGH]``, a size ``N`` or ``MIN-MAX``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reference_models.user.factory import OwnModelError
from reference_models.user.shapes import Shape

Profile = tuple[Shape, Shape, Shape]
"""The smallest, the usual and the largest shape of an input whose sizes are free."""
DTYPES = ("float32", "float16", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
          "uint64", "bool")  # fmt: skip
"""What an input can be drawn in."""
FORM = "[NAME:]SIZExSIZEx...[:DTYPE][:LOW..HIGH]"
MOST_VALUES = 1 << 27
"""Values of an input; none of a real network has more."""
SIZE = r"[1-9]\d{0,8}(?:-[1-9]\d{0,8}){0,2}"
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
PATTERN = re.compile(
    rf"(?:(?P<name>.+):)?(?P<sizes>{SIZE}(?:x{SIZE})*|scalar)(?::(?P<dtype>[a-z]+\d*))?"
    rf"(?::(?P<low>{NUMBER})\.\.(?P<high>{NUMBER}))?"
)


@dataclass(frozen=True)
class GivenInput:
    """One ``--input``. shape: the usual one. profile: where a size is a range. span: of the values drawn.

    text: as it was given. name, dtype: empty where they were left out.
    """

    text: str
    name: str
    shape: Shape
    profile: Profile | None = None
    dtype: str = ""
    span: tuple[float, float] | None = None


def read_input(text: str) -> GivenInput:
    """Read one ``--input``. Raises OwnModelError naming it and what was expected."""
    match = PATTERN.fullmatch(text)
    if match is None:
        raise OwnModelError(
            f"--input {text!r} is not {FORM}, such as image:1x3x224x224 or ids:1x16:int64:0..99"
        )
    if match["dtype"] and match["dtype"] not in DTYPES:
        raise OwnModelError(f"--input {text!r}: {match['dtype']!r} is none of {', '.join(DTYPES)}")
    words = [] if match["sizes"] == "scalar" else match["sizes"].split("x")
    sizes = [_size(text, word) for word in words]
    profile: Profile = tuple(tuple(size[n] for size in sizes) for n in range(3))  # type: ignore[assignment]
    count = 1
    for size in profile[2]:
        count *= size
    if count > MOST_VALUES:
        raise OwnModelError(f"--input {text!r} has more values than {MOST_VALUES}; give smaller sizes")
    span = (float(match["low"]), float(match["high"])) if match["low"] else None
    if span and span[0] > span[1]:
        raise OwnModelError(f"--input {text!r}: its values go from {match['low']} down to {match['high']}")
    free = profile if profile[0] != profile[2] else None
    return GivenInput(text, match["name"] or "", profile[1], free, match["dtype"] or "", span)


def by_name(texts: Iterable[str], names: Sequence[str]) -> dict[str, GivenInput]:
    """Return what was given for each of a network's inputs; a single input may have been left unnamed.

    What is about no input of the network is left out. Raises OwnModelError for an input given twice, and for
    one without a name where there are several.
    """
    found: dict[str, GivenInput] = {}
    for given in map(read_input, texts):
        if not given.name and len(names) != 1:
            raise OwnModelError(
                f"--input {given.text} has no name, and there are the inputs {', '.join(names)}; write "
                f"{names[0] if names else 'NAME'}:{given.text}"
            )
        name = given.name or names[0]
        if name in found:
            raise OwnModelError(f"--input: {name!r} is given twice; give each input once")
        if name in names:
            found[name] = given
    return found


def _size(text: str, word: str) -> tuple[int, int, int]:
    """Return the smallest, the usual and the largest of a size. Raises OwnModelError unless they rise."""
    numbers = [int(number) for number in word.split("-")]
    low, high = numbers[0], numbers[-1]
    usual = numbers[1] if len(numbers) == 3 else high
    if not low <= usual <= high:
        raise OwnModelError(f"--input {text!r}: {word} does not rise from the smallest to the largest size")
    return low, usual, high
