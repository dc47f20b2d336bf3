"""Scratch folders live as long as their process, and are cleared by whoever comes next."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.store.artifacts import ArtifactStore
from fixtures.store.scratch import PREFIX, clear, scratch


@contextmanager
def held(root: Path) -> Iterator[Path]:
    """Yield the scratch folder of another process, which is killed at the end."""
    here, there = os.pipe()
    if (child := os.fork()) == 0:
        with scratch(root) as folder:
            os.write(there, str(folder).encode())
            time.sleep(600)
    try:
        yield Path(os.read(here, 4096).decode())
    finally:
        for end in (here, there):
            os.close(end)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_only_scratch_folders_of_dead_processes_are_cleared(tmp_path: Path) -> None:
    """One that lives keeps its folder; that of a killed one is cleared by whoever comes next."""
    with scratch(tmp_path) as own:
        with held(tmp_path) as folder:
            assert clear(tmp_path) == []
            assert folder.is_dir()
        assert clear(tmp_path) == [folder]
        assert {path.name.removesuffix(".lock") for path in tmp_path.iterdir()} == {own.name}
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []


USES: dict[str, Callable[[ArtifactStore], object]] = {
    "get": lambda store: store.get("onnx", {}),
    "put": lambda store: store.put("onnx", {}, {}, {}),
}


@pytest.mark.parametrize("use", USES)
def test_the_first_use_of_a_store_clears_it(use: str, tmp_path: Path) -> None:
    """A folder of an earlier version, which took no lock, goes once it is old; a fresh one may be in use."""
    store = ArtifactStore(tmp_path)
    for turn in (["new"], ["new", "old"]):  # what comes later is for the next process
        for name, age in (("old", 3700), ("new", 3500)):
            (tmp_path / f"{PREFIX}{name}").mkdir(exist_ok=True)
            os.utime(tmp_path / f"{PREFIX}{name}", (time.time() - age,) * 2)
        USES[use](store)
        assert sorted(path.name for path in tmp_path.glob(f"{PREFIX}*")) == [f"{PREFIX}{n}" for n in turn]


def test_a_scratch_folder_leaves_nothing(tmp_path: Path) -> None:
    """Neither folder nor lock, nor a file that is held open, even where they were removed before."""
    root, before = tmp_path / "a" / "store", os.listdir("/proc/self/fd")
    with scratch(root) as folder:
        assert [folder.is_dir(), len(list(root.iterdir()))] == [True, 2]
    with scratch(root) as folder:
        for path in (folder, *root.glob("*.lock")):
            path.rmdir() if path.is_dir() else path.unlink()
    assert list(root.iterdir()) == []
    assert os.listdir("/proc/self/fd") == before


def test_only_folders_of_its_own_are_cleared(tmp_path: Path) -> None:
    """A file of that name and age stays, and clearing holds no file open."""
    (tmp_path / f"{PREFIX}file").touch()
    os.utime(tmp_path / f"{PREFIX}file", (0, 0))
    with scratch(tmp_path) as own:
        os.utime(own, (0, 0))
        before = os.listdir("/proc/self/fd")
        assert clear(tmp_path) == []
        assert own.is_dir()
        assert os.listdir("/proc/self/fd") == before


def test_a_lock_without_a_folder_is_cleared(tmp_path: Path) -> None:
    """A process that was killed before it had made its folder leaves the lock alone."""
    (tmp_path / f"{PREFIX}a.lock").touch()
    assert clear(tmp_path) == [tmp_path / f"{PREFIX}a"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_another_process_cleared_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making and locking it, whoever clears may take it for a dead one's: another one is made."""
    turns = iter([True, False])
    lock = fcntl.flock

    def cleared_once(handle: int, operation: int) -> None:
        if next(turns):
            next(tmp_path.glob("*.lock")).unlink()
        lock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", cleared_once)
    before = os.listdir("/proc/self/fd")
    with scratch(tmp_path) as folder:
        assert {path.name for path in tmp_path.iterdir()} == {folder.name, f"{folder.name}.lock"}
    assert os.listdir("/proc/self/fd") == before
