"""YOLOv4's routes over [yolo] layers: the tutorial's edit is not needed, a wrong count shows in numbers."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.oracles.darknet_interpreter import network, parity
from suites.meta.oracles.darknet_interpreter.neck import CROSSING, EDITS, HEADS, kept_by_peers, neck
from suites.meta.oracles.darknet_interpreter.running import Running

SLIPS = {"-1,-16": "-1,122", "-1,-37": "-1,108"}
"""What the peers' list makes of the unedited cfg."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The network as cfg and weights."""
    return neck().write(tmp_path)


def replaced(cfg: Path, changes: dict[str, str]) -> None:
    """Change route layers in place."""
    for old, new in changes.items():
        text = cfg.read_text()
        assert text.count(f"layers={old}\n") == 1
        cfg.write_text(text.replace(f"layers={old}\n", f"layers={new}\n"))


def by_onnxruntime(files: tuple[Path, Path], data: np.ndarray) -> dict[str, np.ndarray]:
    """Convert at opset 11 and run."""
    path = files[0].with_suffix(".onnx")
    onnx.save(convert(*files, 11), path)
    return OnnxRuntime(path).run([{"data": data.astype(np.float32)}])[0]


def test_layers_stand_where_yolov4_has_them() -> None:
    """Heads are layers 139, 150 and 161, and the two routes mean what the tutorial writes into them."""
    assert tuple(network.heads_of(neck().cfg)) == HEADS
    for layer, (route, meant) in CROSSING.items():
        back = int(route.split(",")[1])
        assert layer + back == meant
        assert EDITS[route] == f"-1,{meant}"


def test_the_edited_cfg_gives_the_identical_graph(files: tuple[Path, Path]) -> None:
    """Byte for byte the same ONNX model with and without "-37 -> 116, -16 -> 126"; another edit is seen."""
    unedited = convert(*files, 11).SerializeToString()
    text = files[0].read_text()
    replaced(files[0], EDITS)
    assert convert(*files, 11).SerializeToString() == unedited
    files[0].write_text(text)
    replaced(files[0], SLIPS)
    assert convert(*files, 11).SerializeToString() != unedited


def test_the_converter_counts_all_layers(files: tuple[Path, Path]) -> None:
    """The unedited cfg converted gives the interpreter's heads."""
    data = network.input_of(neck().cfg, 1)
    differences = parity.hold(parity.truth_of(*files, data), by_onnxruntime(files, data))
    assert [str(d) for d in differences if not d.ok] == []


def test_a_list_cut_after_yolo_keeps_shapes_and_changes_numbers(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peers' bookkeeping slips by 4 and by 8: no shape tells, the second and third head do."""
    data = network.input_of(neck().cfg, 1)
    right = network.run(*files, data)
    monkeypatch.setattr(
        Running, "absolute", lambda net, number: number if number >= 0 else kept_by_peers(net.index)[number]
    )
    wrong = network.run(*files, data)
    assert [kept_by_peers(layer)[int(CROSSING[layer][0].split(",")[1])] for layer in CROSSING] == [122, 108]
    assert {i: x.shape for i, x in wrong.items()} == {i: x.shape for i, x in right.items()}
    errors = [np.linalg.norm(wrong[i - 1] - right[i - 1]) / np.linalg.norm(right[i - 1]) for i in HEADS]
    assert errors[0] == 0
    assert min(errors[1:]) > 0.1


def test_parity_names_the_heads_that_a_slip_spoils(files: tuple[Path, Path]) -> None:
    """What converts with the slipped routes is refused at heads 150 and 161, not at 139."""
    data = network.input_of(neck().cfg, 1)
    truth = parity.truth_of(*files, data)
    replaced(files[0], SLIPS)
    differences = parity.hold(truth, by_onnxruntime(files, data))
    assert [d.name for d in differences if not d.ok] == ["yolo_150", "yolo_161"]
