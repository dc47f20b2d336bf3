"""Source networks are built once, found again while they hold, and built anew otherwise."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.pipeline.source_networks import UNUSED_SECONDS, source_of
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.model import ReferenceModel, Source
from suites.meta.gates.child_runs import edit

OUTSIDE = "outside.weights"


def model(outside: Path, digest: str = "d" * 64) -> ReferenceModel:
    """Return a Darknet row with a file in its folder and one elsewhere; how often it is built shows in it."""

    def build(folder: Path) -> Source:
        (folder / "net.cfg").write_text("[net]")
        with (outside.parent / "built").open("a") as log:
            log.write("x")
        return Source(digest, "seeded", {"cfg": folder / "net.cfg", "weights": outside}, note="of a test")

    return replace(registry.models()["yolov3-tiny"], name="net", build=build, origin=lambda: "seeded")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the network that lies outside the store."""
    (tmp_path / OUTSIDE).write_text("weights")
    return tmp_path / OUTSIDE


def built(tmp_path: Path) -> int:
    """Return how often the network was built."""
    return len((tmp_path / "built").read_text())


def manifest(root: Path) -> Path:
    """Return the manifest of the network."""
    return next(root.glob("sources/net/*/source.json"))


def test_a_network_is_built_once(tmp_path: Path, outside: Path) -> None:
    """The second process gets the same files, digest and note; scratch folders are gone."""
    root = tmp_path / "artifacts"
    first, second = (source_of(model(outside), ArtifactStore(root)) for _ in range(2))
    assert first == second
    assert (first.weights, first.note, first.files["weights"]) == ("seeded", "of a test", outside)
    assert first.files["cfg"].read_text() == "[net]"
    assert first.files["cfg"].parent == manifest(root).parent
    assert built(tmp_path) == 1
    assert [path.name for path in root.iterdir()] == ["sources"]


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (lambda file: file.write_text(file.read_text()[:-5]), "source.json is no JSON"),
    "changed": (lambda file: file.write_text(file.read_text().replace("seeded", "own")), "its own digest"),
    "old": (lambda file: file.write_text('{"digest": "0", "files": {}}'), "another version of the suite"),
    "foreign": (
        lambda file: shutil.copy(file.parents[2] / "other" / "0" / file.name, file),
        "belongs to another key",
    ),
    "file": (lambda file: (file.parent / "net.cfg").write_text("other"), "net.cfg differs from its digest"),
    "no file": (lambda file: (file.parent / "net.cfg").unlink(), "net.cfg is missing"),
    "outside": (lambda file: (file.parents[4] / OUTSIDE).write_text("other"), "differs from its digest"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_built_again_with_one_line(damage: str, tmp_path: Path, outside: Path) -> None:
    """A manifest that was cut, edited or copied, or a file that is another one, heals."""
    root = tmp_path / "artifacts"
    whole = source_of(model(outside), ArtifactStore(root))
    shutil.copytree(manifest(root).parent, root / "sources" / "other" / "0")
    edit_key(root / "sources" / "other" / "0" / "source.json")
    spoil, problem = DAMAGES[damage]
    spoil(manifest(root))
    store = ArtifactStore(root)
    assert source_of(model(outside), store) == whole
    assert [problem in notice for notice in store.notices] == [True]
    assert built(tmp_path) == 2
    assert source_of(model(outside), ArtifactStore(root)) == whole
    assert built(tmp_path) == 2


def edit_key(file: Path) -> None:
    """Make a manifest that of another model, whole in itself."""
    file.write_text(file.read_text().replace('"model": "net"', '"model": "other"'))
    edit(file, lambda body: None)


def test_other_versions_build_it_anew_and_without_a_word(tmp_path: Path, outside: Path) -> None:
    """A network of another kind of weights is no damage."""
    root = tmp_path / "artifacts"
    source_of(model(outside), ArtifactStore(root))
    store = ArtifactStore(root)
    source_of(replace(model(outside), origin=lambda: "official"), store)
    assert (built(tmp_path), store.notices) == (2, [])


@pytest.mark.parametrize(("age", "stays"), [(0.0, True), (UNUSED_SECONDS + 60.0, False)])
def test_builds_by_other_code_are_removed_when_nobody_uses_them(
    age: float, stays: bool, tmp_path: Path, outside: Path
) -> None:
    """A run that began before an edit still reads its files; a day after the last use they go."""
    other = tmp_path / "artifacts" / "sources" / "net" / "0123"
    other.mkdir(parents=True)
    (other / "source.json").write_text("{}")
    os.utime(other / "source.json", (time.time() - age,) * 2)
    source_of(model(outside), ArtifactStore(tmp_path / "artifacts"))
    assert other.exists() is stays


def test_a_network_that_cannot_be_built_leaves_nothing(tmp_path: Path) -> None:
    """The reason is one line, and the next process starts afresh."""

    def build(folder: Path) -> Source:
        (folder / "half").write_text("")
        raise ValueError("planted")

    row = replace(registry.models()["yolov3-tiny"], name="net", build=build)
    with pytest.raises(StageError, match=r"^net cannot be built: planted$"):
        source_of(row, ArtifactStore(tmp_path / "artifacts"))
    assert list((tmp_path / "artifacts").iterdir()) == []
