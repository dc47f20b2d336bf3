"""ONNX Runtime on a GPU: its code on the CPU, where every line but the provider's name is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.onnxruntime_gpu import CUDA, OnnxRuntimeOnGpu
from fixtures.verdicts import NotRun, StageError
from suites.meta.runtimes.tensorrt.test_build_options import linear

CPU = "CPUExecutionProvider"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small ONNX file."""
    return linear(tmp_path / "net.onnx", 2.0)


def sample(model: Path) -> dict[str, np.ndarray]:
    """Return an input of a model, drawn."""
    (about,) = onnx.load(model).graph.input
    shape = [dim.dim_value for dim in about.type.tensor_type.shape.dim]
    return {about.name: np.random.default_rng(0).normal(size=shape).astype(np.float32)}


def test_it_gives_what_onnxruntime_gives(model: Path) -> None:
    """Its session is of the same file."""
    (wanted,) = OnnxRuntime(model).run([sample(model)])
    (found,) = OnnxRuntimeOnGpu(model, CPU).run([sample(model)])
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in wanted.items()
    }


def test_each_run_is_timed(model: Path) -> None:
    """With inputs and outputs bound to the device; an input that is no part of a greater array too."""
    batch = {name: np.repeat(array, 2, 0)[::2] for name, array in sample(model).items()}
    times = OnnxRuntimeOnGpu(model, CPU).time(batch, 7)
    assert len(times) == 7
    assert all(time > 0 for time in times)


def test_what_onnxruntime_refuses_is_said(tmp_path: Path) -> None:
    """The file is named, and the hop."""
    (tmp_path / "no.onnx").write_text("no model")
    with pytest.raises(StageError, match=r"no\.onnx: ONNX Runtime .* refuses it") as caught:
        OnnxRuntimeOnGpu(tmp_path / "no.onnx", CPU)
    assert caught.value.hop == "ONNX Runtime"


def test_without_the_provider_nothing_runs(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where ONNX Runtime lacks it, nor where it cannot be loaded and the CPU would be timed."""
    import onnxruntime

    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has the provider")
    with pytest.raises(NotRun, match="has no CUDAExecutionProvider; install onnxruntime-gpu in place of"):
        OnnxRuntimeOnGpu(model)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    loaded: list[str] = []
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: loaded.append(CUDA), raising=False)
    OnnxRuntimeOnGpu(model, CPU)
    assert not loaded  # the CPU needs none of nvidia's libraries
    told = pytest.warns(UserWarning, match="not in available provider")
    with told, pytest.raises(NotRun, match="cannot load CUDAExecutionProvider: it needs a GPU"):
        OnnxRuntimeOnGpu(model)
    assert loaded == [CUDA]
