"""All TensorRTs of a run are started at once, where a stage needs one; none is left where one fails."""

import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.cases import Case
from fixtures.pipeline.models import OnnxModel
from fixtures.records import Metric
from fixtures.run import make_run
from fixtures.run.options import Options
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.versions import default_interpreter
from fixtures.verdicts import StageError
from suites.meta.gates.child_runs import run as run_suite
from suites.meta.places import EXPECTATIONS, ROOT
from suites.meta.runtimes.tensorrt.test_build_options import linear
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


def test_the_optimization_level_reaches_engines_and_records(tmp_path: Path) -> None:
    """An engine of another level is another one, built at it; each record of a TensorRT tells the level."""
    if (own := default_interpreter()) is None:
        pytest.skip(f"{sys.executable} has no TensorRT")
    data = linear(tmp_path / "m.onnx", 1.0)
    model = OnnxModel(data, "0" * 64, {}, "m")
    keys, levels = [], []
    for level in (None, 0):
        given = replace(
            Options(), models="digits", artifacts=tmp_path / "artifacts", optimization_level=level
        )
        run = make_run(replace(given, tensorrt=[str(own)]))
        try:
            run.start_tensorrt()
            ((label, client),) = run.clients.items()
            build = run.pipeline.engine_build(client, model, "fp32")
            assert build.build()[0].ok
            keys.append(build.key)
            levels.append(
                run.begin(Case("tensorrt-build", "digits", "torchscript", 13, label), "node").metrics
            )
        finally:
            run.close()
    assert keys[1] == {**keys[0], "optimization_level": "0"}
    assert [metrics.get("optimization_level") for metrics in levels] == [
        None,
        Metric(0.0, "of 5", False, None),
    ]


ANSWERS = "TensorRT rtx"
"""What a line of a run begins with that names a TensorRT-RTX that has started."""


@pytest.mark.slow
@pytest.mark.skipif(default_interpreter() is None, reason="no TensorRT here; run `tox run -e meta`")
@pytest.mark.parametrize(
    ("suite", "starts"), [("convert", False), ("support", False), ("build", True), ("latency", True)]
)
def test_one_that_nobody_named_starts_where_a_stage_needs_it(
    suite: str, starts: bool, tmp_path: Path
) -> None:
    """A stage that talks to none, and needs no GPU, does not wait for one."""
    ended = run_suite(tmp_path / "artifacts", f"suites/test_{suite}.py", "--model=digits", "--collect-only")
    assert ended.code == 0, ended.output
    assert (ANSWERS in ended.output) == starts


@pytest.mark.slow
@pytest.mark.parametrize(("version", "code"), [("99.1", 0), ("99.2", 4)])
def test_a_row_may_name_a_version_that_no_table_knows(
    version: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked of the TensorRT that is here, whatever suite is run."""
    folder = Path(shutil.copytree(EXPECTATIONS, tmp_path / "expectations"))
    (folder / "known_failures.toml").write_text(
        f"[[known_failure]]\ntensorrt='trt{version}*'\nmessage='no plugin'\nreason='x'\nlink='x'\n"
    )
    bindings = conformance.write(tmp_path / "bindings", releases()["10.0.1"]._replace(version="99.1"))
    monkeypatch.setenv("PYTHONPATH", f"{bindings}:{ROOT}")
    ended = run_suite(
        tmp_path / "artifacts", "suites/test_convert.py", "--model=digits", "--collect-only",
        f"--expectations={folder}",
    )  # fmt: skip
    assert ended.code == code, ended.output
    assert ("row 1" in ended.output) == (code == 4)
