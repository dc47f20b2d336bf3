"""The benchmark beside Polygraphy: its lists, what a run has to make, and a missed goal."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks import latency, polygraphy
from benchmarks.polygraphy import API, COMMAND_LINE, LISTS, SUITE, Bench
from benchmarks.polygraphy_api import Cell, Work, samples
from fixtures.pipeline.outputs import flattened
from fixtures.store.artifacts import ArtifactStore
from fixtures.store.files import save_tensors
from suites.meta.pipeline.test_engines import HERE
from suites.meta.places import ROOT


@pytest.mark.parametrize(("name", "count"), [("opsets", 14), ("batches", 20)])
def test_lists_have_their_cells(name: str, count: int) -> None:
    """14 models, and 20 cells with batches and precisions, each once."""
    cells = list(LISTS[name])
    assert len(cells) == len(set(cells)) == count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "engines_run", "count"),
    [("opsets", True, 14), ("opsets", False, 28), ("batches", True, 20), ("batches", False, 30)],
)
def test_the_suite_is_asked_for_the_list(name: str, engines_run: bool, count: int, tmp_path: Path) -> None:
    """Each cell once, on a machine with a GPU; once built without, and each model once in ONNX Runtime."""
    bench = Bench(LISTS[name], Work((), engines_run, rtx=True), HERE, tmp_path, tmp_path)
    words = [word for word in bench.words(tmp_path) if not word.startswith("--tensorrt")]
    command = [sys.executable, "-m", "pytest", *words, "--collect-only", "--missing=1.1=none", "-qq"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    counts = [int(line.rpartition(": ")[2]) for line in done.stdout.splitlines() if ".py: " in line]
    assert sum(counts) == count, done.stdout + done.stderr


def test_a_fresh_store_lacks_what_a_run_makes(tmp_path: Path) -> None:
    """Converted models are there; builds and outputs of ONNX Runtime are not."""
    store, key = ArtifactStore(tmp_path / "store"), {"a": "b"}
    for kind in ("onnx", "builds", "onnxruntime-outputs"):
        with store.scratch() as folder:
            (folder / "file.onnx").write_text(kind)
            store.put(kind, key, {"onnx": folder / "file.onnx"}, {})
    polygraphy.fresh_store(store.root, tmp_path / "fresh")
    fresh = ArtifactStore(tmp_path / "fresh")
    found = fresh.get("onnx", key)
    assert found is not None
    assert found.files["onnx"].read_text() == "onnx"
    assert fresh.get("builds", key) is fresh.get("onnxruntime-outputs", key) is None


@pytest.mark.parametrize(
    ("ours", "engines_run", "ends"),
    [([1.0, 1.0, 9.0], True, "0.50 times, 0.45 to 0.50; goal at most 0.5: met"),
     ([1.1, 1.1, 1.1], True, "0.55 times, 0.06 to 0.55; goal at most 0.5: MISSED"),
     ([9.0, 9.0, 9.0], False, "4.50 times, 0.45 to 4.50")],
)  # fmt: skip
def test_a_missed_goal_is_seen(ours: list[float], engines_run: bool, ends: str) -> None:
    """Round is held against round; without a GPU there is no goal, and none without the API."""
    seen = {SUITE: ours, API: [2.0, 2.0, 20.0], COMMAND_LINE: [9.0, 9.0, 9.0]}
    first, second = polygraphy.verdicts(seen, engines_run)
    assert first == f"suite over api: {ends}"
    assert "goal" not in second
    assert polygraphy.missed(seen, engines_run) is ends.endswith("MISSED")


def test_samples_are_read_as_the_suite_writes_them(tmp_path: Path) -> None:
    """Those of several samples and inputs, in their order."""
    written = [{"a": np.full(2, n), "b": np.full(3, -n)} for n in range(11)]
    save_tensors(tmp_path / "inputs.npz", flattened(written))
    read = samples(str(tmp_path / "inputs.npz"))
    assert [sample["a"][0] for sample in read] == list(range(11))
    assert all(list(sample["b"]) == [-n] * 3 for n, sample in enumerate(read))


@pytest.mark.slow
def test_polygraphy_builds_and_runs(tmp_path: Path) -> None:
    """Its API in a process of its own, without a GPU, on a small network."""
    pytest.importorskip("polygraphy")
    pytest.importorskip("tensorrt_rtx")
    onnx.save(latency.convolutions(2, 4), tmp_path / "net.onnx")
    save_tensors(tmp_path / "in.npz", flattened([latency.sample(tmp_path / "net.onnx")]))
    net = str(tmp_path / "net.onnx")
    work = Work((Cell(net, net, str(tmp_path / "in.npz"), fp16=False),), False, rtx=True)
    bench = Bench(LISTS["digits"], work, HERE, tmp_path, tmp_path)
    bench.api(tmp_path)
    assert json.loads((tmp_path / "cells.json").read_text()) == json.loads(json.dumps(asdict(work)))


@pytest.mark.parametrize("found", [[], ["tensorrt_rtx_bindings"], ["tensorrt_rtx", "tensorrt_rtx_bindings"]])
def test_an_alias_is_made_where_it_is_needed(
    found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are the bindings and not the package that Polygraphy imports."""
    monkeypatch.setattr(polygraphy, "find_spec", lambda name: name if name in found else None)
    files = list(polygraphy.alias(tmp_path).iterdir())
    assert [file.name for file in files] == (["tensorrt_rtx.py"] if len(found) == 1 else [])
