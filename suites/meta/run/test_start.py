"""All TensorRTs of a run are started at once, and none is left where one does not start."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.run import make_run
from fixtures.run.options import Options
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.verdicts import StageError
from suites.meta.places import ROOT
from suites.meta.stand_ins.tensorrt_bindings import conformance
from suites.meta.stand_ins.tensorrt_bindings.names import releases


def interpreter(folder: Path, release: str) -> str:
    """Return one that has the stand-in of a release, and starts when another has begun to."""
    path = f"{conformance.write(folder / release, releases()[release])}:{ROOT}"
    script = folder / f"python{release}"
    begun = shlex.quote(str(folder / "begun"))
    script.write_text(
        f"#!/bin/sh\necho >> {begun}\n"
        f"for i in $(seq 100); do [ $(wc -l < {begun}) -ge 2 ] && break; sleep 0.1; done\n"
        f'[ $(wc -l < {begun}) -ge 2 ] || exit 3\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n'
    )
    script.chmod(0o755)
    return str(script)


def test_they_start_at_once(tmp_path: Path) -> None:
    """Each waits for the other; one after the other would not start. Their order is that of the words."""
    words = [interpreter(tmp_path, release) for release in ("10.0.1", "8.6.1")]
    run = make_run(replace(Options(), tensorrt=words, models="digits", artifacts=tmp_path / "artifacts"))
    try:
        run.start_tensorrt()
        assert run.selection.tensorrt == ("trt10.0.1", "trt8.6.1")
    finally:
        run.close()


def test_none_is_left_where_one_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is that of the one, and the workers of the others have ended."""
    closed: list[str] = []
    close = TensorRT.close

    def noted(client: TensorRT) -> None:
        close(client)
        closed.append(client.interpreter.name)

    monkeypatch.setattr(TensorRT, "close", noted)
    words = [interpreter(tmp_path, "8.6.1"), "/bin/true"]
    (tmp_path / "begun").write_text("\n")
    run = make_run(replace(Options(), tensorrt=words, models="digits", artifacts=tmp_path / "artifacts"))
    with pytest.raises(StageError, match="/bin/true gives no TensorRT worker"):
        run.start_tensorrt()
    assert (run.clients, closed) == ({}, ["python8.6.1", "true"])
