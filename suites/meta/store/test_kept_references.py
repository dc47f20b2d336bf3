"""What source texts name is kept under the digest of the text, and a damaged file is as good as none."""

import sys
from pathlib import Path

import pytest

from fixtures.store import kept_references
from fixtures.store import references as reader
from fixtures.store.kept_references import DIGEST, KeptReferences, usual_file
from fixtures.store.references import References, references

SOURCE = b"import a\nfrom b import c\ndef f():\n    import d\n    return 'e.f', f'g.h.{a}', a / 'i.json'\n"


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python may write compiled files."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The texts that are read, and not found."""
    seen: list[bytes] = []

    def read(source: bytes, package: str) -> References:
        seen.append(source)
        return references(source, package)

    monkeypatch.setattr(kept_references, "references", read)
    return seen


def kept(file: Path) -> References:
    """Ask a new process's worth of it for the text, and let it write."""
    named = KeptReferences(file)
    found = named(SOURCE, "p")
    named.write()
    return found


def test_the_next_process_reads_nothing(tmp_path: Path, reads: list[bytes]) -> None:
    """And has the same answer."""
    answers = [kept(tmp_path / "kept") for _ in range(2)]
    assert answers == [references(SOURCE, "p")] * 2
    assert reads == [SOURCE]


def test_another_text_or_package_is_read(tmp_path: Path, reads: list[bytes]) -> None:
    """Relative imports mean something else in another package."""
    kept(tmp_path / "kept")
    named = KeptReferences(tmp_path / "kept")
    assert named(b"from . import a", "p") != named(b"from . import a", "q")
    assert named(SOURCE + b"import z", "p") != named(SOURCE, "p")
    assert len(reads) == 4


def test_other_code_finds_nothing(
    tmp_path: Path, reads: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that was changed may find something else in the same text."""
    kept(tmp_path / "kept")
    (tmp_path / "reader.py").write_text("changed")
    monkeypatch.setattr(reader, "__file__", str(tmp_path / "reader.py"))
    kept(tmp_path / "kept")
    assert len(reads) == 2


@pytest.mark.parametrize("place", [0, DIGEST - 1, DIGEST, DIGEST + 40, -1])
def test_a_damaged_file_is_as_good_as_none(place: int, tmp_path: Path, reads: list[bytes]) -> None:
    """Wherever a bit has changed; it is written anew."""
    kept(tmp_path / "kept")
    data = bytearray((tmp_path / "kept").read_bytes())
    whole = bytes(data)
    data[place] ^= 1
    (tmp_path / "kept").write_bytes(data)
    assert kept(tmp_path / "kept") == references(SOURCE, "p")
    assert len(reads) == 2
    assert len((tmp_path / "kept").read_bytes()) == len(whole)


@pytest.mark.parametrize("cut", [0, 1, DIGEST, DIGEST + 9])
def test_a_file_cut_short_is_as_good_as_none(cut: int, tmp_path: Path, reads: list[bytes]) -> None:
    """At any byte."""
    kept(tmp_path / "kept")
    (tmp_path / "kept").write_bytes((tmp_path / "kept").read_bytes()[:cut])
    kept(tmp_path / "kept")
    assert len(reads) == 2


def test_nothing_is_written_where_python_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PYTHONDONTWRITEBYTECODE, in a folder that is read-only or none, or without a place."""
    (tmp_path / "file").write_text("")
    assert kept(tmp_path / "file" / "kept") == references(SOURCE, "p")
    KeptReferences(None).write()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    kept(tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_old_texts_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit a day does not make the file grow for ever."""
    monkeypatch.setattr(kept_references, "MOST", 2)
    for number in range(4):
        named = KeptReferences(tmp_path / "kept")
        named(b"import a%d" % number, "p")
        named.write()
    sizes = KeptReferences(tmp_path / "kept")
    assert len(sizes._kept) <= 2


def test_it_lies_beside_what_python_compiles() -> None:
    """Where no checkout keeps it, and no closure reads it."""
    file = usual_file()
    assert file is not None
    assert (file.parent.name, file.suffix) == ("__pycache__", ".kept") or sys.pycache_prefix
