"""A store that a fleet shares: what one machine made the others have, and what fails there costs no run."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.store.artifacts import ArtifactStore, Entry, Made, StoreError
from fixtures.store.entries import digest_of, sealed
from fixtures.store.remote import RemoteError, RemoteStore
from fixtures.store.shared import SharedStore, open_store
from suites.meta.gates import child_runs
from suites.meta.places import ROOT

fsspec = pytest.importorskip("fsspec", reason="pip install --group remote")
KEY = {"model": "a", "opset": 10}


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind of file system."""
    memory = fsspec.filesystem("memory")
    yield "memory://fleet/store" if request.param == "memory" else (tmp_path / "fleet").as_uri()
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def machine(folder: Path, url: str, name: str) -> SharedStore:
    """Return the store of one machine of the fleet."""
    store = open_store(folder / name, url)
    assert isinstance(store, SharedStore)
    return store


def put(store: ArtifactStore, text: str, **about: Any) -> Entry:
    """Find the thing of the key, or make one that says a text."""

    def make(folder: Path) -> Made:
        (folder / "model.onnx").write_text(text)
        return {"onnx": folder / "model.onnx"}, {"said": text, **about}

    return store.made("onnx", KEY, make)


def read(url: str, name: str) -> bytes:
    """Return a file of the fleet's store."""
    with fsspec.open(f"{url}/{name}") as file:
        data: bytes = file.read()
    return data


def write(url: str, name: str, data: bytes) -> None:
    """Plant a file in the fleet's store."""
    with fsspec.open(f"{url}/{name}", "wb") as file:
        file.write(data)


def names(url: str) -> set[str]:
    """Return the files of the fleet's store, relative to it."""
    files, root = fsspec.core.url_to_fs(url)
    return {name.removeprefix(root).strip("/") for name in files.find(root)}


def test_what_one_makes_the_others_have(url: str, tmp_path: Path) -> None:
    """The second machine makes nothing, and needs the fleet's store no more once it has it."""
    made = put(machine(tmp_path, url, "one"), "first")
    other = machine(tmp_path, url, "other")
    assert put(other, "second").about == made.about
    assert other.get("onnx", KEY) is not None
    assert put(ArtifactStore(tmp_path / "other"), "third").files["onnx"].read_text() == "first"
    entry, object_ = sorted(names(url))
    assert entry == f"entries/onnx/{digest_of(KEY)}.json"
    assert read(url, entry) == (tmp_path / "one" / entry).read_bytes()
    assert object_ == made.files["onnx"].relative_to(tmp_path / "one").as_posix()


def test_what_was_made_before_is_sent(url: str, tmp_path: Path) -> None:
    """A store that was filled alone fills the fleet's when it is used with it."""
    put(ArtifactStore(tmp_path / "one"), "first")
    put(machine(tmp_path, url, "one"), "never")
    assert put(machine(tmp_path, url, "other"), "second").about["said"] == "first"


def test_of_two_that_make_at_once_the_first_stands(url: str, tmp_path: Path) -> None:
    """Both machines go on with one ONNX model."""
    one, other = machine(tmp_path, url, "one"), machine(tmp_path, url, "other")

    def make(folder: Path) -> Made:
        put(one, "first")
        (folder / "model.onnx").write_text("second")
        return {"onnx": folder / "model.onnx"}, {"said": "second"}

    assert other.made("onnx", KEY, make).about["said"] == "first"
    assert ArtifactStore(tmp_path / "other").get("onnx", KEY) == other.get("onnx", KEY)


def test_what_does_not_hold_is_made_again_and_sent(url: str, tmp_path: Path) -> None:
    """As with --refresh: the fleet then has the new one."""
    put(machine(tmp_path, url, "one"), "old")

    def make(folder: Path) -> Made:
        return {}, {"said": "new"}

    machine(tmp_path, url, "other").made("onnx", KEY, make, lambda entry: entry.about["said"] == "new")
    assert put(machine(tmp_path, url, "third"), "never").about["said"] == "new"


