"""Runs MXNet 1.9.1 in a child process, because it needs names put back into NumPy."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from reference_models.model import Source, Weights

SHELL = 128
"""A shell's exit code of a program that a signal ended is this and the number of the signal."""
ROOT = Path(__file__).resolve().parents[2]
SPARED = ("scipy", "sklearn")
"""What MXNet imports where it is there, for what neither a build nor a training needs: 1.4 s of CPU time."""


def run(module: str, *arguments: str) -> None:
    """Run one of our modules that import MXNet, as ``python -m`` does.

    Raises ModuleNotFoundError without MXNet, ImportError when it cannot be imported (NumPy 2) or
    the child fails otherwise.
    """
    _need()
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT,
        capture_output=True, text=True, errors="replace", timeout=600, check=False,
    )  # fmt: skip
    if done.returncode:
        last = "\n".join(done.stderr.splitlines()[-5:])
        raise ImportError(f"MXNet failed in {module} {' '.join(arguments)}:\n{last}", name="mxnet")


def _need() -> None:
    if find_spec("mxnet") is None:
        raise ModuleNotFoundError(
            "mxnet is not installed; it builds and trains the MXNet networks. "
            "Install mxnet==1.9.1 and numpy<2 on Python 3.12 or older (tox run -e convert)",
            name="mxnet",
        )


def attended(module: str, *arguments: str) -> int:
    """Run one of our modules that import MXNet, on one thread, and let it print; return its exit code.

    Ctrl+C reaches the child by itself, and SIGTERM is handed on: it ends when it has kept what it has.
    Raises ModuleNotFoundError without MXNet.
    """
    _need()
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    child = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, env=os.environ | single)
    handlers = {signal.SIGINT: lambda *_: None, signal.SIGTERM: lambda number, _: child.send_signal(number)}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else SHELL - code


def source(folder: Path, name: str, weights: Weights = "seeded") -> Source:
    """Wrap the two files NAME-symbol.json and NAME-0000.params of a network."""
    files = {"symbol": folder / f"{name}-symbol.json", "params": folder / f"{name}-0000.params"}
    digest = hashlib.sha256()
    for file in files.values():
        digest.update(file.read_bytes())
    return Source(digest.hexdigest(), weights, files)


def import_mxnet(*, onednn: bool = False) -> Any:
    """Import MXNet, under a NumPy that dropped names which it uses.

    onednn: for training, which is three times as fast with it; outputs are compared without.
    """
    os.environ["MXNET_MKLDNN_ENABLED"] = str(int(onednn))
    os.environ["MXNET_STORAGE_FALLBACK_LOG_VERBOSE"] = os.environ["MXNET_SUBGRAPH_VERBOSE"] = "0"
    for name, kind in {"bool": bool, "object": object, "int": int, "float": float}.items():
        if name not in vars(np):
            setattr(np, name, kind)
    spared = [name for name in SPARED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(spared))  # type: ignore[arg-type]  # None is what cannot be imported
    try:
        import mxnet
    finally:
        for name in spared:
            del sys.modules[name]
    return mxnet
