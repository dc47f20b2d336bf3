"""Whether a prune pays: it is timed in turn with the dense network, and one that does not is an error."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from benchmarks import latency, pruned_latency, pruning
from benchmarks.pruned_latency import Row, main
from fixtures.converters.darknet.convert import convert
from fixtures.metrics.alternation import Compared, compared
from fixtures.metrics.resampling import Ratio
from fixtures.pruning.costs import of_onnx
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.verdicts import StageError
from suites.meta.places import ROOT
from suites.meta.stand_ins.tensorrt_bindings import conformance
from suites.meta.stand_ins.tensorrt_bindings.names import releases

FEW = ["--pairs", "4"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A network of one convolution, and one of 40 of them."""
    made = {"small": (1, 16), "large": (40, 16)}
    for name, size in made.items():
        onnx.save(latency.convolutions(*size), tmp_path / f"{name}.onnx")
    return [str(tmp_path / f"{name}.onnx") for name in made]


def test_a_prune_that_is_slower_does_not_pay(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Planted: what is called pruned is the larger network. Its line says so, and the exit code does."""
    assert main(["--onnx", *files, *FEW]) == 1
    said = capsys.readouterr().out.splitlines()[1]
    assert said.startswith("large ")
    assert "DOES NOT PAY" in said


def test_time_of_the_processor_tells_them_apart(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Forty convolutions are slower than one, whatever else the machine does; the other way round it pays."""
    for order, code, told in ((files, 1, "DOES NOT PAY (slower)"), (files[::-1], 0, "pays")):
        assert main(["--processor", "--onnx", *order, *FEW]) == code
        assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ratio", "restless", "told"),
    [
        ((0.8, 0.7, 0.99), [], "pays"),
        ((0.99, 0.97, 1.01), [], "DOES NOT PAY (no difference)"),
        ((1.2, 1.1, 1.3), [], "DOES NOT PAY (slower)"),
        ((0.8, 0.7, 0.99), ["they scatter"], "pays; unstable: they scatter"),
    ],
)
def test_what_pays_is_surely_faster(
    ratio: tuple[float, float, float], restless: list[str], told: str
) -> None:
    """All of the interval is below 1; ratios that do not hold still are said."""
    row = Row("r", 1, 2, Compared(1.0, ratio[0], Ratio(*ratio), restless))
    assert row.pays == told.startswith("pays")
    assert str(row).endswith(f": {told}")


def test_what_changes_both_alike_is_in_no_ratio() -> None:
    """A machine that becomes half as fast while it is measured."""
    pairs = [([slow] * 3, [slow * 0.9] * 3) for slow in (1.0, 1.2, 1.5, 1.8, 2.0, 2.0)]
    assert compared(pairs).ratio.value == pytest.approx(0.9)
    assert compared(pairs).ratio.high < 1


def test_a_time_that_was_not_measured_is_refused() -> None:
    """No run takes no time."""
    with pytest.raises(ValueError, match="not above 0"):
        compared([([1.0], [0.0])])


def test_each_rounding_has_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The more channels a rounding keeps the more parameters are left; none of it is the dense network."""
    words = ["--name", "yolo-fastest", "--size", "32", "--round", "1", "32", "--pairs", "2"]
    assert main([*words, "--lines", str(tmp_path / "lines.jsonl")]) in (0, 1)
    lines = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[0] for row in rows] == ["round-1", "round-32"]
    counts = [int(row[1].replace(",", "")) for row in rows]
    assert [line["parameters"] for line in lines] == counts
    assert all(line["times"]["ratio"]["low"] > 0 for line in lines)
    assert counts[0] < counts[1] < 220_830


def test_a_file_that_is_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was measured: the exit code is another one."""
    assert main(["--onnx", str(tmp_path / "gone.onnx"), str(tmp_path / "gone.onnx")]) == 2
    assert "gone.onnx" in capsys.readouterr().err


