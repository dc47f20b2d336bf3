"""The Darknet converter is right, says where each node is from, and refuses what does not fit."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.commands.convert_darknet import main
from fixtures.converters.darknet import config
from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models import fetch
from reference_models.darknet import architectures, weights
from reference_models.darknet.architectures import Cfg

IGNORED = {
    "net": {"batch", "subdivisions", "momentum", "decay", "angle", "saturation", "exposure", "hue",
            "learning_rate", "burn_in", "max_batches", "policy", "steps", "scales"},
    "yolo": {"jitter", "ignore_thresh", "truth_thresh", "random", "cls_normalizer", "resize",
             "iou_normalizer", "iou_loss", "nms_kind", "beta_nms"},
}  # fmt: skip


def small() -> Cfg:
    """A network with every layer type, small enough for a test."""
    cfg = Cfg(32, 32)
    first = cfg.conv(8, 3)
    cfg.add("maxpool", size=2, stride=2)
    cfg.conv(8, 3, activation="mish")
    cfg.conv(8, 1, activation="swish", gain=0.5)
    cfg.add("shortcut", **{"from": -3}, activation="linear")
    cfg.route(-1, groups=2, group_id=1)
    cfg.add("upsample", stride=2)
    cfg.route(-1, first)
    cfg.yolo((0, 1), ((8, 8), (16, 16)), classes=1)
    return cfg


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The small network as cfg and weights."""
    cfg, weight = tmp_path / "small.cfg", tmp_path / "small.weights"
    cfg.write_text(small().text())
    weights.write_seeded(weight, small(), seed=1)
    return cfg, weight


@pytest.mark.parametrize("name", ["yolov3-tiny", "yolov4-tiny"])
def test_own_architecture_is_the_official_one(name: str, tmp_path: Path) -> None:
    """Section by section the emitted cfg says what the official one says about inference."""
    try:
        official = config.read(fetch.fetch(f"{name}.cfg"))
    except fetch.FetchError as error:
        pytest.skip(str(error))
    path = tmp_path / f"{name}.cfg"
    path.write_text(getattr(architectures, name.replace("-", "_"))().text())
    own = config.read(path)
    assert len(own.layers) == len(official.layers)
    for mine, theirs in zip((own.net, *own.layers), (official.net, *official.layers), strict=True):
        keys = (set(mine.values) | set(theirs.values)) - IGNORED.get(mine.name, set())
        if name == "yolov3-tiny" and mine.name == "yolo":
            keys.discard("mask")  # the cfg's second mask is not the one the weights were trained with
        assert mine.name == theirs.name
        for key in keys:
            assert (
                mine.integers(key) == theirs.integers(key)
                if key != "activation"
                else (mine.text(key, "") == theirs.text(key, ""))
            ), f"layer {mine.index} {key}"


@pytest.mark.parametrize("opset", range(10, 22))
def test_every_opset_gives_the_same_numbers(opset: int, files: tuple[Path, Path]) -> None:
    """All opsets of the converter are valid ONNX and agree with opset 10."""
    sample = {"data": np.random.default_rng(0).random((1, 3, 32, 32), np.float32)}
    outputs = []
    for asked in (10, opset):
        model = convert(*files, asked)
        onnx.checker.check_model(model, full_check=True)
        path = files[0].with_suffix(f".{asked}.onnx")
        onnx.save(model, path)
        outputs.append(OnnxRuntime(path).run([sample])[0]["yolo_9"])
    assert model.opset_import[0].version == opset
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)


def test_every_node_says_which_cfg_line_it_is_from(files: tuple[Path, Path]) -> None:
    """A failure in a node can be told in terms of the cfg."""
    lines = files[0].read_text().splitlines()
    for node in convert(*files, 11).graph.node:
        where, _, layer = node.doc_string.partition(" layer ")
        name, _, number = where.partition(":")
        assert name == "small.cfg"
        assert lines[int(number) - 1] == f"[{layer.split('[')[1]}"


@pytest.mark.parametrize(
    ("change", "named"),
    [(-4, "layer 8 [convolutional]"), (-1500, "layer 2 [convolutional]"), (4, "4 bytes are left")],
)
def test_weights_that_do_not_fit_are_named(change: int, named: str, files: tuple[Path, Path]) -> None:
    """A file too short or too long for the cfg is refused with the layer and the byte counts."""
    cfg, weight = files
    data = weight.read_bytes()
    weight.write_bytes(data[:change] if change < 0 else data + b"\0" * change)
    with pytest.raises(ConversionError, match=r"small\.weights") as caught:
        convert(cfg, weight, 11)
    assert named in str(caught.value)
    assert "byte" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "named"), [(b"", "cannot be read"), (b"\0" * 8, "header"), (b"\xff" * 64, "version")]
)
def test_a_file_that_is_no_weights_file_is_named(data: bytes, named: str, files: tuple[Path, Path]) -> None:
    """An empty file, a stub and a wrong header are each refused."""
    files[1].write_bytes(data)
    with pytest.raises(ConversionError, match=named):
        convert(*files, 11)


def test_old_headers_are_four_bytes_shorter(files: tuple[Path, Path]) -> None:
    """Before version 0.2 the count of images seen has 4 bytes, and the weights are the same."""
    new = convert(*files, 11)
    data = files[1].read_bytes()
    old = np.array([0, 1, 0, 0], "<i4").tobytes() + data[20:]
    files[1].write_bytes(old)
    assert convert(*files, 11).SerializeToString() == new.SerializeToString()


@pytest.mark.parametrize(
    ("change", "code", "named"), [(0, 0, "outputs yolo_9"), (-4, 1, "layer 8 [convolutional]")]
)
def test_the_command_converts_or_says_why_not(
    change: int, code: int, named: str, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line either way, an exit code, and no file when it failed."""
    files[1].write_bytes(files[1].read_bytes()[: change or None])
    target = files[0].with_suffix(".onnx")
    assert main([*map(str, files), "--opset", "11", "-q", "-o", str(target)]) == code
    said = "".join(capsys.readouterr())
    assert named in said
    assert said.count("\n") == 1
    assert target.exists() == (code == 0)
