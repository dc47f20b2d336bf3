"""A Python whose TensorRT is the stand-in, with a device: engines run there as ONNX Runtime computes them."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from suites.meta.places import ROOT
from suites.meta.stand_ins.tensorrt_bindings import conformance
from suites.meta.stand_ins.tensorrt_bindings.names import releases

RELEASE = "8.6.1"
RTX = releases()["10.16.1.11"]._replace(version="1.7.1.116")
"""TensorRT-RTX as far as the suite asks: strongly typed, of another name."""
PLANTED = """
import os
from suites.meta.stand_ins.tensorrt_bindings import running
inference, runs = running.Plan.inference, []
def planted(self, feed):
    runs.append(1)
    return {{name: {wrong} for name, value in inference(self, feed).items()}}
running.Plan.inference = planted
"""
"""Behind the stand-in: each output is another one."""


def interpreter(folder: Path, *, wrong: str = "value", planted: str = "", rtx: bool = False) -> Path:
    """Write the interpreter. wrong: what it gives in place of `value`, of a `feed`. planted: more code."""
    modules = conformance.write(folder / "modules", RTX if rtx else releases()[RELEASE])
    with (modules / "tensorrt.py").open("a") as file:
        file.write(PLANTED.format(wrong=wrong) + planted + "\n")
    if rtx:  # a worker knows TensorRT-RTX by its name
        lacking = (modules / "tensorrt_rtx.py").read_bytes()
        (modules / "tensorrt.py").replace(modules / "tensorrt_rtx.py")
        (modules / "tensorrt.py").write_bytes(lacking)
    script, path = folder / "python", os.pathsep.join([str(modules), str(ROOT)])
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script
