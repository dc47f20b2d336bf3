"""A run in which nothing was executed is red, unless it is said to be meant."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from fixtures.records import Record
from fixtures.report.join import Joined
from fixtures.run import make_run
from fixtures.run.options import Options
from fixtures.verdicts import Verdict

Ended = tuple[str, Verdict]
NOT_RUN: Ended = ("onnxruntime-parity", "not-run")
NO_OPSET: Ended = ("convert", "unsupported")
WHY = "torch is not installed here"


def written(*ended: Ended, digest: str = "") -> list[Record]:
    """Return records of stages that ended so. digest: of the model, where there is an ONNX model."""
    model = {"name": "digits"} | ({"digest": digest} if digest else {})
    return [Record(stage=stage, verdict=verdict, model=model, message=WHY) for stage, verdict in ended]


def idle(
    *ended: Ended,
    interpreters: Iterable[str] = (),
    require: str = "",
    standing: tuple[str, ...] = (),
    digest: str = "",
) -> list[str]:
    """Return what a run with these records says of what was not executed."""
    run = make_run(replace(Options(), require=require))
    run = replace(run, interpreters=tuple(interpreters), standing=standing)
    run.written += written(*ended, digest=digest)
    return run.idle()


def test_a_run_of_not_run_alone_is_red() -> None:
    """The line says how many were not run, the commonest reason, and how to allow it."""
    (line,) = idle(("convert", "not-run"), NOT_RUN)
    for part in ("of 2 stages: 2 not-run, all because: torch is not installed here", "--require none"):
        assert part in line


def test_a_run_without_any_onnx_model_is_red() -> None:
    """Where no converter could write the opsets, nothing ran: that is no success, unless it is meant."""
    (line,) = idle(NO_OPSET, ("tensorrt-build", "unsupported"), ("support", "unsupported"), NOT_RUN)
    assert "nothing was executed, of 4 stages: 3 unsupported and 1 not-run, all because: torch" in line
    assert idle(NO_OPSET, require="none") == []


@pytest.mark.parametrize("verdict", ["passed", "failed", "xfailed", "crashed"])
def test_one_executed_stage_is_enough(verdict: Verdict) -> None:
    """Stages that were not run, or had no ONNX model, beside one that was do not make a run red."""
    assert idle(NOT_RUN, NO_OPSET, ("convert", verdict)) == []


def test_what_a_parser_refuses_was_executed() -> None:
    """A model that TensorRT was shown and refuses, as the tables say, is an answer."""
    assert idle(("tensorrt-build", "unsupported"), require="tensorrt-build", digest="0a") == []


def test_a_look_at_the_tables_executes_nothing() -> None:
    """The stage `support` looks up and runs nothing: it does not make up for the others."""
    assert len(idle(NOT_RUN, ("support", "passed"))) == 1
    assert idle(("support", "passed")) == []
    assert idle(("support", "passed"), ("support", "unsupported")) == []


def test_none_allows_it() -> None:
    """--require none is for environments that record what is missing on purpose."""
    assert idle(NOT_RUN, require="none") == []


def test_a_required_stage_must_execute() -> None:
    """--require names stages; what other stages did does not count for them, and the line says why."""
    assert idle(NOT_RUN, ("convert", "passed"), require="onnxruntime-parity") == [
        f"--require: stage onnxruntime-parity executed nothing: 1 not-run, all because: {WHY}"
    ]
    assert idle(("convert", "passed"), require="migration") == [
        "--require: stage migration executed nothing: the run has no case of it"
    ]


@pytest.mark.parametrize("by", ["require", "standing", "interpreters"])
def test_a_required_stage_must_have_a_model(by: str) -> None:
    """Whoever asks for the stage: one that had no ONNX model to work on executed nothing."""
    asked = {"require": "tensorrt-build", "standing": ("tensorrt-build",), "interpreters": ["python"]}[by]
    said = idle(("convert", "passed"), ("tensorrt-build", "unsupported"), **{by: asked})  # type: ignore[arg-type]
    assert said == [f"--require: stage tensorrt-build executed nothing: 1 unsupported, all because: {WHY}"]


def test_a_named_interpreter_must_build() -> None:
    """Who names a TensorRT and asks for builds wants them executed."""
    ended: list[Ended] = [("tensorrt-build", "not-run"), ("convert", "passed")]
    (line,) = idle(*ended, interpreters=["python"])
    assert line.startswith("--require: stage tensorrt-build executed nothing: 1 not-run")
    assert idle(*ended) == []


def test_the_report_says_it_as_well() -> None:
    """Records of which none had an ONNX model are no success in the report either."""
    assert Joined(tuple(written(NO_OPSET, NOT_RUN, ("support", "passed"))), ()).nothing_executed
    assert not Joined(tuple(written(NO_OPSET, digest="0a")), ()).nothing_executed


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
