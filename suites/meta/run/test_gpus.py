"""Several GPUs in one run: a process each, which sees no other, and a lock that other runs respect too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.environment import gpus
from fixtures.run import make_run
from fixtures.run.options import Options
from fixtures.run.turns import turn
from fixtures.runtimes.tensorrt.versions import default_interpreter
from fixtures.verdicts import StageError
from suites.meta.gates.child_runs import Run, command, pipeline, read_records
from suites.meta.places import ROOT
from suites.meta.stand_ins.tensorrt_bindings import conformance
from suites.meta.stand_ins.tensorrt_bindings.names import releases

pytestmark = pytest.mark.slow
pytest.importorskip("torch", reason="run `tox run -e meta`")
FIRST, SECOND = "GPU-aaaaaaaa-1111", "GPU-bbbbbbbb-2222"
SMI = f"""#!/bin/sh
echo "0, {FIRST}, 00000000:00:00.0, 550.1, stand-in"
echo "1, {SECOND}, 00000000:01:00.0, 550.1, stand-in"
"""
WATCH = """import json, os
def pytest_runtest_call(item):
    with open(os.environ["WATCHED"], "a") as file:
        file.write(json.dumps([os.environ.get("CUDA_VISIBLE_DEVICES"), item.nodeid]) + "\\n")
"""
CHOSEN = ("--model=digits", "--opset=13", "-m", "tensorrt", "--support=none", "-p", "watch")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a machine of two GPUs: nvidia-smi, a Python with the stand-in, a filled store."""
    folder = tmp_path_factory.mktemp("machine")
    modules = conformance.write(folder / "modules", releases()["8.6.1"])
    (folder / "bin").mkdir()
    path = os.pathsep.join([str(modules), str(ROOT)])
    scripts = {"nvidia-smi": SMI, "python": f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n'}
    for name, text in scripts.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    (folder / "watch.py").write_text(WATCH)
    way = pipeline(folder / "artifacts")
    way.onnx_model("digits", "torchscript", 13)
    way.samples("digits")
    return folder


def started(machine: Path, name: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a run whose records, watch file and locks are its machine's."""
    store = machine / name / "artifacts"
    store.parent.mkdir()
    store.symlink_to(machine / "artifacts")
    environment = {
        **os.environ,
        "PATH": f"{machine / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(machine),
        "TMPDIR": str(machine),
        "WATCHED": str(machine / name / "watched"),
    }
    words = command(store, *arguments, *CHOSEN, f"--tensorrt={machine / 'bin' / 'python'}")
    return subprocess.Popen(
        words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def ended(machine: Path, name: str, child: subprocess.Popen[str]) -> Run:
    """Wait for a run."""
    output, _ = child.communicate(timeout=120)
    return Run(child.returncode, output, read_records(machine / name / "artifacts"))


def test_each_process_has_a_gpu_of_its_own(machine: Path) -> None:
    """-n auto starts one a GPU; each sees its own alone, and its records name it."""
    suites = ("suites/test_build.py", "suites/test_parity.py")
    child = started(
        machine, "both", *suites, "--gpus=all", "-n", "auto", "--precision=fp32,tf32", "--dist=load"
    )
    done = ended(machine, "both", child)
    assert done.code == 0, done.output
    watched = [json.loads(line) for line in (machine / "both" / "watched").read_text().splitlines()]
    assert {gpu for gpu, _ in watched} == {FIRST, SECOND}
    assert sorted(r.device["uuid"] for r in done.records) == sorted(gpu for gpu, _ in watched)
    assert all(f"--gpus={r.device['uuid']}" in r.rerun for r in done.records)


def test_one_process_takes_one_gpu(machine: Path) -> None:
    """Several for one process are an error that says what to do; no test has run."""
    done = ended(machine, "many", started(machine, "many", "suites/test_build.py", "--gpus=0,1"))
    assert (done.code, done.records) == (4, [])
    assert "--gpus names 2 GPUs, and one process uses one: add -n auto" in done.output


@pytest.mark.skipif(default_interpreter() is None, reason="there is no TensorRT here")
def test_a_gpu_that_was_asked_for_and_is_not_seen_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A MIG instance that is none: all that needs a GPU would be left out, and the builds alone be green."""
    monkeypatch.setenv(gpus.VISIBLE, "")
    asked = make_run(Options())
    asked.use_gpus(["MIG-none"])
    with pytest.raises(StageError, match=r"--gpus gives this run MIG-none, and .* sees no GPU: "):
        asked.start_tensorrt()
    assert asked.clients == {}


def test_a_run_waits_for_who_times_on_its_gpu(machine: Path) -> None:
    """The lock is the GPU's: who times on it makes other runs wait, and who times on another does not."""
    first, second = (machine / f"trt-parity-{uuid}.gpu" for uuid in (FIRST, SECOND))
    with turn(second, alone=True):
        with turn(first, alone=True):
            child = started(machine, "waits", "suites/test_build.py", "--gpus=0")
            assert child.stdout is not None
            line = next(line for line in child.stdout if "waiting for" in line)
            assert f"{first.name}, which another process has" in line
            assert not (machine / "waits" / "watched").exists()
        assert ended(machine, "waits", child).code == 0
