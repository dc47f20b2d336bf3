"""What any reader raises, as one line: which file, what is wrong, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from reference_models.wording import printable, shortened

LONGEST = 200
"""Characters of a reader's own words that are shown."""


@contextmanager
def told_as(expected: str, path: Path, remedy: str, error: type[ValueError] = ValueError) -> Iterator[None]:
    """Raise whatever a reader raises as one error of one line; OSError as it is.

    A damaged file makes readers raise anything: KeyError, zlib.error, MemoryError, RecursionError. expected:
    what the file should be.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as cause:  # made by anybody, a file raises anything
        raise error(f"{path} is no {expected} ({reason(cause)}). {remedy}") from None


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz by name, nothing pickled. Raises whatever NumPy raises, see `told_as`."""
    # np.load leaves a file open that it opened itself and cannot read
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it is no archive of arrays")
        arrays = {name: archive[name] for name in archive.files}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name} is no array")
    return arrays


def reason(error: BaseException) -> str:
    """Return the words of an error as one printable line of at most `LONGEST` characters."""
    text = shortened(printable(str(error)), LONGEST).rstrip(". ")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
