"""The benchmark of device times runs whole on the stand-in, and a missed goal is seen."""

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from benchmarks import latency
from fixtures.metrics.resampling import Ratio
from suites.meta.places import ROOT
from suites.meta.stand_ins.tensorrt_bindings import conformance
from suites.meta.stand_ins.tensorrt_bindings.names import releases


def ended(folder: Path, lacks: str = "") -> subprocess.CompletedProcess[str]:
    """The benchmark on a small network, with the stand-in as TensorRT; it may lack a device."""
    modules = conformance.write(folder / "modules", releases()["10.0.1"])
    onnx.save(latency.convolutions(2, 4), folder / "net.onnx")
    words = [sys.executable, "-m", "benchmarks.latency", f"--onnx={folder / 'net.onnx'}", "--rounds=2"]
    path = os.pathsep.join([str(modules), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "STAND_IN_CUDA": lacks}
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_each_way_is_measured(tmp_path: Path) -> None:
    """Bare, ours, back to back and through the worker; the last line is the goal's."""
    done = ended(tmp_path)
    lines = done.stdout.splitlines()
    assert [line.strip().split("  ")[0] for line in lines[1:5]] == ["bare", "ours", "back to back", "worker"]
    assert lines[5].startswith("goal ours over bare at most 1.02: ")
    assert done.returncode == (0 if lines[5].endswith("met") else 1), done.stderr


def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    """No figure is printed, and the exit code is another one."""
    done = ended(tmp_path, "no device")
    assert (done.returncode, done.stdout) == (2, "")
    assert "this machine has no GPU" in done.stderr


@pytest.mark.parametrize(("value", "word"), [(1.0, "met"), (1.02, "met"), (1.021, "MISSED")])
def test_a_missed_goal_is_seen(value: float, word: str) -> None:
    """The ratio is held, and its interval is shown."""
    said = latency.verdict(Ratio(value, value - 0.01, value + 0.01))
    assert said.endswith(word)
    assert f"{value:.3f} times [" in said


def test_the_networks_are_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many convolutions, each with its activation."""
    monkeypatch.setattr(latency, "SIZES", {"small": (3, 4)})
    model = onnx.load(latency.networks(tmp_path)["small"])
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Conv", "Relu"] * 3