def test_a_file_of_another_input_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Times of two unlike networks say nothing of a prune."""
    names = [str(tmp_path / f"{channels}.onnx") for channels in (4, 8)]
    for name, channels in zip(names, (4, 8), strict=True):
        onnx.save(latency.convolutions(1, channels), name)
    assert main(["--onnx", *names]) == 2
    assert "8.onnx: it has inputs {'t0': (1, 8, 64, 64)}, the dense network" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("release", "precision", "lacks", "graphs"),
    [
        ("10.0.1", "fp32", "", []),
        ("10.0.1", "fp32", "no device", []),
        ("11.4.0.106", "fp16", "", []),
        ("10.0.1", "fp32", "a CUDA graph", ["--graphs"]),
    ],
)
def test_engines_are_timed_where_there_is_a_device(
    release: str, precision: str, lacks: str, graphs: list[str], files: list[str], tmp_path: Path
) -> None:
    """With the stand-in as TensorRT, which computes what ONNX Runtime does; 11 takes fp16 from the graph."""
    modules = conformance.write(tmp_path / "modules", releases()[release])
    path = os.pathsep.join([str(modules), str(ROOT)])
    words = [sys.executable, "-m", "benchmarks.pruned_latency", "--engines", "--precision", precision]
    environment = {**os.environ, "PYTHONPATH": path, "STAND_IN_CUDA": lacks}
    done = subprocess.run(
        [*words, *graphs, "--onnx", *reversed(files), *FEW],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (2 if lacks else done.stdout.count("DOES NOT PAY")), done.stderr
    assert ("small " in done.stdout) == (not lacks)
    assert (f"python -m {pruned_latency.__name__}: " in done.stderr) == bool(lacks)


def test_a_typed_network_is_built_by_tensorrt_rtx(tmp_path: Path) -> None:
    """Real TensorRT-RTX builds the fp16 form without a GPU, and runs it where there is one."""
    pytest.importorskip("tensorrt_rtx", reason="this interpreter has no TensorRT-RTX")
    file, path = tmp_path / "net.onnx", tmp_path / "0.engine"
    onnx.save(latency.convolutions(2, 16), file)
    options = argparse.Namespace(precision="fp16", graphs=False)
    with TensorRT(sys.executable) as client:
        try:
            block = pruned_latency.engine(client, options, path, file, latency.sample(file))
        except StageError as error:
            assert "GPU" in str(error)  # noqa: PT017 either way is right, by the machine
        else:
            assert all(ms > 0 for ms in block())
    assert path.stat().st_size > 0


def test_the_dense_engine_stays_in_a_worker_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is built once; files of one name in two folders are two engines."""
    seen = []
    monkeypatch.setattr(
        pruned_latency, "engine", lambda client, _, path, file, __: seen.append((client, path, file))
    )
    dense, *pruned = (Path(folder) / "net.onnx" for folder in "abc")
    timed = pruned_latency.engines(("one", "two"), argparse.Namespace(), tmp_path)  # type: ignore[arg-type]
    for file in pruned:
        timed(dense, {})
        timed(file, {})
    assert [(client, file) for client, _, file in seen] == [
        ("one", dense),
        *(("two", file) for file in pruned),
    ]
    assert len({path for _, path, _ in seen}) == 3


def test_a_darknet_network_of_ones_own_is_pruned(tmp_path: Path) -> None:
    """With its own weights, at a batch; the dense network is converted as it is."""
    source = pruning.written("yolo-fastest", 32, tmp_path)
    options = argparse.Namespace(darknet=[source.cfg, source.weights], batch=3, round=[8], ratio=0.5)
    dense, small = map(onnx.load, pruned_latency.networks(options, tmp_path))
    assert [each.graph.input[0].type.tensor_type.shape.dim[0].dim_value for each in (dense, small)] == [3, 3]
    assert of_onnx(dense) == of_onnx(convert(source.cfg, source.weights, pruned_latency.OPSET))
    assert of_onnx(small).parameters < of_onnx(dense).parameters
