"""What follows from texts alone is kept under their digest, and a damaged file is as good as none."""

import sys
from pathlib import Path

import pytest

from fixtures.store import kept as module
from fixtures.store.kept import DIGEST, Kept, beside

CODE = b"def read(text): ..."


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python may write compiled files."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def kept(file: Path, *texts: bytes, code: bytes = CODE) -> object:
    """Ask a new process's worth of it for texts, and let it keep how long they are; return what was kept."""
    values = Kept(file, code)
    found = values.get(*texts)
    values.put([len(text) for text in texts], *texts)
    values.write()
    return found


def test_the_next_process_finds_it(tmp_path: Path) -> None:
    """As it was put."""
    assert [kept(tmp_path / "kept", b"abc", b"d") for _ in range(2)] == [None, [3, 1]]


@pytest.mark.parametrize(
    ("texts", "code"),
    [((b"abc", b"e"), CODE), ((b"ab", b"cd"), CODE), ((b"abc",), CODE), ((b"abc", b"d"), CODE + b"\n")],
    ids=["another text", "cut elsewhere", "fewer", "other code"],
)
def test_other_texts_and_code_find_nothing(texts: tuple[bytes, ...], code: bytes, tmp_path: Path) -> None:
    """What was changed may have another value."""
    kept(tmp_path / "kept", b"abc", b"d")
    assert kept(tmp_path / "kept", *texts, code=code) is None
    assert kept(tmp_path / "kept", b"abc", b"d") == [3, 1]


@pytest.mark.parametrize("place", [0, DIGEST - 1, DIGEST, DIGEST + 40, -1])
def test_a_damaged_file_is_as_good_as_none(place: int, tmp_path: Path) -> None:
    """Wherever a bit has changed; it is written anew."""
    kept(tmp_path / "kept", b"abc")
    data = bytearray((tmp_path / "kept").read_bytes())
    whole = bytes(data)
    data[place] ^= 1
    (tmp_path / "kept").write_bytes(data)
    assert kept(tmp_path / "kept", b"abc") is None
    assert (tmp_path / "kept").read_bytes() == whole


@pytest.mark.parametrize("cut", [0, 1, DIGEST, DIGEST + 9])
def test_a_file_cut_short_is_as_good_as_none(cut: int, tmp_path: Path) -> None:
    """At any byte."""
    kept(tmp_path / "kept", b"abc")
    (tmp_path / "kept").write_bytes((tmp_path / "kept").read_bytes()[:cut])
    assert kept(tmp_path / "kept", b"abc") is None


def test_nothing_is_written_where_python_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PYTHONDONTWRITEBYTECODE, in a folder that is read-only or none, or without a place."""
    (tmp_path / "file").write_text("")
    assert kept(tmp_path / "file" / "kept", b"abc") is None
    Kept(None, CODE).write()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    kept(tmp_path / "kept", b"abc")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_old_texts_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit a day does not make the file grow for ever."""
    monkeypatch.setattr(module, "MOST", 2)
    for number in range(4):
        kept(tmp_path / "kept", b"%d" % number)
    assert len(Kept(tmp_path / "kept", CODE)) <= 2


def test_it_lies_beside_what_python_compiles() -> None:
    """Where no checkout keeps it, and no closure reads it."""
    file = beside(module.__file__)
    assert file is not None
    assert (file.parent.name, file.suffix) == ("__pycache__", ".kept") or sys.pycache_prefix
