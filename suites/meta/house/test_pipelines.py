"""The pipelines of a fleet, job by job: each in a checkout of its own, with what other jobs hand it.

Their commands run as they are written, by bash, but for two things: tox itself is there already, and it runs
the commands of an environment in this interpreter, as `tox config` has them, instead of installing one.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from fixtures import records
from fixtures.runtimes.tensorrt.versions import default_interpreter
from suites.meta.house.test_slow import FRAMEWORKS, HIDE
from suites.meta.mutants.trials import Copy
from suites.meta.places import ROOT

yaml = pytest.importorskip("yaml")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(default_interpreter() is None, reason=f"{sys.executable} has no TensorRT"),
]
for needed in ("tox", "torch", "jinja2"):
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed; run `tox run -e meta`", allow_module_level=True)

FEW = "test_converts or test_onnxruntime_gives or test_engine_builds"
"""The tests that a fleet runs here: those that its environments want to have executed something."""
TOX = """
import configparser, os, shlex, subprocess, sys
run, flag, name, *rest = sys.argv[1:]
assert (run, flag) == ("run", "-e"), sys.argv
ask = [sys.executable, "-m", "tox", "config", "-e", name, "-k", "set_env", "commands", *rest]
said = configparser.RawConfigParser()
said.read_string(subprocess.run(ask, capture_output=True, text=True, check=True).stdout)
told = said[f"testenv:{name}"]
set_env = dict(line.split("=", 1) for line in told["set_env"].split())
hidden = {"PYTHONPATH": os.environ["HIDDEN"]} if name.startswith("rtx") else {}
for command in told["commands"].strip().splitlines():
    python, *words = shlex.split(command)
    assert python == "python", command
    done = subprocess.run([sys.executable, *words], env=os.environ | set_env | hidden)
    if done.returncode:
        sys.exit(done.returncode)
"""
"""Runs an environment of the checkout it stands in; those of engines have no framework."""
INSTALLS = re.compile(r"(python3 -m venv \.tox/runner && )?\S*python -m pip install tox")
Job = Mapping[str, Any]


@dataclass(frozen=True)
class Fleet:
    """Where jobs run. folder: of checkouts, of what jobs hand over, and of a `tox` and a `python`."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Fleet:
        """Make the programs."""
        (folder / "hidden").mkdir(parents=True)
        (folder / "hidden" / "sitecustomize.py").write_text(HIDE.format(names=tuple(FRAMEWORKS[:3])))
        (folder / "tox.py").write_text(TOX)
        (folder / "bin").mkdir()
        for name, words in {
            "tox": [sys.executable, str(folder / "tox.py")],
            "python": [sys.executable],
        }.items():
            (folder / "bin" / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            (folder / "bin" / name).chmod(0o755)
        return cls(folder)

    def checkout(self, job: str) -> Path:
        """Return a new checkout for a job."""
        return Copy.of(ROOT, self.folder / "jobs" / job, compiled=True).folder

    def do(self, text: str, checkout: Path, **variables: str) -> None:
        """Run commands in bash as a runner does. AssertionError with what they said where one fails."""
        text = INSTALLS.sub("true", text).replace(".tox/runner/bin/", "")
        done = subprocess.run(
            ["/bin/bash", "-e", "-o", "pipefail", "-c", text],
            cwd=checkout, capture_output=True, text=True, check=False,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("TRT_PARITY_")},
                "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "HIDDEN": str(self.folder / "hidden"), "TRT_PARITY_MODELS": "lenet", "PYTHONPATH": "",
                "TRT_PARITY_PROCESSES": "0", "PYTEST_ADDOPTS": f"-k '{FEW}'", **variables,
            },
        )  # fmt: skip
        assert done.returncode == 0, f"{text}: {done.stdout}{done.stderr}"


