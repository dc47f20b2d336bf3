"""A run in which nothing was executed is red, unless it is said to be meant."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from fixtures.records import Record
from fixtures.run import make_run
from fixtures.run.options import Options
from fixtures.verdicts import Verdict

Ended = tuple[str, Verdict]
NOT_RUN: Ended = ("onnxruntime-parity", "not-run")


def idle(*written: Ended, interpreters: Iterable[str] = (), require: str = "") -> list[str]:
    """Return what a run with these records says of what was not executed."""
    run = replace(make_run(replace(Options(), require=require)), interpreters=tuple(interpreters))
    run.written += [
        Record(stage=stage, verdict=verdict, model={"name": "digits"}, message="torch is not installed here")
        for stage, verdict in written
    ]
    return run.idle()


def test_a_run_of_not_run_alone_is_red() -> None:
    """The line says how many were not run, the commonest reason, and how to allow it."""
    (line,) = idle(("convert", "not-run"), NOT_RUN)
    for part in ("2 of 2 stages", "torch is not installed here", "--require none"):
        assert part in line


@pytest.mark.parametrize("verdict", ["passed", "failed", "xfailed", "unsupported", "crashed"])
def test_one_executed_stage_is_enough(verdict: Verdict) -> None:
    """Stages that were not run beside one that was do not make a run red."""
    assert idle(NOT_RUN, ("convert", verdict)) == []


def test_a_look_at_the_tables_executes_nothing() -> None:
    """The stage `support` looks up and runs nothing: it does not make up for the others."""
    assert len(idle(NOT_RUN, ("support", "passed"))) == 1
    assert idle(("support", "passed")) == []


def test_none_allows_it() -> None:
    """--require none is for environments that record what is missing on purpose."""
    assert idle(NOT_RUN, require="none") == []


def test_a_required_stage_must_execute() -> None:
    """--require names stages; what other stages did does not count for them."""
    assert idle(NOT_RUN, ("convert", "passed"), require="onnxruntime-parity") == [
        "--require: stage onnxruntime-parity executed nothing"
    ]


def test_a_named_interpreter_must_build() -> None:
    """Who names a TensorRT and asks for builds wants them executed."""
    written: list[Ended] = [("tensorrt-build", "not-run"), ("convert", "passed")]
    assert idle(*written, interpreters=["python"]) == ["--require: stage tensorrt-build executed nothing"]
    assert idle(*written) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [({"require": "convrt"}, "no stage 'convrt'; nearest: convert"),
     ({"require": "none,convert"}, "no stage 'none'"),
     ({"worker_timeout": float("nan")}, "--worker-timeout: nan is no time limit"),
     ({"worker_timeout": float("inf")}, "inf is no time limit"),
     ({"worker_timeout": -1.0}, "-1 is no time limit"),
     ({"build_ahead": -1}, "--build-ahead: -1 is no number of workers")],
)  # fmt: skip
def test_a_wrong_value_is_one_clear_line(given: dict[str, object], said: str) -> None:
    """An unknown stage and a time that is no limit are refused before anything is collected."""
    with pytest.raises(ValueError, match=said):
        make_run(replace(Options(), **given))  # type: ignore[arg-type]
