"""What source texts name is kept from one process to the next."""

import sys
from pathlib import Path

import pytest

from fixtures.store import kept_references
from fixtures.store import references as reader
from fixtures.store.kept_references import KeptReferences
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