def copied(source: Path, target: Path) -> None:
    """Copy a file or the content of a folder to where others may have copied already."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values in for the expressions of a GitHub workflow. KeyError for another one."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: values[match[1]], text)


def github(fleet: Fleet, job: Job, name: str, values: Mapping[str, str]) -> Path:
    """Run the steps of a job of GitHub Actions, artifacts by way of a folder. Return its checkout."""
    checkout, handed = fleet.checkout(name), fleet.folder / "handed"
    for step in job["steps"]:
        about = {key: filled(str(value), values) for key, value in step.get("with", {}).items()}
        if "run" in step:
            variables = {key: filled(value, values) for key, value in step.get("env", {}).items()}
            fleet.do(filled(step["run"], values), checkout, GITHUB_OUTPUT=str(checkout / "said"), **variables)
        elif step["uses"].startswith("actions/upload-artifact@"):
            place = checkout / about["path"]
            copied(place, handed / about["name"] / ("" if place.is_dir() else place.name))
        elif step["uses"].startswith("actions/download-artifact@"):
            wanted = about.get("pattern", about.get("name", ""))
            for found in handed.iterdir():
                if fnmatchcase(found.name, wanted):
                    copied(found, checkout / about.get("path", ""))
    return checkout


def gitlab(
    fleet: Fleet, jobs: Mapping[str, Job], name: str, taken: Iterable[Path] = (), **variables: str
) -> Path:
    """Run a job of GitLab in a checkout with the artifacts of others. Return the folder of its own."""
    job = {**jobs.get(jobs[name].get("extends", ""), {}), **jobs[name]}
    checkout, own = fleet.checkout(name), fleet.folder / "handed" / name
    for each in taken:
        copied(each, checkout)
    fleet.do("\n".join([*jobs["default"]["before_script"], *job["script"]]), checkout, **variables)
    for path in job["artifacts"]["paths"]:
        copied(checkout / path, own / path)
    return own


def assert_whole(report: Path, taken: Path) -> None:
    """A report has engines of every model that was converted, of the records of two jobs that it has taken.

    The job that builds has no framework: its models, and what it holds them against, are the first one's.
    """
    assert (report / "index.html").is_file()
    opsets: dict[str, set[int | None]] = {}
    for record in records.read(report / "records.jsonl"):
        assert record.verdict == "passed", record
        opsets.setdefault(record.stage, set()).add(record.opset)
    assert set(opsets) == {"convert", "onnxruntime-parity", "tensorrt-build"}
    assert opsets["convert"] == opsets["onnxruntime-parity"] == opsets["tensorrt-build"]
    assert len({record.run_id for file in taken.glob("*.jsonl") for record in records.read(file)}) == 2


def test_github_converts_once_and_joins_the_records(tmp_path: Path) -> None:
    """The store goes as one archive to machines of the planned matrix that have no frameworks."""
    fleet = Fleet.at(tmp_path / "fleet")
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "matrix.yml").read_text())["jobs"]
    planned = github(fleet, jobs["plan"], "plan", {"inputs.environments || vars.ENVIRONMENTS": "rtx17"})
    assert '"environment": "rtx17"' in (planned / "said").read_text()
    github(fleet, jobs["convert"], "convert", {})
    github(fleet, jobs["engines"], "engines", {"matrix.environment": "rtx17"})
    checkout = github(fleet, jobs["report"], "report", {})
    assert_whole(checkout / "report", checkout / "records")


def test_gitlab_converts_once_and_joins_the_records(tmp_path: Path) -> None:
    """The same, the records of the first job not being given on by the second."""
    fleet = Fleet.at(tmp_path / "fleet")
    jobs = yaml.safe_load((ROOT / ".ci" / "gitlab-ci.yml").read_text())
    converted = gitlab(fleet, jobs, "convert")
    built = gitlab(fleet, jobs, "builds", [converted], ENVIRONMENT="rtx17")
    public = gitlab(fleet, jobs, "pages", [converted, built]) / "public"
    assert_whole(public, fleet.folder / "jobs" / "pages" / "records")


def test_a_command_that_fails_is_seen(tmp_path: Path) -> None:
    """Any line of a step, as on a runner."""
    with pytest.raises(AssertionError, match="no environment"):
        Fleet.at(tmp_path / "fleet").do("python .ci/matrix.py rtx99 | cat\ntrue", ROOT)


def test_kubernetes_gives_each_pod_its_part(tmp_path: Path) -> None:
    """The words that tox gets of the shell in each pod: 1/8 to 8/8, and the store of the fleet."""
    spec = yaml.safe_load((ROOT / ".ci" / "kubernetes-job.yml").read_text())["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    tox = tmp_path / "tox"
    tox.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    tox.chmod(0o755)
    parts = []
    for index in range(spec["completions"]):
        words = subprocess.run(
            [*container["command"], *container["args"]], capture_output=True, text=True, check=True,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "JOB_COMPLETION_INDEX": str(index)},
        ).stdout.splitlines()  # fmt: skip
        assert words[:3] == ["run", "-e", "rtx16-gpu"]
        assert "--remote-store=s3://trt-parity/store" in words
        parts += [word for word in words if word.startswith("--shard=")]
    assert parts == [f"--shard={number}/8" for number in range(1, 9)]
