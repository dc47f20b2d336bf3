"""Several processes share a store, some of them are killed, the disk is full or read-only: it stays sound."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.store.artifacts import ArtifactStore
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
