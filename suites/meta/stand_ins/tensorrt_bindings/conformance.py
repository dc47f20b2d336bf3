"""A worker over the stand-in of one release: what a test starts instead of a real TensorRT."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.worker import MODULES
from suites.meta.stand_ins.tensorrt_bindings.names import Release

ROOT = Path(__file__).resolve().parents[4]
DRIVER = """from suites.meta.stand_ins.tensorrt_bindings.cuda import *
from suites.meta.stand_ins.tensorrt_bindings.cuda import LACKS

if LACKS == "no driver":
    raise ImportError("libcuda.so.1: cannot open shared object file: No such file or directory")
"""
TENSORRT = """import sys
from suites.meta.stand_ins.tensorrt_bindings import module, names

rows = frozenset(tuple(row) for row in {rows!r})
release = names.Release({version!r}, {basis!r}, rows)
module.populate(sys.modules[__name__], release)
"""


def write(folder: Path, release: Release) -> Path:
    """Write the modules `tensorrt` and `pycuda` of a release into a folder for PYTHONPATH."""
    (folder / "pycuda").mkdir(parents=True)
    (folder / "pycuda" / "__init__.py").write_text("")
    (folder / "pycuda" / "driver.py").write_text(DRIVER)
    for name in MODULES[1:]:  # a stand-in that fails must not be replaced by a real TensorRT
        (folder / f"{name}.py").write_text("raise ImportError('only the stand-in is asked for')\n")
    text = TENSORRT.format(rows=sorted(release.rows), version=release.version, basis=release.basis)
    (folder / "tensorrt.py").write_text(text)
    return folder


def worker(folder: Path, release: Release, *, interpreter: str = sys.executable, lacks: str = "") -> TensorRT:
    """Return the client of a worker whose TensorRT is the stand-in; `lacks` as in `cuda`."""
    path = os.pathsep.join([str(write(folder, release)), str(ROOT)])
    return TensorRT(interpreter, timeout=60, environment={"PYTHONPATH": path, "STAND_IN_CUDA": lacks})
