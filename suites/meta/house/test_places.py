"""What a run shares among its processes is made once, and again where the first that made it failed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from suites.meta.places import made_once


def make(folder: Path) -> None:
    """Leave a file of a new name each time."""
    (folder / folder.name).touch()


def ask(name: str) -> list[str]:
    """Return what the shared folder of a name holds."""
    return [file.name for file in made_once(name, make).iterdir()]


def test_several_at_once_make_it_once() -> None:
    """Each finds the one file that one of them has made."""
    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(ask, ["made-by-several"] * 3)
    assert len(first) == 1
    assert others == [first, first]


def test_what_failed_is_made_again() -> None:
    """Half of something is never taken for the whole."""

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        made_once("failed", fail)
    assert "half" not in ask("failed")
