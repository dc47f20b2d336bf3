"""The benchmarks of calibration measure what they say, and a missed goal is seen."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks import (
    calibration,
    calibration_sweep,
    calibration_tensorrt,
    calibration_ways,
    sweep_drawing,
)
from benchmarks.calibration_ways import WAYS
from docs.tables.calibration import outcomes
from docs.tables.campaign import FOLDER
from fixtures.runtimes.base import Tensors
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.places import ROOT
from suites.meta.stand_ins.tensorrt_bindings import conformance
from suites.meta.stand_ins.tensorrt_bindings.names import releases

MISSING = [name for name in ("torch", "sklearn", "skimage") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


class Blind(OnnxRuntime):
    """ONNX Runtime, whose outputs are all far below 0: a detector of that finds nothing."""

    def run(self, samples: Sequence[Tensors]) -> list[dict[str, np.ndarray]]:
        """Run every sample."""
        return [{name: value - 100 for name, value in row.items()} for row in super().run(samples)]


SEEN = {
    "plain": {"seconds": 1.0, "peak": 1.0}, "floor": {"seconds": 5.0, "peak": 4.0},
    "ours": {"seconds": 4.0, "peak": 5.0}, "ours, 512": {"seconds": 60.0, "peak": 5.1},
    "onnxruntime": {"seconds": 90.0, "peak": 30.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network on images of 64x64, two of each kind."""
    made = tmp_path_factory.mktemp("calibration")
    calibration.make(made, {"few": 2, "many": 3, "held": 2}, 64)
    return made


def test_the_network_is_yolov5s(folder: Path) -> None:
    """Of 7.2 million parameters, as published, without the anchors; images differ."""
    model = onnx.load(folder / "model.onnx")
    count = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
    assert count == pytest.approx(7.2e6, rel=0.02)
    first, second = calibration_ways.feeds(folder / "few.npz")
    assert first["images"].shape == (1, 3, 64, 64)
    assert np.abs(first["images"] - second["images"]).mean() > 0.01


