"""The benchmark of the PyTorch converters measures what it says, and a missed goal is seen."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnx
import pytest

from benchmarks import pytorch
from reference_models.pytorch import digits

MISSING = [name for name in ("torch", "onnxscript", "onnxslim") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)


def test_each_way_converts_the_whole_network(tmp_path: Path) -> None:
    """Every way ends with the network's operators, and is timed as often as asked for."""
    work = pytorch.ways(digits.MODEL, digits.MODEL.build(tmp_path).module, "torchscript", tmp_path)
    models: dict[str, Any] = {way: run() for way, run in work.items()}
    models["bare"] = onnx.load(tmp_path / "bare.onnx")
    operators = {way: sorted(node.op_type for node in model.graph.node) for way, model in models.items()}
    assert list(operators) == list(pytorch.WAYS)
    assert all(found == operators["bare"] for found in operators.values())
    seen = pytorch.measure(work, 2)
    assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in seen.values())


@pytest.mark.parametrize(("goal", "code", "said"), [(1e6, 0, "met"), (0.0, 1, "MISSED")])
def test_a_missed_goal_is_seen(
    goal: float, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command's last line and its exit code say whether the ratio is within the goal."""
    monkeypatch.setattr(pytorch, "GOAL", goal)
    arguments = ["--model", "digits", "--exporter", "torchscript", "--rounds", "1"]
    assert pytorch.main(arguments) == code
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1].endswith(said)
    assert [row.split()[0] for row in printed[1:5]] == list(pytorch.WAYS)


def test_the_fastest_rounds_count() -> None:
    """Ratio and costs are by the fastest round of each way."""
    seen = {"bare": [2.0, 9.0], "plain": [3.0, 2.2], "checked": [2.7], "simplified": [3.7, 4.0]}
    assert pytorch.ratio(seen) == pytest.approx(1.1)
    assert pytorch.cost(seen, "plain", "checked") == pytest.approx(0.5)
    assert pytorch.cost(seen, "checked", "simplified") == pytest.approx(1.0)
