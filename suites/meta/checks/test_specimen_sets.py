"""Sets of specimens come from the store as they were made, and are made again where they may be others."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from fixtures.checks import specimen_sets
from fixtures.checks.specimen_sets import specimens_of, stored_specimens
from fixtures.compatibility.specimens import Specimen, strategies
from fixtures.store.artifacts import ArtifactStore


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sets that are made, of few drawn specimens, and not found."""
    names: list[str] = []

    def made(name: str) -> Sequence[Specimen]:
        names.append(name)
        return specimens_of(name)

    monkeypatch.setattr(specimen_sets, "specimens_of", made)
    monkeypatch.setattr(strategies, "drawn", partial(strategies.drawn, count=30))
    return names


@pytest.mark.parametrize("name", ["enumerated", "drawn"])
def test_the_next_run_has_the_same_specimens(name: str, asked: list[str], tmp_path: Path) -> None:
    """Each byte for byte, in the order in which they are made; nothing is made twice."""
    first, second = (stored_specimens(ArtifactStore(tmp_path), name) for _ in range(2))
    assert asked == [name]
    for found in (first, second):
        assert [(s.name, s.opset, s.data, s.profiles) for s in found] == [
            (s.name, s.opset, s.data, s.profiles) for s in specimens_of(name)
        ]
    assert len({specimen.data for specimen in second}) == len(second) > 10


@pytest.mark.parametrize("changed", ["versions", "code_of"])
def test_another_release_or_other_code_makes_its_own(
    changed: str, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each release of hypothesis draws what it likes."""
    stored_specimens(ArtifactStore(tmp_path), "drawn")
    told = getattr(specimen_sets, changed)
    monkeypatch.setattr(specimen_sets, changed, lambda *words: str(told(*words)) + " changed")
    stored_specimens(ArtifactStore(tmp_path), "drawn")
    assert asked == ["drawn", "drawn"]
