"""A user's many models are built when they are asked for, and of few a wrong one is said at the start."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models import models as many
from fixtures.user_models.models import AT_START, Models
from fixtures.verdicts import StageError, guilty_hop
from reference_models.model import Own, ReferenceModel
from reference_models.registry import models as registered

WRONG = "model-1"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that were built; one of them cannot be."""
    names: list[str] = []

    def build(rows: Iterable[ReferenceModel], _: ArtifactStore) -> tuple[ReferenceModel, ...]:
        for row in rows:
            names.append(row.name)
            if row.name == WRONG:
                raise StageError("it has no layers")
        return tuple(rows)

    monkeypatch.setattr(many, "with_descriptions", build)
    return names


def rows(count: int) -> list[ReferenceModel]:
    """Return so many models of a user's."""
    like = registered()["digits"]
    return [replace(like, name=f"model-{n}", own=Own((), str(n))) for n in range(count)]


def test_many_are_built_when_they_are_asked_for(built: list[str], tmp_path: Path) -> None:
    """Each once; a wrong one fails whenever it is asked for, by the source's fault, and no other does."""
    chosen = rows(AT_START + 1)
    models = Models({row.name: row for row in chosen}, ArtifactStore(tmp_path))
    assert models.at_start(chosen, all_=False) == tuple(chosen)
    assert built == []
    for _ in range(2):
        assert models["model-3"].name == "model-3"
        with pytest.raises(StageError, match="it has no layers") as caught:
            models[WRONG]
        assert guilty_hop(caught.value) == "source"
    assert built == ["model-3", WRONG]


@pytest.mark.parametrize(("count", "all_"), [(AT_START, False), (AT_START + 1, True)])
def test_few_are_built_at_the_start(count: int, all_: bool, built: list[str], tmp_path: Path) -> None:
    """So that a wrong one ends the run."""
    chosen = rows(count)
    with pytest.raises(StageError, match="it has no layers"):
        Models({row.name: row for row in chosen}, ArtifactStore(tmp_path)).at_start(chosen, all_=all_)
