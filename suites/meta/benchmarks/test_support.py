"""The benchmark of support and fix measures what it says, and a missed goal is seen."""

from pathlib import Path

import onnx
import pytest

from benchmarks import support


def test_the_files_are_of_the_sizes_they_are_named_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain has so many nodes, a model of convolutions so many weights; both are valid and rewritten."""
    pytest.importorskip("onnxslim")  # without it `fix` folds less
    monkeypatch.setattr(support, "NODES", {"short": 6, "long": 60})
    monkeypatch.setattr(support, "CONVOLUTIONS", 2)
    monkeypatch.setattr(support, "CHANNELS", 4)
    models = {name: onnx.load(path) for name, path in support.files(tmp_path).items()}
    for model in models.values():
        onnx.checker.check_model(model, full_check=True)
    assert {name: len(model.graph.node) for name, model in models.items()} == {
        "short": 9, "long": 63, "weights": 5,
    }  # fmt: skip
    sizes = [len(tensor.raw_data) for tensor in models["weights"].graph.initializer]
    assert sizes == [4 * 4 * 4 * 9] * 2 + [0]
    for command in support.COMMANDS:
        assert support.seconds(command, tmp_path / "short.onnx", 1) > 0
    written = {node.op_type for node in onnx.load(tmp_path / "short.fixed").graph.node}
    assert written >= {"Softplus", "Tanh"}
    assert "Add" not in [node.op_type for node in onnx.load(tmp_path / "short.fixed").graph.node[-3:]]


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    """A file that is not written ends the benchmark."""
    model = support.chain(3)
    model.graph.node[0].op_type = "Det"
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(RuntimeError, match=r"fix .*m.onnx --tensorrt 8.2 .*: exit code 1"):
        support.seconds("fix", tmp_path / "m.onnx", 1)


@pytest.mark.parametrize(
    ("seen", "missed"),
    [({"weights": 0.1, "short": 0.1, "long": 1.0}, []),
     ({"weights": 0.6, "short": 1.0, "long": 2.0}, ["weights"]),
     ({"weights": 0.1, "short": 1.0, "long": 6.0}, ["long"]),
     ({"weights": 0.1, "short": 0.1, "long": 2.0}, ["long over short"])],
)  # fmt: skip
def test_a_missed_goal_is_seen(seen: dict[str, float], missed: list[str]) -> None:
    """Each goal alone makes its line end in MISSED."""
    found = [line.partition(":")[0] for line in support.verdicts(seen) if line.endswith("MISSED")]
    assert found == missed
