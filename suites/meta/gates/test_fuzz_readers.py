"""Many damaged files for each reader: every one is refused in a line, or read and sound."""

from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from suites.meta.gates.mutations import BYTES, COUNT, TEXT, Change, in_archive, mutations
from suites.meta.gates.readers import MARK, READERS, Read, Reader, counted

MOST_SOUND = 20
"""Files that are not damaged, which are read besides."""
NEEDS_TORCH = ("models.toml", "digits.npz", "YOLOv5 checkpoint", "state_dict")


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_told_of_in_one_line(name: str, tmp_path: Path) -> None:
    """No traceback, nothing silent, some of each other outcome; no pickle has run what it calls."""
    if name in NEEDS_TORCH and find_spec("torch") is None:
        pytest.skip("torch is not installed; run `tox run -e meta`")
    total, bad = counted(READERS[name], tmp_path, COUNT)
    print(f"{name}: {dict(total)}")
    assert not bad, "\n".join(bad[:20])
    assert COUNT < total.total() == total["clear"] + total["accepted"] <= COUNT + MOST_SOUND
    assert total["clear"] > COUNT / 2, total
    assert total["accepted"] > COUNT / 100, total
    assert not (tmp_path / MARK).exists()


SOUND = (b"one=1\ntwo=2\n", b"three=3\nfour=4\n")


@pytest.mark.parametrize("changes", [BYTES, TEXT], ids=["bytes", "text"])
def test_mutations_are_the_same_in_every_run(changes: Sequence[Change]) -> None:
    """They depend on the seed alone, are nearly all different, and never sound."""
    first, again = (list(mutations(SOUND, changes, 300)) for _ in range(2))
    assert first == again
    assert first != list(mutations(SOUND, changes, 300, seed=1))
    assert not set(SOUND) & set(first)
    assert len(set(first)) > 200


def test_a_damaged_archive_keeps_its_checksums(tmp_path: Path) -> None:
    """The reader behind the archive sees the damage: it is not the archive that is refused."""
    import io
    import zipfile

    sound = io.BytesIO()
    with zipfile.ZipFile(sound, "w") as archive:
        archive.writestr("a", b"something of some length")
    for data in mutations([sound.getvalue()], [in_archive(BYTES)], 50):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None


def raising(error: Exception) -> Read:
    """Make a reader that raises."""

    def read(_: Path) -> None:
        raise error

    return read


def doubtful(_: Path) -> None:
    """Accept what is not sound."""
    raise AssertionError("a broken number")


@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        (raising(KeyError("x")), "traceback"),
        (raising(RecursionError()), "traceback"),
        (raising(ValueError("two lines\nof a message")), "traceback"),
        (raising(ValueError("raw bytes \x00\x1b[31m of a file")), "traceback"),
        (raising(ValueError("x" * 5000)), "traceback"),
        (raising(ValueError("short")), "traceback"),
        (doubtful, "silent"),
        (raising(ValueError("net.cfg:3: what was expected. Do this")), "clear"),
        (lambda _: None, "accepted"),
    ],
)
def test_every_outcome_is_called_by_its_name(read: Read, outcome: str, tmp_path: Path) -> None:
    """A planted reader of each kind is told apart."""
    reader = Reader("planted", "file", BYTES, lambda _: (SOUND, read))
    total, bad = counted(reader, tmp_path, 20)
    assert total == Counter({outcome: 22})
    assert bool(bad) == (outcome in ("traceback", "silent"))
