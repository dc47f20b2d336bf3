"""What the store gives back is what was put in for that key; everything else is made again, and said."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.store.artifacts import ArtifactStore, Entry, Made, StoreError
from fixtures.store.closure import SourceTree
from fixtures.store.entries import canonical, digest_of, opened, sealed
from fixtures.verdicts import StageError

KEY, OTHER = {"model": "a", "opset": 10}, {"model": "a", "opset": 13}


def put(store: ArtifactStore, key: dict[str, object], text: str) -> Entry:
    """Store a file with a text, or find it."""

    def make(folder: Path) -> Made:
        (folder / "model.onnx").write_text(text)
        return {"onnx": folder / "model.onnx"}, {"said": text, "pair": (1, 2)}

    return store.made("onnx", key, make)


def entry_of(root: Path, key: dict[str, object]) -> Path:
    """Return the place of an entry."""
    return root / "entries" / "onnx" / f"{digest_of(key)}.json"


def object_of(root: Path, key: dict[str, object]) -> Path:
    """Return the place of the object of an entry."""
    return root / str(json.loads(entry_of(root, key).read_text())["body"]["files"]["onnx"])


def change(*path: str, value: object) -> Callable[[Path], None]:
    """Return what sets one value of an entry and leaves its digest as it was."""

    def changed(root: Path) -> None:
        row = json.loads(entry_of(root, KEY).read_text())
        place = row
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        entry_of(root, KEY).write_text(json.dumps(row))

    return changed


def overwrite(text: str) -> Callable[[Path], object]:
    """Return what writes a text in place of an entry."""
    return lambda root: entry_of(root, KEY).write_text(text)


def old_form(root: Path) -> None:
    """Write the entry as earlier versions did: with neither schema nor digest."""
    row = json.loads(entry_of(root, KEY).read_text())
    entry_of(root, KEY).write_text(json.dumps({"key": row["key"], **row["body"]}))


def foreign(root: Path) -> None:
    """Put the entry of another key in the place of this one."""
    shutil.copy(entry_of(root, OTHER), entry_of(root, KEY))


def foreign_with_this_key(root: Path) -> None:
    """Put what another key has under this one, and leave the digest as it was."""
    row = json.loads(entry_of(root, OTHER).read_text())
    entry_of(root, KEY).write_text(json.dumps({**row, "key": KEY}))


def foreign_kind(root: Path) -> None:
    """Put an entry of another kind, which has the same key, in the place of this one."""
    store = ArtifactStore(root)
    store.put("fp16", KEY, {}, {"said": "other"})
    shutil.copy(next((root / "entries" / "fp16").iterdir()), entry_of(root, KEY))


def foreign_object(root: Path) -> None:
    """Copy another entry's object over this one's."""
    shutil.copy(object_of(root, OTHER), object_of(root, KEY))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (lambda root: entry_of(root, KEY).write_text(entry_of(root, KEY).read_text()[:-9]), "is no JSON"),
    "empty": (overwrite(""), "is no JSON"),
    "bytes": (lambda root: entry_of(root, KEY).write_bytes(b"\xff\xfe\x00"), "is no JSON"),
    "deep": (overwrite("[" * 100_000), "is no JSON"),
    "list": (overwrite("[]"), "is a JSON list"),
    "old": (old_form, "has the form of another version of the suite, expected schema 2;"),
    "newer": (change("schema", value=3), "has the form of another version"),
    "about": (change("body", "about", "said", value="other"), "differs from its own digest"),
    "key": (change("key", "opset", value=11), "differs from its own digest"),
    "files": (change("body", "files", value={}), "differs from its own digest"),
    "no digest": (change("digest", value=None), "differs from its own digest"),
    "foreign": (foreign, "belongs to another key"),
    "foreign, this key": (foreign_with_this_key, "differs from its own digest"),
    "foreign kind": (foreign_kind, "belongs to another key"),
    "object": (lambda root: object_of(root, KEY).write_text("other"), "differs from its digest"),
    "foreign object": (foreign_object, "differs from its digest"),
    "no object": (lambda root: object_of(root, KEY).unlink(), "is missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_made_again_with_one_line(damage: str, tmp_path: Path) -> None:
    """Neither a foreign nor an altered entry or object is served; the next reader finds all in order."""
    for key, text in ((KEY, "this"), (OTHER, "that")):
        put(ArtifactStore(tmp_path), key, text)
    spoil, problem = DAMAGES[damage]
    spoil(tmp_path)
    store = ArtifactStore(tmp_path)
    assert store.get("onnx", KEY) is None
    entry = put(store, KEY, "again")
    assert (entry.files["onnx"].read_text(), entry.about["said"]) == ("again", "again")
    assert len(store.notices) == 1
    assert problem in store.notices[0]
    assert "made again" in store.notices[0]
    healed = ArtifactStore(tmp_path)
    assert put(healed, KEY, "never") == entry
    assert healed.notices == []


def test_what_is_made_is_what_is_found(tmp_path: Path) -> None:
    """The first reader gets the same as the second: tuples are lists for both; it is made once."""
    first, second = (put(ArtifactStore(tmp_path), KEY, text) for text in ("first", "second"))
    assert first == second
    assert first.about == {"said": "first", "pair": [1, 2]}
    assert put(ArtifactStore(tmp_path), OTHER, "second").about["said"] == "second"


def test_what_does_not_hold_is_made_again(tmp_path: Path) -> None:
    """An entry that its caller cannot use is replaced, without a word."""
    store = ArtifactStore(tmp_path)
    put(store, KEY, "old")
    made = store.made(
        "onnx", KEY, lambda _: ({}, {"said": "new"}), lambda entry: entry.about["said"] == "new"
    )
    assert made.about["said"] == "new"
    assert store.get("onnx", KEY) == made
    assert store.notices == []


def test_what_fails_is_not_stored(tmp_path: Path) -> None:
    """An error of the maker is raised as it is; neither an entry nor a scratch folder stays."""

    def fail(folder: Path) -> Made:
        (folder / "model.onnx").write_text("half")
        raise KeyError("planted")

    store = ArtifactStore(tmp_path)
    with pytest.raises(KeyError, match="planted"):
        store.made("onnx", KEY, fail)
    assert store.get("onnx", KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_two_entries_may_have_one_object(tmp_path: Path) -> None:
    """The same bytes under two keys are kept once."""
    store = ArtifactStore(tmp_path)
    assert put(store, KEY, "same").files == put(store, OTHER, "same").files
    assert len(list((tmp_path / "objects").rglob("*.onnx"))) == 1


def test_an_entry_that_names_no_object_is_damaged(tmp_path: Path) -> None:
    """Sound by its digest, it leads out of the store: it is not followed, and the line says so."""
    place = entry_of(tmp_path, KEY)
    place.parent.mkdir(parents=True)
    place.write_bytes(sealed("onnx", KEY, {"files": {"onnx": "../secret"}, "about": {}}))
    store = ArtifactStore(tmp_path)
    assert store.get("onnx", KEY) is None
    (line,) = store.notices
    assert line.startswith(
        f"artifact store {tmp_path}: entries/onnx/{place.name} names '../secret', which is no"
    )


def test_the_text_of_an_entry_is_one() -> None:
    """Two writers of one key write the same bytes, in whatever order they name what went in."""
    assert sealed("onnx", KEY, {"a": (1,)}) == sealed("onnx", dict(reversed(KEY.items())), {"a": [1]})
    assert opened(sealed("onnx", KEY, {"a": (1,)}), "onnx", KEY) == {"a": [1]}


def test_a_name_is_replaced(tmp_path: Path) -> None:
    """The readable name of an object leads to the one that was named last."""
    store = ArtifactStore(tmp_path)
    for key, text in ((KEY, "this"), (OTHER, "that")):
        store.name("engines/rtx", "a.engine", put(store, key, text).files["onnx"])
        assert (tmp_path / "engines" / "rtx" / "a.engine").read_text() == text


def test_the_digest_of_a_key_does_not_depend_on_its_order() -> None:
    """Two callers that name the same things find the same entry."""
    assert digest_of(KEY) == digest_of(dict(reversed(KEY.items()))) != digest_of(OTHER)
    assert canonical({"b": 1, "a": (2,)}) == '{"a":[2],"b":1}'


def test_what_is_made_while_code_is_edited_is_not_stored(tmp_path: Path) -> None:
    """A file of the key that is written, or removed, after the start stops what would be stored under it."""
    (tmp_path / "a").mkdir()
    for name in ("a/one.py", "a/two.py", "a/other.py"):
        (tmp_path / name).write_text("import a.two" * name.endswith("one.py"))
    store = ArtifactStore(tmp_path / "store")
    store._code = SourceTree(tmp_path)
    store._code.remember("a")
    store._code.digest(store._code.closure(["a.one"]))
    (tmp_path / "a" / "other.py").write_text("# of no closure")
    store.put("onnx", {"turn": 1}, {}, {})
    (tmp_path / "a" / "two.py").write_text("# edited")
    with pytest.raises(StageError, match=r"^a/two\.py was edited while this run .* run it again$"):
        store.put("onnx", {"turn": 2}, {}, {})
    (tmp_path / "a" / "one.py").unlink()
    with pytest.raises(StageError, match=r"^a/one\.py and 1 more was edited"):
        store.put("onnx", {"turn": 3}, {}, {})
    assert [store.get("onnx", {"turn": turn}) is None for turn in (1, 2, 3)] == [False, True, True]


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """What the kernel says of a full disk names the store and what to do; nothing is stored."""

    def fill(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
        (folder / "model.onnx").symlink_to("/dev/full")
        (folder / "model.onnx").write_bytes(b"x" * 100_000)
        return {"onnx": folder / "model.onnx"}, {}

    store = ArtifactStore(tmp_path)
    with pytest.raises(
        StoreError, match=r"^artifact store .*: No space left on device .*make room"
    ) as caught:
        store.made("onnx", {}, fill)
    assert "--artifacts" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path: Path) -> None:
    """--artifacts that names a file is said to do so, whether something is read or written."""
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match=r"make it a folder that can be written, or name another one"):
            ArtifactStore(root).put("onnx", {}, {}, {})


def test_an_error_that_is_not_the_disks_is_left_alone(tmp_path: Path) -> None:
    """A maker that finds no file of its own says so itself."""

    def make(_: Path) -> tuple[dict[str, Path], dict[str, str]]:
        (tmp_path / "gone").read_bytes()
        return {}, {}

    with pytest.raises(FileNotFoundError):
        ArtifactStore(tmp_path / "store").made("onnx", {}, make)
