"""Runs of pytest as forks of one process that has imported the frameworks and collected a suite.

A test that runs the suite in a child process would else wait three seconds for the import of torch alone,
half a second for that of the suite, and five seconds more for torch's first export. The plugin of the suite
is imported by pytest itself, which rewrites the asserts.
"""

from __future__ import annotations

import atexit
import gc
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from suites.meta.places import ROOT

if TYPE_CHECKING:
    from fixtures.converters.pytorch.convert import Exporter

IMPORTED = (
    "numpy", "onnx", "onnx.reference", "pytest", "jsonschema", "torch", "torch.onnx", "onnxscript",
    "onnxslim", "cv2", "sklearn.datasets",
)  # fmt: skip
"""What runs import anyway. Not onnxruntime and mxnet: they start threads, which do not live on in a fork."""
COLLECTED = ("suites/test_convert.py", "--model=digits", "--collect-only", "-q", "-p", "no:cacheprovider")
"""A run that imports the plugin and starts no TensorRT. It does what is the same in every run."""
EXPORTED: Mapping[Exporter, int] = {"torchscript": 13, "dynamo": 18}
OWN = ("fixtures.", "reference_models.")
KEPT = ("fixtures.compatibility.tables.", "fixtures.expectations.schema", "fixtures.store.keys")
"""Modules whose caches are of files of the checkout, and not of a run or of the machine."""
EXPIRED = "expired"


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Fork a run for each line of requests and write its exit code."""
    for name in IMPORTED:
        with suppress(ImportError):
            import_module(name)
    collect()
    with suppress(ImportError):
        export()
    if (threads := len(os.listdir("/proc/self/task"))) != 1:
        raise RuntimeError(f"{threads} threads after the imports: which of {IMPORTED} starts one?")
    gc.freeze()
    for line in requests:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run(request)
        print(waited(child, request["timeout"]), file=answers, flush=True)


def collect() -> None:
    """Collect a suite, and forget what that has looked up of machine and environment."""
    import pytest

    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nothing, redirect_stdout(nothing):
        code = pytest.main([*COLLECTED, f"--artifacts={folder}", "-p", "no:hypothesispytest"])
    if code:
        raise RuntimeError(f"pytest {' '.join(COLLECTED)} ended with {code}")
    # A report of what is red asks so for its source: the first time looks up the files of 2,000 modules.
    inspect.getmodule(inspect.currentframe())
    for module in [module for name, module in sys.modules.items() if name.startswith(OWN)]:
        for value in vars(module).values():
            if hasattr(value, "cache_clear") and not value.__module__.startswith(KEPT):
                value.cache_clear()


def export() -> None:
    """Let both exporters write a small module: for its first export, torch imports 800 modules more.

    One that fails here fails in the run that needs it, which says why.
    """
    import numpy as np
    import torch

    from fixtures.converters.errors import ConversionError
    from fixtures.converters.pytorch.convert import convert

    for exporter, opset in EXPORTED.items():
        with suppress(ConversionError):
            convert(torch.nn.ReLU(), {"x": np.zeros((1, 3, 8, 8), np.float32)}, ["y"], opset, exporter)


def run(request: Mapping[str, Any]) -> NoReturn:
    """Become a run of pytest: its folder, environment, words and files of output. End with its exit code.

    What was imported is not taken apart at the end: each page of it would be copied for that.
    """
    os.setsid()
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(request["environment"])
    for stream, name in enumerate(("input", "output", "errors")):
        os.dup2(os.open(str(request[name]), os.O_RDWR), stream)
    sys.argv = ["pytest", *request["arguments"]]
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [str(request["folder"]), *filter(None, added)]
    for module in filter(None, map(sys.modules.get, ("xdist.plugin", "xdist.workermanage"))):
        vars(module)["_sys_path"] = list(
            sys.path
        )  # what processes of -n import from, else that of the fork's start
    import pytest

    from fixtures.runtimes.onnxruntime import OnnxRuntime

    OnnxRuntime.threads = 1  # as of one of several processes of a run: others wait for the same cores
    code = int(pytest.main())
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def waited(child: int, timeout: float) -> int | str:
    """Return the exit code of a child, or EXPIRED after having killed it and what it had started."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return EXPIRED


@cache
def server() -> subprocess.Popen[str]:
    """Start the process that forks, its libraries on one thread. It ends when its input is closed."""
    command = [sys.executable, "-m", "suites.meta.gates.forks"]
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=alone, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def run_pytest(
    arguments: Sequence[str], folder: Path, timeout: float, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run pytest with arguments in a folder; return its exit code and what it printed.

    Raise subprocess.TimeoutExpired after timeout seconds.
    """
    process = server()
    assert process.stdin
    assert process.stdout
    with tempfile.TemporaryDirectory() as place:
        printed = [Path(place, name) for name in ("output", "errors")]
        for file in printed:
            file.touch()
        request = {
            "folder": str(folder),
            "environment": dict(environment),
            "timeout": timeout,
            "input": os.devnull,
        }
        request |= {"arguments": list(arguments), "output": str(printed[0]), "errors": str(printed[1])}
        print(json.dumps(request), file=process.stdin, flush=True)
        answer = process.stdout.readline().strip()
        assert answer, f"the process that forks ended with {process.wait()}; see its error above"
        text = "".join(file.read_text("utf-8", "replace") for file in printed)
    if answer == EXPIRED:
        raise subprocess.TimeoutExpired(["pytest", *arguments], timeout, text)
    return int(answer), text


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
