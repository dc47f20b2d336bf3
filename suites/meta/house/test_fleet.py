"""The pipelines of a fleet name environments that tox has, and options that there are."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fixtures.run.options import Options
from suites.meta.places import ROOT

yaml = pytest.importorskip("yaml")
pytest.importorskip("tox", reason="tox is not installed; run `tox run -e meta`")
CPU, GPU = ["ubuntu-24.04"], ["self-hosted", "gpu"]


def matrix(*words: str, output: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script that prints a matrix."""
    command = [sys.executable, ".ci/matrix.py", *words]
    return subprocess.run(
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin", "GITHUB_OUTPUT": output},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def read(name: str) -> Any:
    """Return the content of a YAML file of the checkout."""
    return yaml.safe_load((ROOT / name).read_text())


def test_the_matrix_is_that_of_tox(tmp_path: Path) -> None:
    """Names and globs give environments, each with the machines that can take it; GitHub reads the line."""
    output = tmp_path / "output"
    done = matrix("rtx17 rtx16-gpu", "trt101?", output=str(output))
    rows = {row["environment"]: row for row in json.loads(done.stdout)["include"]}
    assert {"rtx17", "rtx16-gpu", "trt1010", "trt1016"} <= set(rows)
    assert not {"rtx16", "trt100", "convert"} & set(rows)
    assert rows["rtx17"]["runner"] == CPU
    assert rows["trt1016"]["runner"] == [*GPU, "trt1016"]
    assert output.read_text() == f"matrix={done.stdout}"


@pytest.mark.parametrize(
    ("environment", "precisions", "batches"),
    [("rtx17", "fp32,fp16", None), ("rtx17-gpu", "fp32,tf32,fp16", "1,8,dynamic")],
)  # fmt: skip
def test_arguments_leave_an_environment_its_precisions(
    environment: str, precisions: str, batches: str | None
) -> None:
    """The precisions of an environment come from variables, which no other argument replaces."""
    command = [sys.executable, "-m", "tox", "config", "-e", environment, "-k", "set_env", "commands"]
    done = subprocess.run(
        [*command, "--", "--model", "x"], cwd=ROOT, env={"PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = dict(re.findall(r"^ *(TRT_PARITY_\w+)=(.*)$", done.stdout, re.MULTILINE))
    assert said["TRT_PARITY_PRECISIONS"] == precisions
    assert said.get("TRT_PARITY_BATCHES") == batches
    assert done.stdout.rstrip().endswith("--model x")


def test_a_pattern_that_fits_nothing_is_said() -> None:
    """A misspelt environment is no empty matrix."""
    done = matrix("rtx99")
    assert (done.returncode, done.stdout) == (1, "")
    assert "rtx99 names no environment; there are rtx14, " in done.stderr


def test_gitlab_runs_environments_of_tox() -> None:
    """Each of its jobs; those for GPUs have the tags of such a runner."""
    jobs = read(".ci/gitlab-ci.yml")
    named = {job: jobs[job]["parallel"]["matrix"][0]["ENVIRONMENT"] for job in ("builds", "gpu")}
    rows = {
        row["environment"]: row["gpu"]
        for row in json.loads(matrix(*named["builds"], *named["gpu"]).stdout)["include"]
    }
    assert rows == dict.fromkeys(named["builds"], False) | dict.fromkeys(named["gpu"], True)


def test_kubernetes_covers_every_model_once() -> None:
    """As many parts as pods, a GPU for each, and options that there are."""
    spec = read(".ci/kubernetes-job.yml")["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    (text,) = container["args"]
    assert spec["completionMode"] == "Indexed"
    assert f"--shard=$((JOB_COMPLETION_INDEX + 1))/{spec['completions']}" in text
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    options = {option.metadata["flag"] for option in fields(Options)}
    assert set(re.findall(r"--[a-z-]+", text.partition(" -- ")[2])) <= options
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["template"]["spec"]["volumes"]}


def test_github_has_the_matrix_of_the_script() -> None:
    """The job that plans runs the script, and the one that builds takes its answer."""
    jobs = read(".github/workflows/matrix.yml")["jobs"]
    assert any("python .ci/matrix.py" in step.get("run", "") for step in jobs["plan"]["steps"])
    assert jobs["engines"]["strategy"]["matrix"] == "${{ fromJSON(needs.plan.outputs.matrix) }}"
    assert jobs["engines"]["runs-on"] == "${{ matrix.runner }}"
