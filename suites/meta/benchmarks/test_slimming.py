"""The slimming experiment: its goals trip on what misses them, and its steps are the user's commands."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.slimming import main, verdicts
from benchmarks.slimming_drawing import draw
from benchmarks.slimming_networks import FRAMEWORKS
from fixtures.metrics.alternation import Compared
from fixtures.metrics.resampling import Ratio
from fixtures.report.experiments import Slimmed, slimming

DENSE = Slimmed("dense", 1000, 2000, 70.0, 95.0)
TUNED = Slimmed("tuned", 490, 1190, 69.1, 94.0)
TIMES = Compared(2.0, 1.0, Ratio(0.5, 0.45, 0.55), [])


def test_goals_that_are_met_are_called_met() -> None:
    """Half of the parameters, two fifths of the operations, less than a point, and it pays."""
    assert [line.rpartition(": ")[2] for line in verdicts(DENSE, TUNED, "mAP50-95", TIMES)] == ["met"] * 4


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"parameters": 501}, "parameters removed: 49.9%, at least 50%: MISSED"),
        ({"flops": 1201}, "operations removed: 39.9%, at least 40%: MISSED"),
        ({"accuracy": 68.9}, "mAP50-95 lost: 1.10 points, at most 1.0: MISSED"),
    ],
)
def test_a_goal_that_is_missed_is_named(worse: dict[str, Any], said: str) -> None:
    """Each alone, with its figure."""
    answers = verdicts(DENSE, replace(TUNED, **worse), "mAP50-95", TIMES)
    assert [line for line in answers if "MISSED" in line] == [said]


@pytest.mark.parametrize("ratio", [Ratio(1.1, 1.05, 1.15), Ratio(0.98, 0.95, 1.01)])
def test_a_prune_that_does_not_pay_misses_its_goal(ratio: Ratio) -> None:
    """Slower, or no faster within the interval."""
    answers = verdicts(DENSE, TUNED, "mAP50-95", replace(TIMES, ratio=ratio))
    said = f"latency in ONNX Runtime: {ratio}, all of it below 1: MISSED"
    assert [line for line in answers if "MISSED" in line] == [said]


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`")
@pytest.mark.parametrize(
    ("name", "framework", "parameters", "least"),
    [("digits-yolov5n", "pytorch", 452_311, 50), ("digits-mobilenet", "mxnet", 220_000, 90)],
)
def test_a_trained_model_is_taken_and_judged(
    name: str, framework: str, parameters: int, least: float, tmp_path: Path
) -> None:
    """What the experiment begins with has the size and the accuracy of the reference model."""
    files = FRAMEWORKS[framework].files(tmp_path, "dense")
    FRAMEWORKS[framework].dense(name, files)
    cost, accuracy, second = FRAMEWORKS[framework].judged(files, 4)
    assert cost.parameters == pytest.approx(parameters, rel=0.02)
    assert least < accuracy < second


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`")
def test_the_experiment_runs_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On few scenes every network gets its row, and what lies there is not made again."""
    words = [
        str(tmp_path),
        "--epochs",
        "1",
        "--scenes",
        "32",
        "--held-out",
        "8",
        "--cliff",
        "0.001",  # removes nothing: the network stays whole
        "0.3",
    ]
    main(words)
    said = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    first = said.index("network") + 1
    assert said[first : first + 6] == ["dense", "sparse", "pruned", "tuned", "pruned-0.001", "pruned-0.3"]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [row["name"] for row in figures["rows"]] == ["dense", "sparse", "pruned", "tuned"]
    cliff = slimming(figures).cliff
    assert list(cliff) == [0.001, 0.3]
    assert cliff[0.001].accuracy == figures["rows"][1]["accuracy"]
    assert figures["latency"]["ratio"]["low"] > 0
    assert [step["step"] for step in figures["steps"] if step["processor"] > 0] == ["sparse", "tuned"]
    tuned = {path: path.stat().st_mtime_ns for path in tmp_path.glob("tuned.weights")}
    main(words)
    assert {path: path.stat().st_mtime_ns for path in tuned} == tuned
    assert "loss of the last epoch" not in capsys.readouterr().out


def test_another_experiment_in_the_folder_is_refused(tmp_path: Path) -> None:
    """Weights of another strength would be taken for those of this one."""
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"settings\.json: another experiment lies here"):
        main([str(tmp_path)])


FIGURES: dict[str, Any] = {
    "settings": {"name": "a & b"},
    "measures": ["mAP50-95", "mAP50"],
    "rows": [{"name": "dense", "accuracy": 70.0}, {"name": "tuned", "accuracy": 69.5}],
    "cliff": [{"ratio": 0.2, "accuracy": 70.0}, {"ratio": 0.8, "accuracy": 10.0}],
    "gammas": [{"epoch": n, "gammas": {"0": [n] * 80, "3": [1] * 80}} for n in (0, 1)],
}


def test_the_figures_are_drawn(tmp_path: Path) -> None:
    """As SVG that parses: a point a ratio, the two networks across, a row an epoch."""
    draw(tmp_path, FIGURES)
    files = [tmp_path / f"{name}.svg" for name in ("cliff", "gammas")]
    cliff, gammas = (ElementTree.parse(file).getroot() for file in files)  # noqa: S314 written by us
    space = "{http://www.w3.org/2000/svg}"
    heights = [float(point.get("cy", 0)) for point in cliff.iter(f"{space}circle")]
    assert len(heights) == 2
    assert heights[0] < heights[1]
    assert {"dense 70.00", "tuned 69.50", "a & b: mAP50-95 in points"} <= {e.text for e in cliff.iter()}
    assert sum(e.get("class") == "bars" for e in gammas.iter()) == 2
