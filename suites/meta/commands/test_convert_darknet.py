"""The Darknet command says what it wrote, layer by layer, and who takes it; a wrong call says why."""

import io
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.commands import conversion as shared
from fixtures.commands import convert_darknet as command
from fixtures.commands import support
from fixtures.converters.darknet.convert import convert
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models.darknet import weights
from reference_models.darknet.architectures import Cfg


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A detector of 6 layers, as cfg and weights."""
    cfg = Cfg(32, 32)
    cfg.conv(8, 3, stride=2)
    cfg.add("maxpool", size=2, stride=2)
    cfg.conv(8, 3, activation="mish")
    cfg.yolo((0, 1), ((8, 8), (16, 16)), classes=1)
    (tmp_path / "a.cfg").write_text(cfg.text())
    weights.write_seeded(tmp_path / "a.weights", cfg, seed=1)
    return [str(tmp_path / "a.cfg"), str(tmp_path / "a.weights"), "-o", str(tmp_path / "a.onnx")]


def test_every_layer_is_a_line_with_its_shape_and_parameters(
    files: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Counts are those of the weight file: their total is its size; the support table follows."""
    assert command.main(files) == 0
    said = capfd.readouterr().out.splitlines()
    assert [line.split() for line in said[:7]] == [
        ["layer", "kind", "output", "parameters"],
        ["0", "convolutional", "8x16x16", str(4 * 8 + 8 * 3 * 9)],
        ["1", "maxpool", "8x8x8"],
        ["2", "convolutional", "8x8x8", str(4 * 8 + 8 * 8 * 9)],
        ["3", "convolutional", "12x8x8", str(12 + 12 * 8)],
        ["4", "yolo", "12x8x8"],
        ["total", str((Path(files[1]).stat().st_size - 20) // 4)],
    ]
    assert said[7].endswith("outputs yolo_4")
    assert any("TensorRT" in line for line in said[8:])


def test_a_missing_support_table_is_said(
    files: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the table cannot be had, the model is written all the same and a line says so."""

    def unreadable(path: Path) -> int:
        raise OSError("the disk went away")

    monkeypatch.setattr(support, "show", unreadable)
    assert command.main(files) == 0
    assert "no support table: the disk went away; ask again: " in capfd.readouterr().err
    assert Path(files[3]).exists()


def test_quiet_is_one_line(files: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Neither table, and the file is the model that `convert` gives."""
    assert command.main([*files, "--quiet", "--opset", "11"]) == 0
    assert capfd.readouterr().out.count("\n") == 1
    written = onnx.load(files[3])
    expected = convert(Path(files[0]), Path(files[1]), 11)
    assert written == expected


@pytest.mark.parametrize(
    ("asked", "outputs", "inner"),
    [
        (["--outputs", "decoded"], ["boxes", "objectness", "classes"], "Exp"),
        (["--outputs", "nms", "--score", "0.1", "--most", "7"], ["detections"], "NonMaxSuppression"),
        (["--outputs", "efficientnms"], None, "EfficientNMS_TRT"),
        (["--keep-batchnorm"], ["yolo_4"], "BatchNormalization"),
        (["--mish", "operator", "--opset", "18"], ["yolo_4"], "Mish"),
    ],
)
def test_each_option_reaches_the_graph(
    asked: list[str], outputs: list[str] | None, inner: str, files: list[str]
) -> None:
    """The node that it stands for is there, and is not there without it."""
    made = []
    for extra in (asked, []):
        assert command.main([*files, "-q", *extra]) == 0
        made.append(onnx.load(files[3]))
    assert [inner in {node.op_type for node in model.graph.node} for model in made] == [True, False]
    assert outputs is None or [output.name for output in made[0].graph.output] == outputs


def test_a_number_of_the_suppression_reaches_the_graph(files: list[str]) -> None:
    """--score, --overlap and --most are the constants of the NMS node."""
    numbers = ["--score", "0.125", "--overlap", "0.75", "--most", "7"]
    assert command.main([*files, "-q", "--outputs", "nms", *numbers]) == 0
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(files[3]).graph.initializer}
    assert [float(constants[f"nms.{name}"][0]) for name in ("score", "overlap", "most")] == [0.125, 0.75, 7]


@pytest.mark.parametrize("outputs", ["raw", "decoded", "nms"])
def test_a_dynamic_batch_takes_any_size(outputs: str, files: list[str]) -> None:
    """The streamed model gives for three images what it gives for each of them."""
    asked = ["--batch", "dynamic", "--outputs", outputs, "--score", "0.3"]
    assert command.main([*files, "-q", *asked]) == 0
    images = np.random.default_rng(2).random((3, 3, 32, 32), np.float32)
    runtime = OnnxRuntime(Path(files[3]))
    together = runtime.run([{"data": images}])[0]
    alone = runtime.run([{"data": image[None]} for image in images])
    for name, value in together.items():
        parts = [row[name] for row in alone]
        if outputs == "nms":
            parts = [np.insert(part[:, 1:], 0, k, axis=1) for k, part in enumerate(parts)]
        np.testing.assert_allclose(value, np.concatenate(parts), rtol=1e-4, atol=1e-5)


def test_a_fixed_batch_is_in_the_shapes(files: list[str]) -> None:
    """--batch 4 gives inputs and outputs of four images."""
    assert command.main([*files, "-q", "--batch", "4"]) == 0
    graph = onnx.load(files[3]).graph
    values = [*graph.input, *graph.output]
    assert [value.type.tensor_type.shape.dim[0].dim_value for value in values] == [4, 4]


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["--outputs", "nms", "--opset", "10"], 1, "opset 10 has no GatherND, it came with 11"),
        (["--mish", "operator"], 1, "opset 13 has no Mish operator"),
        (["--batch", "0"], 2, "'0' is neither a size from 1 on nor the word dynamic"),
        (["--batch", "some"], 2, "nor the word dynamic"),
        (["--outputs", "boxes"], 2, "invalid choice"),
    ],
)
def test_a_wrong_call_says_why_and_writes_nothing(
    asked: list[str], code: int, said: str, files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 with one line for what cannot be, 2 for what argparse refuses."""
    try:
        ended: object = command.main([*files, *asked])
    except SystemExit as end:
        ended = end.code
    assert ended == code
    assert said in capsys.readouterr().err
    assert not Path(files[3]).exists()


class Screen(io.StringIO):
    """A stderr that a person watches."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


@pytest.mark.parametrize(
    ("big", "screen", "shown"), [(1, True, True), (1 << 40, True, False), (1, False, False)]
)
def test_progress_is_for_people_and_big_files(
    big: int, screen: bool, shown: bool, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe sees none of it, nor does anyone for a small file; the last line is complete."""
    err = Screen() if screen else io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(shared, "BIG", big)
    watch = shared.progress(Path(files[1]))
    assert (watch is not None) is shown
    if watch:
        watch(5_000_000, 10_000_000)
        watch(10_000_000, 10_000_000)
        assert err.getvalue() == "\r5 of 10 MB\r10 of 10 MB\n"
