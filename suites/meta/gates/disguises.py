"""Interpreters with the real TensorRT of this one, under another version and with an error planted."""

from __future__ import annotations

import stat
import sys
from importlib.util import find_spec
from pathlib import Path

from fixtures.runtimes.tensorrt import worker

DISGUISE = """
import importlib, sys
sys.path.remove({folder!r})
del sys.modules[__name__]
trt = importlib.import_module(__name__)
trt.__version__ = {version!r}
"""
"""A module in front of the real TensorRT: gives that one, under another version number."""
KILLER = """
import hashlib, os, signal
class Parser(trt.OnnxParser):
    def parse_from_file(self, path):
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        died = os.path.join({folder!r}, digest)
        if digest in {digests!r} and not ({once} and os.path.exists(died)):
            open(died, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().parse_from_file(path)
trt.OnnxParser = Parser
"""
"""Kills the worker on files of some digests: each time, or once on each."""


def disguise(folder: Path, version: str, planted: str = "") -> str:
    """Make an interpreter below a folder whose TensorRT has a version and goes wrong as planted."""
    name = next(name for name in worker.MODULES if find_spec(name))
    place, script = folder / version, folder / f"python-{version}"
    place.mkdir()
    (place / f"{name}.py").write_text(DISGUISE.format(folder=str(place), version=version) + planted)
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{place}" exec "{sys.executable}" "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)