@pytest.mark.parametrize("way", [way for way in WAYS if way != "modelopt"])
def test_each_way_does_its_work(
    way: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A JSON line of seconds and peaks; those that calibrate have thresholds for all pairs."""
    monkeypatch.setattr(
        calibration_ways, "BINS", 256
    )  # ONNX Runtime's search takes seconds a tensor at 2,048
    assert calibration.main(["--child", way, str(folder)]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert row["peak"] >= row["imports"] > 0
    assert row["seconds"] > 0
    assert calibration.main(["--child", f"noise of {way}", str(folder)]) == 0
    decibels = json.loads(capsys.readouterr().out.splitlines()[-1])
    expected = {"onnxruntime": ["entropy"], "plain": [], "floor": []}
    assert list(decibels) == expected.get(way, ["entropy", "minmax", "percentile", "mse"])
    assert all(0 < value < 60 for value in decibels.values())


@pytest.mark.parametrize(
    ("way", "changed", "goal"),
    [("ours", {"seconds": 6.1}, "ours / floor, s"),
     ("onnxruntime", {"seconds": 39.0}, "ours / onnxruntime, s"),
     ("onnxruntime", {"peak": 24.0}, "ours / onnxruntime, peak"),
     ("ours, 512", {"peak": 6.0}, "ours, 512 / ours, peak")],
)  # fmt: skip
def test_a_missed_goal_is_seen(way: str, changed: dict[str, float], goal: str) -> None:
    """The ratio that a goal is about is above it, and it alone."""
    kept = calibration.ratios(SEEN)
    assert all(kept[name] <= limit for name, limit in calibration.GOALS.items())
    found = calibration.ratios(SEEN | {way: SEEN[way] | changed})
    assert [name for name, limit in calibration.GOALS.items() if found[name] > limit] == [goal]


def test_the_sweep_covers_every_combination(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a calibrator and kind of scale, a column a count; more images come nearer to float32."""
    lines = tmp_path / "lines.jsonl"
    assert calibration_sweep.main(["--counts", "40", "1", "--lines", str(lines)]) == 0
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    assert len({(row["calibrator"], row["images"], row["weights"]) for row in rows}) == 4 * 2 * 2
    by_count = {n: [r["relative_l2"] for r in rows if r["images"] == n] for n in (1, 40)}
    assert max(by_count[40]) < 0.05 < min(by_count[1])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["calibrator", "weights", "1", "images", "40", "images"]
    assert len(printed) == 1 + 4 * 2 + 1


def test_tensorrts_calibration_stands_beside_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two calibrators, caches, engines: with the names of TensorRT 8.6 alone, so that no number is proven."""
    modules = conformance.write(tmp_path / "modules", releases()["8.6.1"])
    script, path = tmp_path / "python", os.pathsep.join([str(modules), str(ROOT)])
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    kept = tmp_path / "lines.jsonl"
    asked = ["--calibrator", "entropy", "minmax", "mse", "--lines", str(kept)]
    assert calibration_tensorrt.main(["--tensorrt", str(script), "--folder", str(tmp_path), *asked]) == 0
    lines = capsys.readouterr().out.splitlines()
    own, ours = ([f"{whose} cache, {how}" for how in ("all in INT8", "in float by rule")] for whose in
                 ("TensorRT's", "our"))  # fmt: skip
    assert [line.split(":")[0].strip() for line in lines[1:] if "in common" not in line] == [
        "entropy", *own, *ours, "minmax", *own, *ours, "mse", *ours,
    ]  # fmt: skip
    assert lines[2].startswith("  1 tensors in common, 1 within 1 %")
    assert "relative L2 0.0000, points lost 0.00" in lines[3]
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [len(rows), rows[0]["tensorrt"], rows[0]["in_float"]] == [10, "trt8.6.1", []]


def test_engines_of_a_cache_are_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By entropy a detector is ruined with all in INT8, and kept with four layers in float; it says which."""
    kept = tmp_path / "lines.jsonl"
    asked = ["--model", "digits-yolov3-tiny", "--calibrator", "entropy", "--lines", str(kept)]
    assert calibration_tensorrt.main(asked) == 0
    held, free = (json.loads(line) for line in kept.read_text().splitlines())
    assert free["in_float"] == ["layer_1", "layer_2.conv", "yolo_14", "yolo_21"]
    assert held["lost"] > 30
    assert free["lost"] < 1
    assert "our cache, in float by rule: relative L2 0.0" in capsys.readouterr().out


def test_an_engine_of_ours_that_is_farther_off_is_seen() -> None:
    """Planted: of each pair built alike the greatest ratio counts; without TensorRT's cache there is none."""
    made = calibration_tensorrt.Outcome(
        "trt8.6.1", "m", "entropy", "our cache", "all in INT8", (), 0, 0.3, {}
    )
    own = replace(made, by="TensorRT's cache", distance=0.1)
    assert calibration_tensorrt.worse([made, own]) == pytest.approx(3)
    assert calibration_tensorrt.worse([made, replace(own, layers_held="in float by rule")]) == 0


def test_scales_that_are_apart_are_told() -> None:
    """The farthest by its name, the extremes and how many are equal."""
    ours = {"a": np.float32(1), "b": np.float32(2), "c": np.float32(1)}
    own = {"a": np.float32(1), "b": np.float32(1), "c": np.float32(1.25), "d": np.float32(1)}
    told = calibration_tensorrt.apart(ours, own)
    assert told.startswith("3 tensors in common, 1 within 1 %")
    assert "0.800 to 2.000, median 1.000, farthest 'b'" in told


def test_a_detector_loses_mean_average_precision(tmp_path: Path) -> None:
    """Ranges of one scene cost points of mAP50-95; ranges that see nothing cost all of it."""
    outcome = next(calibration_sweep.sweep("digits-yolov3-tiny", [1], tmp_path))
    assert outcome.drop is not None
    assert 0 < outcome.drop < 67.44
    assert 0 < outcome.relative_l2 < 1
    assert f"{outcome.drop:.2f} / {outcome.relative_l2:.4f}" in calibration_sweep.table([outcome])


def test_all_points_are_lost_where_nothing_is_seen(tmp_path: Path) -> None:
    """Planted: a network whose heads are all far below 0 finds no digit, and loses all of fp32's mAP50-95."""
    source, data, feed = calibration_sweep.make("digits-yolov3-tiny", tmp_path)
    few = {**data, "images": data["images"][:20], "counts": data["counts"][:20]}
    count = int(few["counts"].sum())
    few |= {"boxes": data["boxes"][:count], "labels": data["labels"][:count]}
    held = calibration_sweep.Held.of("digits-yolov3-tiny", OnnxRuntime(source), few, feed)
    lost, _ = held.cost(Blind(source))
    assert held.cost(OnnxRuntime(source)) == (0, 0)
    assert lost > 50


def test_the_picture_of_the_sweep_is_that_of_its_lines() -> None:
    """As it was committed; a line for each calibrator and kind of scale of each model."""
    drawn = sweep_drawing.draw(outcomes("2026-11-30-int8/sweep"))
    assert (FOLDER / "2026-11-30-int8" / "sweep.svg").read_text() == drawn
    assert drawn.count("<polyline") == 6 * 4 * 2
