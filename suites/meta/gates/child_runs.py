"""Runs of the suite in a child process, against a store into which errors can be planted."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from fixtures import records
from fixtures.pipeline.pipeline import Pipeline
from fixtures.records import Record
from fixtures.store.artifacts import ArtifactStore
from fixtures.store.entries import sealed
from reference_models import registry
from suites.meta.gates import forks
from suites.meta.places import ROOT

TIMEOUT = 300.0


@dataclass(frozen=True)
class Run:
    """How a run of pytest ended."""

    code: int
    output: str
    records: list[Record]

    def the(self, verdict: str) -> Record:
        """Return the one record of a verdict; AssertionError when there is not exactly one."""
        found = [record for record in self.records if record.verdict == verdict]
        assert len(found) == 1, f"{len(found)} records are {verdict}:\n{self.output}"
        return found[0]


def options(store: Path) -> list[str]:
    """Return the options that a run against a store has; records go beside the store."""
    folder = store.with_name("records")
    # The plugin of hypothesis: half a second of import for a summary that is empty.
    return [
        f"--artifacts={store}",
        f"--records={folder}",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
    ]


def command(store: Path, *arguments: str) -> list[str]:
    """Return the command line of a run as a process of its own."""
    return [sys.executable, "-m", "pytest", *arguments, *options(store)]


def run(store: Path, *arguments: str) -> Run:
    """Run pytest to its end and read the records that it wrote."""
    code, output = forks.run_pytest([*arguments, *options(store)], ROOT, TIMEOUT, os.environ)
    return Run(code, output, read_records(store))


def read_records(store: Path) -> list[Record]:
    """Read every record that runs against a store have left."""
    files = sorted(store.with_name("records").glob("*.jsonl"))
    return [record for file in files for record in records.read(file)]


def pipeline(store: Path) -> Pipeline:
    """Return the pipeline over a store, in this process."""
    return Pipeline(ArtifactStore(store), registry.models())


def plant(store: Path, kind: str, change: Callable[[onnx.ModelProto], None], opset: int = 0) -> None:
    """Change every ONNX model of a kind (and an opset) in the store, leaving the store itself in order."""

    def changed(body: dict[str, Any]) -> None:
        model = onnx.load(store / body["files"]["onnx"])
        change(model)
        data = model.SerializeToString()
        name = f"objects/planted/{hashlib.sha256(data).hexdigest()}.onnx"
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_bytes(data)
        body["files"]["onnx"] = name

    for entry in (store / "entries" / kind).glob("*.json"):
        if opset in (0, json.loads(entry.read_text())["key"].get("opset")):
            edit(entry, changed)


def edit(entry: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what an entry of a store, or the manifest of a source network, says, and seal it again."""
    row = json.loads(entry.read_text())
    change(row["body"])
    entry.write_bytes(sealed(row["kind"], row["key"], row["body"]))