DAMAGES = {
    "object": (lambda name: name.startswith("objects"), b"other", "which differs from its digest"),
    "no object": (lambda name: name.startswith("objects"), None, "which is not there"),
    "entry": (lambda name: name.startswith("entries"), b"{", "is no JSON"),
    "foreign": (lambda name: name.startswith("entries"), sealed("onnx", {}, {}), "belongs to another key"),
    "secret": (
        lambda name: name.startswith("entries"),
        sealed("onnx", KEY, {"files": {"onnx": "../secret"}, "about": {}}),
        "names '../secret', which is no object of a store",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_made_again(damage: str, url: str, tmp_path: Path) -> None:
    """Nothing of it comes into the local store; one line says so, and the next machine finds all in order."""
    put(machine(tmp_path, url, "one"), "first")
    wanted, data, said = DAMAGES[damage]
    (name,) = filter(wanted, names(url))
    if data is None:
        files, root = fsspec.core.url_to_fs(url)
        files.rm_file(f"{root}/{name}")
    else:
        write(url, name, data)
    other = machine(tmp_path, url, "other")
    assert put(other, "first").about["said"] == "first"
    (line,) = other.notices
    assert said in line
    third = machine(tmp_path, url, "third")
    assert put(third, "never").about["said"] == "first"
    assert third.notices == []


def test_a_store_that_fails_is_left_alone(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a transfer: the run makes the thing itself, says so once, and asks no more."""
    put(machine(tmp_path, url, "one"), "first")
    other = machine(tmp_path, url, "other")

    def gone(*_: object, **__: object) -> None:
        asked.append(1)
        raise ConnectionResetError("connection reset by peer")

    asked: list[int] = []
    monkeypatch.setattr(type(other._remote._files), "open", gone)  # type: ignore[union-attr]
    assert put(other, "second").about["said"] == "second"
    assert other.made("onnx", {}, lambda _: ({}, {})).files == {}
    assert len(asked) == 1
    (line,) = other.notices
    assert "cannot be read: ConnectionResetError: connection reset by peer" in line
    assert line.endswith(f"the run went on with {tmp_path / 'other'} alone")
    assert not list((tmp_path / "other").glob("scratch-*"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("fleet/store", "is no URL; write s3://BUCKET/PREFIX"),
        ("nosuch://fleet", "cannot be reached: ValueError: Protocol not known: nosuch"),
    ],
)
def test_a_wrong_url_is_one_line(url: str, said: str, tmp_path: Path) -> None:
    """Said before anything is made."""
    with pytest.raises(StoreError, match=said) as caught:
        open_store(tmp_path, url)
    assert "\n" not in str(caught.value)


def test_a_url_for_artifacts_is_refused(tmp_path: Path) -> None:
    """It would be taken for a folder of that name."""
    with pytest.raises(
        StoreError, match=r"--artifacts is a folder of this machine, .* is for --remote-store"
    ):
        open_store(Path("s3://bucket/store").absolute())


def test_without_fsspec_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says what to install."""
    monkeypatch.setattr("fixtures.store.remote.find_spec", lambda name: None)
    with pytest.raises(RemoteError, match="needs fsspec: pip install --group remote"):
        RemoteStore("memory://fleet")


def test_a_password_is_not_shown() -> None:
    """It stands in the URL, and in no line that is printed or recorded."""
    assert RemoteStore("memory://user:secret@fleet/store").name == "memory://fleet/store"


WRITER = """
import sys
from pathlib import Path
from fixtures.store.shared import open_store
store = open_store(Path(sys.argv[1]), sys.argv[2])
print("started", flush=True)
for number in range(int(sys.argv[3])):
    def make(folder):
        (folder / "a.bin").write_bytes(bytes([number % 251]) * 300_000)
        return {"a": folder / "a.bin"}, {"number": number}
    store.made("onnx", {"number": number % 40}, make, lambda e: False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "s3"])
def test_killed_writers_leave_a_sound_store(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two machines write to a shared folder, or to S3, others are killed: no entry there is half an entry."""
    url = (tmp_path / "fleet").as_uri()
    if kind == "s3":
        request.getfixturevalue("s3")
        url = "s3://fleet/killed"

    def started(name: str, turns: int) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", WRITER, str(tmp_path / name), url, str(turns)]
        child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        return child

    writers = [started("one", 45), started("other", 45)]
    for delay in (0.05, 0.15):
        killed = started(f"killed-{delay}", 10**9)
        time.sleep(delay)
        killed.kill()
        killed.communicate()
    assert [child.wait(120) for child in writers] == [0, 0]
    for child in writers:
        child.communicate()
    reader = machine(tmp_path, url, "reader")
    for number in range(40):
        entry = reader.get("onnx", {"number": number})
        assert entry is not None
        assert entry.files["a"].read_bytes() == bytes([entry.about["number"] % 251]) * 300_000
    assert reader.notices == []


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that speaks S3, with a bucket named fleet."""
    pytest.importorskip("s3fs", reason="pip install --group s3")
    server = pytest.importorskip("moto.server", reason="pip install --group s3")
    threaded = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    threaded.start()
    host, port = threaded.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        fsspec.filesystem("s3").mkdir("fleet")
        yield f"http://{host}:{port}"
    threaded.stop()


@pytest.mark.slow
def test_a_store_on_s3(s3: str, tmp_path: Path) -> None:
    """The same on a server that speaks S3: shared, listed, first come, replaced, checked."""
    url = "s3://fleet/store"
    made = put(machine(tmp_path, url, "one"), "first")
    assert put(machine(tmp_path, url, "other"), "second").about == made.about
    assert machine(tmp_path, url, "x")._remote.entries("onnx") == {digest_of(KEY)}  # type: ignore[union-attr]
    test_of_two_that_make_at_once_the_first_stands("s3://fleet/at-once", tmp_path / "at-once")
    test_what_does_not_hold_is_made_again_and_sent("s3://fleet/refresh", tmp_path / "refresh")
    test_what_is_damaged_is_made_again("object", "s3://fleet/damaged", tmp_path / "damaged")


@pytest.mark.slow
def test_a_machine_without_the_framework_takes_its_conversions_from_s3(s3: str, tmp_path: Path) -> None:
    """One converts and computes; another, where torch cannot be imported, has the same files and verdicts.

    Without the fleet's store it could make none of them.
    """
    (tmp_path / "torch.py").write_text('raise ImportError("no torch here")\n')
    without = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}

    def without_torch(name: str, *words: str) -> tuple[int, str]:
        command = child_runs.command(tmp_path / name / "artifacts", *PARITY, *words)
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **without}, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    fleet = "--remote-store=s3://fleet/run"
    one = child_runs.run(tmp_path / "one" / "artifacts", *PARITY, fleet)
    for code, output in ((one.code, one.output), without_torch("other", fleet)):
        assert (code, "1 passed" in output) == (0, True), output
    assert made(tmp_path / "one") == made(tmp_path / "other") != {}
    code, output = without_torch("alone")
    assert (code, "no torch here" in output) == (1, True), output


PARITY = ("suites/test_parity.py", "-k=test_onnxruntime_gives", "--model=lenet", "--opset=13")


def made(machine: Path) -> dict[str, bytes]:
    """Return what conversion and source framework have made on a machine, by its place in the store."""
    found = [
        file for kind in ("onnx", "samples") for file in machine.glob(f"artifacts/entries/{kind}/*.json")
    ]
    return {file.relative_to(machine).as_posix(): file.read_bytes() for file in found}


@pytest.mark.slow
def test_what_is_wrong_with_s3_is_one_line(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No such bucket, no credentials, no server: said at the start, with what to do."""
    with pytest.raises(StoreError, match=r"s3://nosuch/store cannot be reached: .*; make the bucket"):
        open_store(tmp_path, "s3://nosuch/store")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setitem(shared_options(), "config_kwargs", {"retries": {"max_attempts": 0}})
    with pytest.raises(StoreError, match="is it reachable, and AWS_ENDPOINT_URL right"):
        open_store(tmp_path, "s3://fleet/store")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(StoreError, match="give it some: AWS_ACCESS_KEY_ID"):
        open_store(tmp_path, "s3://fleet/store")


def shared_options() -> dict[str, Any]:
    """Return what file systems of S3 are made with."""
    from fixtures.store.remote import S3

    return S3
