"""Runs of pytest as forks of one process that has imported the frameworks.

A test that runs the suite in a child process would else wait three seconds for the import of torch alone. No
module of the suite is imported before the fork: each run reads them itself, as pytest rewrites their asserts.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from suites.meta.places import ROOT

IMPORTED = (
    "numpy", "onnx", "onnx.reference", "pytest", "jsonschema", "torch", "torch.onnx", "onnxscript",
    "onnxslim", "cv2", "sklearn.datasets",
)  # fmt: skip
"""What runs import anyway. Not onnxruntime and mxnet: they start threads, which do not live on in a fork."""
EXPIRED = "expired"


def serve(requests: IO[str], answers: IO[str]) -> int | None:
    """Fork a run for each line of requests and write its exit code. Return in a fork, with its own."""
    for name in IMPORTED:
        with suppress(ImportError):
            import_module(name)
    if (threads := len(os.listdir("/proc/self/task"))) != 1:
        raise RuntimeError(f"{threads} threads after the imports: which of {IMPORTED} starts one?")
    gc.freeze()
    for line in requests:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            return run(request)
        print(waited(child, request["timeout"]), file=answers, flush=True)
    return None


def run(request: Mapping[str, Any]) -> int:
    """Become a run of pytest: its folder, environment, words and files of output."""
    os.setsid()
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(request["environment"])
    for stream, name in enumerate(("input", "output", "errors")):
        os.dup2(os.open(str(request[name]), os.O_RDWR), stream)
    sys.argv = ["pytest", *request["arguments"]]
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [str(request["folder"]), *filter(None, added)]
    import pytest

    return int(pytest.main())


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
    sys.exit(serve(sys.stdin, sys.stdout))
