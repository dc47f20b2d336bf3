"""A file is written as a whole or not at all, and arrays come back as they were."""

import resource
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures.report.files import write_atomically as write_page
from fixtures.store.files import load_tensors, opened_atomically, save_tensors, sha256_of, write_atomically


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Folders on the way to it are made, and nothing stays beside it."""
    path = tmp_path / "a" / "b" / "file.txt"
    for text in (b"first", b"second"):
        write_atomically(path, text)
        assert path.read_bytes() == text
    assert list(path.parent.iterdir()) == [path]
    assert sha256_of(path) == "16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4"


@pytest.mark.parametrize("gone", [False, True])
def test_what_fails_leaves_the_former_file(gone: bool, tmp_path: Path) -> None:
    """The error is that of the writer, and the temporary file is gone, whoever removed it."""
    path = tmp_path / "file.txt"
    path.write_bytes(b"former")
    with pytest.raises(KeyError, match="planted"), opened_atomically(path) as file:  # noqa: PT012
        file.write(b"half")
        for other in set(tmp_path.iterdir()) - {path} if gone else ():
            other.unlink()
        raise KeyError("planted")
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [write_atomically, write_page])
@pytest.mark.parametrize("name", ["folder", "n" * 250])
def test_an_error_names_the_file_and_no_temporary_one(
    write: Callable[[Path, bytes], None], name: str, tmp_path: Path
) -> None:
    """Where a folder is in its place, or the name is too long with what a temporary one adds."""
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    with pytest.raises(OSError) as said:  # noqa: PT011  which one is the system's
        write(path, b"x")
    assert (said.value.filename, said.value.filename2) == (str(path), None)
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_a_disk_that_is_full_is_named_by_the_file(tmp_path: Path) -> None:
    """The system names no file where a write finds no room; nothing is left of it."""
    limit, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        with pytest.raises(OSError, match=r"new\.csv") as caught:
            write_atomically(tmp_path / "new.csv", bytes(9000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.filename == str(tmp_path / "new.csv")
    assert not any(tmp_path.iterdir())


def test_arrays_come_back_by_name(tmp_path: Path) -> None:
    """With shapes and types; of an archive that pickles nothing is read."""
    tensors = {"a/b": np.ones((2, 3), np.float16), "c": np.array(7)}
    save_tensors(tmp_path / "a.npz", tensors)
    found = load_tensors(tmp_path / "a.npz")
    assert {name: (array.dtype, array.tolist()) for name, array in found.items()} == {
        name: (array.dtype, array.tolist()) for name, array in tensors.items()
    }
    np.savez(tmp_path / "pickled.npz", a=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        load_tensors(tmp_path / "pickled.npz")


def test_a_file_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    """As of any program: a service that runs as another user reads what was converted."""
    plain, written = tmp_path / "plain", tmp_path / "written"
    plain.write_bytes(b"")
    write_atomically(written, b"")
    assert written.stat().st_mode == plain.stat().st_mode


def test_a_file_that_cannot_be_made_is_named_as_it_was_asked_for(tmp_path: Path) -> None:
    """Not by the name of a temporary file that nobody has heard of."""
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "a.onnx", Path("/proc/a.onnx")):
        with pytest.raises(OSError) as caught:  # noqa: PT011
            write_atomically(path, b"")
        assert caught.value.filename == str(path)
