"""One engine of a model whose sizes are free is run at each of them: an error at one of them is red."""

from pathlib import Path

import pytest

from suites.meta.gates.child_runs import run
from suites.meta.gates.stand_in import interpreter
from suites.meta.networks import user_onnx

NOT_SQUARE = "value + (feed['image'].shape[2] != feed['image'].shape[3])"
"""What an engine gives that takes height for width."""


@pytest.mark.parametrize(("wrong", "verdict"), [("value", "passed"), (NOT_SQUARE, "failed")])
def test_an_engine_is_held_against_onnxruntime_at_each_size(wrong: str, verdict: str, tmp_path: Path) -> None:
    """The usual size passes; the mixed one tells."""
    file = user_onnx.classifier(tmp_path / "net.onnx", ("N", 3, "H", "W"))
    ended = run(
        tmp_path / "artifacts", "suites/test_build.py", "suites/test_parity.py", f"--model={file}",
        "--input=1x3x16-24x16-24", "--opset=13", "-m", "tensorrt", "--support=none",
        f"--tensorrt={interpreter(tmp_path, wrong=wrong)}",
    )  # fmt: skip
    found = {(record.stage, record.batch): record for record in ended.records}
    assert {key: record.verdict for key, record in found.items()} == {
        ("tensorrt-build", "1"): "passed",
        ("tensorrt-build", "sizes"): "passed",
        ("tensorrt-parity", "1"): "passed",
        ("tensorrt-parity", "sizes"): verdict,
    }
    assert "--batch sizes" in found["tensorrt-parity", "sizes"].rerun
    if verdict == "failed":
        assert "scores: 4 of 4 mismatched" in found["tensorrt-parity", "sizes"].message
