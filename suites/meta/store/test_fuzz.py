"""Many damaged entries and manifests: each is found whole or made again, and none ends a run."""

from collections import Counter
from pathlib import Path

import pytest

from fixtures.pipeline.source_networks import source_of
from fixtures.store.artifacts import ArtifactStore
from suites.meta.gates.mutations import BYTES, COUNT, TEXT, mutations
from suites.meta.pipeline.test_source_networks import OUTSIDE, manifest, model
from suites.meta.store.test_artifacts import KEY, OTHER, entry_of, put

SAID = 300
"""No more of a file than that is ever said, and nothing that a terminal obeys."""


def notice_of(store: ArtifactStore) -> str:
    """Return the one line that was said, if any."""
    assert len(store.notices) < 2
    text = "".join(store.notices).replace(str(store.root), "")
    assert text.isprintable()
    assert len(text) < SAID
    return text


@pytest.mark.slow
def test_a_damaged_entry_is_never_served(tmp_path: Path) -> None:
    """What is read is what was stored, or nothing with one line; spaces may be added to JSON."""
    for key, text in ((KEY, "this"), (OTHER, "that")):
        put(ArtifactStore(tmp_path), key, text)
    whole, place = put(ArtifactStore(tmp_path), KEY, "this"), entry_of(tmp_path, KEY)
    total: Counter[str] = Counter()
    for data in mutations([place.read_bytes(), entry_of(tmp_path, OTHER).read_bytes()], BYTES + TEXT, COUNT):
        place.write_bytes(data)
        store = ArtifactStore(tmp_path)
        found = store.get("onnx", KEY)
        assert found in (None, whole)
        assert bool(notice_of(store)) is (found is None)
        total["made again" if found is None else "served"] += 1
    assert total["made again"] > 0.9 * COUNT
    assert put(ArtifactStore(tmp_path), KEY, "again").about["said"] == "again"


@pytest.mark.slow
def test_a_damaged_manifest_heals(tmp_path: Path) -> None:
    """The source network is found or built anew, and is the same."""
    (tmp_path / OUTSIDE).write_text("weights")
    root, row = tmp_path / "artifacts", model(tmp_path / OUTSIDE)
    whole, place = source_of(row, ArtifactStore(root)), manifest(root)
    for data in mutations([place.read_bytes()], BYTES + TEXT, COUNT):
        place.write_bytes(data)
        store = ArtifactStore(root)
        assert source_of(row, store) == whole
        notice_of(store)
    assert len((tmp_path / "built").read_text()) > 0.9 * COUNT
