"""Several processes share a store, some of them are killed, the disk is full or read-only: it stays sound."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.store.artifacts import ArtifactStore, StoreError
from fixtures.store.closure import SourceTree
from fixtures.store.scratch import PREFIX, UNLOCKED_SECONDS, clear, scratch
from fixtures.verdicts import StageError
from suites.meta.places import ROOT

WRITER = """
import sys
from pathlib import Path
from fixtures.store.artifacts import ArtifactStore
store = ArtifactStore(Path(sys.argv[1]))
print("started", flush=True)
for number in range(int(sys.argv[2])):
    def make(folder):
        (folder / "a.bin").write_bytes(bytes([number % 251]) * 300_000)
        (folder / "b.bin").write_bytes(b"b" * 100)
        return {"a": folder / "a.bin", "b": folder / "b.bin"}, {"number": number}
    entry = store.made("onnx", {"number": number % 40, "turn": sys.argv[3]}, make, lambda e: False)
    assert entry.files["a"].is_file()
"""
ENDLESS = 10**9


HOLDER = """
import sys, time
from pathlib import Path
from fixtures.store.scratch import scratch
with scratch(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


@contextmanager
def started(script: str, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a process that runs a script, and the first line that it has printed."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()


@pytest.mark.slow
def test_three_writers_and_a_kill_leave_a_sound_store(tmp_path: Path) -> None:
    """The killed one leaves no half entry and no scratch folder; the others end as if it had not been."""
    ended = started(WRITER, tmp_path, 150, "shared"), started(WRITER, tmp_path, 150, "shared")
    with ended[0] as (one, _), ended[1] as (other, _):
        for delay in (0.05, 0.11, 0.19, 0.3):
            with started(WRITER, tmp_path, ENDLESS, "shared") as (killed, _):
                time.sleep(delay)
                killed.kill()
        assert [one.wait(120), other.wait(120)] == [0, 0]
    store = ArtifactStore(tmp_path)
    found = [store.get("onnx", {"number": number, "turn": "shared"}) for number in range(40)]
    for number, entry in enumerate(found):
        assert entry is not None
        assert entry.files["a"].read_bytes() == bytes([entry.about["number"] % 251]) * 300_000
        assert entry.about["number"] % 40 == number
    assert store.notices == []
    assert {path.name for path in tmp_path.iterdir()} == {"entries", "objects"}
    assert {path.suffix for path in (tmp_path / "entries" / "onnx").iterdir()} == {".json"}


def test_only_scratch_folders_of_dead_processes_are_cleared(tmp_path: Path) -> None:
    """One that lives keeps its folder; that of a killed one is cleared by whoever comes next."""
    with started(HOLDER, tmp_path) as (killed, said), scratch(tmp_path) as own:
        assert clear(tmp_path) == []
        assert Path(said).is_dir()
        killed.kill()
        killed.wait()
        assert clear(tmp_path) == [Path(said)]
        assert [path.name.removesuffix(".lock") for path in tmp_path.iterdir()] == [own.name] * 2
    assert list(tmp_path.iterdir()) == []


def test_the_first_use_of_a_store_clears_it(tmp_path: Path) -> None:
    """A folder of an earlier version, which took no lock, goes once it is old; a fresh one may be in use."""
    for name, age in (("old", UNLOCKED_SECONDS + 60), ("new", 0)):
        (tmp_path / f"{PREFIX}{name}").mkdir()
        os.utime(tmp_path / f"{PREFIX}{name}", (time.time() - age,) * 2)
    ArtifactStore(tmp_path).get("onnx", {})
    assert [path.name for path in tmp_path.iterdir()] == [f"{PREFIX}new"]


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


ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size=400k tmpfs "$1"
"$2" -c "$3" "$1" 1 first
"$2" -c "$3" "$1" 3 second 2>&1 | tail -1 || true
mount -o remount,ro "$1"
"$2" -c "$4" "$1"
"$2" -c "$3" "$1" 1 third 2>&1 | tail -1
"""
READER = """
import sys
from pathlib import Path
from fixtures.store.artifacts import ArtifactStore
print(ArtifactStore(Path(sys.argv[1])).get("onnx", {"number": 0, "turn": "first"}).about)
"""


@pytest.mark.slow
def test_a_small_and_a_read_only_disk(tmp_path: Path) -> None:
    """On real disks: what fits is kept and can be read, the rest is one line each."""
    command = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        ON_A_SMALL_DISK,
        "sh",
        str(tmp_path),
        sys.executable,
        WRITER,
        READER,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and "unshare" in done.stderr + done.stdout:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    started, full, kept, read_only = done.stdout.splitlines()
    assert started == "started"
    assert "StoreError: artifact store" in full
    assert "No space left on device" in full
    assert kept == "{'number': 0}"
    assert "Read-only file system" in read_only
