"""The rerun command of a record runs the same case in the same way: every option of the run is in it."""

import os
import shlex
import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import pytest

from fixtures.cases import Case
from fixtures.records import Record
from fixtures.run import make_run
from fixtures.run.options import Options
from suites.meta.gates.child_runs import read_records, run
from suites.meta.places import EXPECTATIONS, ROOT

NODE = "suites/test_convert.py::test_converts[digits]"
CASE = Case("tensorrt-build", "digits", "torchscript", 13, precision="fp16", batch="8")
GIVEN: dict[str, object] = {
    "artifacts": Path("/elsewhere/artifacts"), "records": Path("/elsewhere/records"), "refresh": True,
    "support": "none", "calibrator": "minmax", "int8_budget": "strict",
    "int8_search": True, "exclusions": EXPECTATIONS / "exclusions.toml", "worker_timeout": 8.0,
    "missing": ["10.16=no such wheel"], "optimization_level": 1,
    "baseline": ["save"], "baseline_file": Path("/elsewhere/baselines.jsonl"), "gpus": "GPU-a",
    "history": Path("/elsewhere/history.sqlite"), "triage": True, "issue": True,
}  # fmt: skip
"""Field -> a value that is not its default, of the options that are not chosen by the case."""
BY_CASE = {
    "models", "shard", "weights", "params", "inputs", "samples", "outputs", "opsets", "precisions", "batches",
    "tensorrt", "migrate", "ab", "calibration", "evaluation", "metric",
}  # fmt: skip
ALONE = {"require", "remote_store", "build_ahead"}
"""Options about a whole run: one case alone cannot satisfy it, and finds what it needs in the local store."""


def rerun(case: Case, **given: object) -> list[str]:
    """Words of the command of a case in a run with some options given."""
    return shlex.split(make_run(replace(Options(), **given)).rerun(case, NODE))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _outside_tox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOX_ENV_NAME", raising=False)


def test_every_option_is_spoken_for() -> None:
    """A new option must say how it comes into the rerun command."""
    assert {one.name for one in fields(Options)} == {*GIVEN, *BY_CASE, *ALONE, "expectations", "coco"}


@pytest.mark.parametrize("name", GIVEN)
def test_an_option_of_the_run_is_in_the_command(name: str) -> None:
    """Each option that is not at its default is repeated, and none that is."""
    (flag,) = (one.metadata["flag"] for one in fields(Options) if one.name == name)
    assert any(word.split("=")[0] == flag for word in rerun(CASE, **{name: GIVEN[name]}))
    assert not any(word.split("=")[0] == flag for word in rerun(CASE))


def test_the_case_is_chosen_alone() -> None:
    """Model, opset, precision and batch are those of the case, whatever the run covered."""
    words = rerun(CASE, opsets="11,13", precisions="fp32,fp16", batches="1,8,dynamic", require="convert")
    assert words[-8:] == ["--model", "digits", "--opset", "13", "--precision", "fp16", "--batch", "8"]
    assert not any(word.startswith("--require") for word in words)


def test_the_usual_precision_is_named_where_the_environment_has_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a variable makes fp16 and batch 8 the default, a case of fp32 and one sample says so."""
    usual = replace(CASE, precision="fp32", batch="1")
    assert not {"--precision", "--batch"} & set(rerun(usual))
    monkeypatch.setenv("TRT_PARITY_PRECISIONS", "fp16")
    monkeypatch.setenv("TRT_PARITY_BATCHES", "8,dynamic")
    assert rerun(usual)[-4:] == ["--precision", "fp32", "--batch", "1"]


def test_in_a_version_environment_the_command_is_toxs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that brings its TensorRT brings it again."""
    monkeypatch.setenv("TOX_ENV_NAME", "trt1016")
    words = rerun(CASE, missing=["10.16=no such wheel"], support="none")
    assert words[:5] == ["tox", "run", "-e", "trt1016", "--"]
    assert not any(word.startswith("--missing") for word in words)
    assert "--support=none" in words


def test_the_environment_of_a_users_own_tox_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In another repository's tox the command is pytest's, with the suite named by its whole path."""
    monkeypatch.setenv("TOX_ENV_NAME", "trt1016")
    monkeypatch.chdir(tmp_path)
    words = rerun(CASE, missing=["10.16=no such wheel"])
    assert words[1:4] == ["-m", "pytest", str(ROOT / NODE)]
    assert any(word.startswith("--missing") for word in words)


def alone(record: Record) -> Record:
    """A record without what differs from run to run."""
    return replace(record, run_id="", time="", seconds=0, harness=0)


@pytest.mark.slow
def test_the_printed_command_fails_as_the_run_did(tmp_path: Path) -> None:
    """A failure under expectations, a store and records of its own is reproduced by the printed command."""
    pytest.importorskip("torch")
    strict = shutil.copytree(EXPECTATIONS, tmp_path / "strict")
    (strict / "tolerances.toml").write_text(
        '[[tolerance]]\nrtol = 0.0\natol = 0.0\nrelative_l2 = 0.0\nreason = "nothing is equal to the bit"\n'
    )
    store = tmp_path / "artifacts"
    test = "suites/test_parity.py::test_onnxruntime_gives_the_source_outputs"
    options = [
        "--model=digits",
        "--opset=11",
        "--worker-timeout=77",
        f"--expectations={strict}",
        "-k",
        "torchscript",
    ]
    first = run(store, test, *options)
    (failed,) = read_records(store)
    environment = {key: value for key, value in os.environ.items() if key != "TOX_ENV_NAME"}
    again = subprocess.run(
        shlex.split(failed.rerun), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    _, second = sorted(read_records(store), key=lambda record: record.run_id != failed.run_id)
    assert (first.code, again.returncode) == (1, 1), again.stdout
    assert alone(second) == alone(failed)
    assert "--worker-timeout=77" in shlex.split(failed.rerun)
