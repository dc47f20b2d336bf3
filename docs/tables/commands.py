"""What commands print: the help of each, and the answers of `support` and `fix` about a small model."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout, suppress
from functools import cache
from pathlib import Path
from unittest.mock import patch

from docs.tables.markdown import code
from fixtures.__main__ import COMMANDS, Command, main

ROOT = Path(__file__).parents[2]
PLAIN = {"COLUMNS": "110", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
"""Help is as wide as the page, and has no colours."""
TIMEOUT = 120.0


def helps() -> str:
    """Return a heading and the help of every command."""
    return "".join(f"\n### {command.name}\n{code(help_of(command))}" for command in COMMANDS)


def help_of(command: Command) -> str:
    """Return the help of a command, which this process prints, as wide as the page and without colours."""
    printed = io.StringIO()
    with patch.dict(os.environ, PLAIN), redirect_stdout(printed), suppress(SystemExit):
        main([*command.words, "--help"])
    return printed.getvalue()


@cache
def support() -> str:
    """Return what `support` says of a model of one Resize."""
    with tempfile.TemporaryDirectory() as folder:
        write_resize(Path(folder, "model.onnx"))
        return code(run("support", "model.onnx", cwd=folder))


def releases() -> str:
    """Return of that answer only which releases take the model: one line a group of releases."""
    return code("\n".join(line for line in support().splitlines() if line.startswith("TensorRT")))


def fix() -> str:
    """Return what `fix` makes of the same model for TensorRT 7.0."""
    with tempfile.TemporaryDirectory() as folder:
        write_resize(Path(folder, "model.onnx"))
        return code(run("fix", "model.onnx", "--tensorrt", "7.0", "-o", "fixed.onnx", cwd=folder))


def run(*words: str, cwd: str | Path = ROOT) -> str:
    """Return what a command prints. Raise RuntimeError with its last words when it ends in an error."""
    done = subprocess.run(
        [sys.executable, "-m", "fixtures", *words],
        cwd=cwd, env={**os.environ, **PLAIN}, capture_output=True, text=True, timeout=TIMEOUT, check=False,
    )  # fmt: skip
    if done.returncode:
        line = " ".join(["python -m fixtures", *words])
        raise RuntimeError(f"{line}: exit code {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def write_resize(path: Path) -> None:
    """Write a model of one node, Resize to twice the size at opset 11."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    node = helper.make_node(
        "Resize", ["x", "roi", "scales"], ["y"], name="up", mode="nearest",
        coordinate_transformation_mode="half_pixel", nearest_mode="round_prefer_floor",
    )  # fmt: skip
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, side, side])
        for name, side in (("x", 13), ("y", 26))
    ]
    constants = {"roi": np.zeros(0, np.float32), "scales": np.array([1, 1, 2, 2], np.float32)}
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph([node], "resize", ends[:1], ends[1:], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), path)
