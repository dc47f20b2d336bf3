"""Runs MXNet 1.9.1 in a child process, because it needs names put back into NumPy."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from reference_models.model import Source

ROOT = Path(__file__).resolve().parents[2]


def run(module: str, *arguments: str) -> None:
    """Run one of our modules that import MXNet, as ``python -m`` does.

    Raises ModuleNotFoundError without MXNet, ImportError when it cannot be imported (NumPy 2) or
    the child fails otherwise.
    """
    if find_spec("mxnet") is None:
        raise ModuleNotFoundError(
            "mxnet is not installed; it builds the MXNet networks. "
            "Install mxnet==1.9.1 and numpy<2 on Python 3.12 or older (tox run -e convert)",
            name="mxnet",
        )
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT,
        capture_output=True, text=True, errors="replace", timeout=600, check=False,
    )  # fmt: skip
    if done.returncode:
        last = "\n".join(done.stderr.splitlines()[-5:])
        raise ImportError(f"MXNet failed in {module} {' '.join(arguments)}:\n{last}", name="mxnet")


def source(folder: Path, name: str) -> Source:
    """Wrap the two files NAME-symbol.json and NAME-0000.params of a network."""
    files = {"symbol": folder / f"{name}-symbol.json", "params": folder / f"{name}-0000.params"}
    digest = hashlib.sha256()
    for file in files.values():
        digest.update(file.read_bytes())
    return Source(digest.hexdigest(), "seeded", files)


def import_mxnet() -> Any:
    """Import MXNet with oneDNN off, under a NumPy that dropped names which it uses."""
    os.environ["MXNET_MKLDNN_ENABLED"] = os.environ["MXNET_STORAGE_FALLBACK_LOG_VERBOSE"] = "0"
    for name, kind in {"bool": bool, "object": object, "int": int, "float": float}.items():
        if name not in vars(np):
            setattr(np, name, kind)
    import mxnet

    return mxnet
