"""The benchmark of the Darknet converter measures what it says, and a missed goal is seen."""

import json
from pathlib import Path

import pytest

from benchmarks import conversion
from benchmarks.darknet import BENCHMARK

FAST = [{"seconds": 0.2, "peak": 300.0}, {"seconds": 0.9, "peak": 310.0}]
FLOOR = [{"seconds": 0.5, "peak": 900.0}]


@pytest.mark.parametrize(
    ("stream", "goals"),
    [
        (FAST, []),
        ([{"seconds": 0.8, "peak": 300.0}], ["seconds"]),
        ([*FAST, {"seconds": 0.9, "peak": 450.0}], ["peak"]),
    ],
)
def test_a_missed_goal_is_seen(stream: list[dict[str, float]], goals: list[str]) -> None:
    """Too slow in every round, or too large in one, is a miss."""
    reached = conversion.ratios({"floor": FLOOR, "stream": stream}, 200)
    assert conversion.missed(reached, BENCHMARK.goals) == goals


@pytest.mark.parametrize("way", ["floor", "convert", "stream"])
def test_each_way_writes_the_whole_network(
    way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A measurement of a way that wrote half the weights would be worth nothing."""
    for child in ("make", way):
        assert conversion.main(BENCHMARK, ["--model", "yolov4-tiny", "--child", child, str(tmp_path)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    stored = (tmp_path / "net.weights").stat().st_size
    assert (tmp_path / "net.onnx").stat().st_size == pytest.approx(stored, rel=0.005)
    assert all(row["peak"] >= row["imports"] > 0 and row["seconds"] > 0 for row in rows)
