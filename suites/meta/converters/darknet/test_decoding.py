"""Heads are read from the cfg as Darknet reads them, and what is not decoded is refused by its line."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet import config, network
from fixtures.converters.darknet.convert import convert
from fixtures.converters.darknet.heads import Head, read_heads
from fixtures.converters.errors import ConversionError
from fixtures.converters.nms import Outputs
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models import yolo
from reference_models.darknet import weights
from reference_models.darknet.architectures import Cfg

PAIRS = "10,14, 23,27, 37,58, 81,82"


def read(text: str, channels: int) -> tuple[Head, ...]:
    """Read the heads of a network of strides 16 across and 8 down."""
    net = f"[net]\nwidth=64\nheight=32\nchannels={channels}\n[maxpool]\nstride_x=16\nstride_y=8\nsize=1\n"
    resolved = network.resolve(config.parse(net + text, Path("a.cfg")))
    return read_heads(resolved, "layer_{}".format, "flat_{}".format)


def test_a_mask_picks_anchors_in_its_own_order() -> None:
    """mask=2,0 reads the third anchor first; strides are input sizes over grid sizes, by axis."""
    head = read(f"[yolo]\nmask=2,0\nclasses=1\nnum=4\nanchors={PAIRS}\nscale_x_y=1.05", 12)[0]
    assert head.anchors == ((37, 58), (10, 14))
    assert (head.stride, head.scale_x_y, head.new_coords) == ((16, 8), 1.05, False)


def test_anchors_end_at_a_comment() -> None:
    """Darknet stops counting at #, as the zoo's `180###P6` needs."""
    head = read("[yolo]\nmask=0\nclasses=1\nnum=1\nanchors=10,14###P6\nnew_coords=1", 6)[0]
    assert head.anchors == ((10, 14),)
    assert head.new_coords


@pytest.mark.parametrize(("softmax", "meant"), [("softmax=1", True), ("", None)])
def test_anchors_of_a_region_are_in_cells(softmax: str, meant: bool | None) -> None:
    """A YOLOv2 anchor is a multiple of the stride, and its classes are softmaxed only on request."""
    head = read(f"[region]\nclasses=1\nnum=2\nanchors=0.5,1.25,2,3\n{softmax}", 12)[0]
    assert head.anchors == ((8, 10), (32, 24))
    assert head.softmax is meant


def test_a_gaussian_head_has_four_more_channels() -> None:
    """Its nine channels before the classes are part of the size check."""
    head = read(f"[Gaussian_yolo]\nmask=0,1\nclasses=1\nnum=4\nanchors={PAIRS}", 20)[0]
    assert (head.kind, head.boxes) == ("gaussian_yolo", 32)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[region]\nclasses=5\nanchors=1,2\nbackground=1", "a.cfg:12: .*background is not decoded"),
        ("[region]\nclasses=4\nanchors=1,2\ncoords=5", "a.cfg:12: .*coords is not decoded"),
        ("[Gaussian_yolo]\nclasses=1\nyolo_point=left_top", "a.cfg:11: .*yolo_point is not decoded"),
        ("[region]\nclasses=5\nanchors=1,2\ntree=no.tree", "a.cfg:12: .*'no.tree' is not there"),
        ("[detection]\nclasses=4\nside=4\nnum=1\ncoords=5", "a.cfg:13: .*coords is not decoded"),
        ("[dropout]", "a.cfg:1: .*there is no head to decode"),
    ],
)
def test_what_cannot_be_decoded_names_its_line(text: str, said: str) -> None:
    """Missing anchors, trees, other origins and networks without a head are refused."""
    with pytest.raises(ConversionError, match=said):
        read(text, 10)


def two_heads(classes: int = 1) -> Cfg:
    """A small detector with heads at strides 4 and 2."""
    cfg = Cfg(64, 32)
    first = cfg.conv(8, 3, stride=2)
    cfg.conv(8, 3, stride=2)
    cfg.yolo((1, 2), ((4, 6), (10, 14), (23, 27)), 1, scale_x_y=1.1)
    cfg.route(first)
    cfg.yolo((0,), ((4, 6), (10, 14), (23, 27)), classes)
    return cfg


def files(folder: Path, cfg: Cfg) -> tuple[Path, Path]:
    """Write the detector and its seeded weights."""
    paths = folder / "two.cfg", folder / "two.weights"
    paths[0].write_text(cfg.text())
    weights.write_seeded(paths[1], cfg, seed=2)
    return paths


def run(model: onnx.ModelProto, folder: Path) -> dict[str, np.ndarray]:
    """Outputs for one seeded image."""
    onnx.save(model, folder / "a.onnx")
    sample = {"data": np.random.default_rng(0).random((1, 3, 32, 64), np.float32)}
    return OnnxRuntime(folder / "a.onnx").run([sample])[0]


def test_a_converted_detector_decodes_its_own_raw_heads(tmp_path: Path) -> None:
    """The decoded outputs of a network are its raw outputs, decoded in NumPy, head after head."""
    paths = files(tmp_path, two_heads())
    raw, made = (run(convert(*paths, 13, outputs=kind), tmp_path) for kind in ("raw", "decoded"))
    anchors = ((4.0, 6.0), (10.0, 14.0), (23.0, 27.0))
    heads = [
        yolo.Head("yolo_3", anchors[1:], 4, 1, "yolov3", 1.1),
        yolo.Head("yolo_6", anchors[:1], 2, 1, "yolov3"),
    ]  # fmt: skip
    decoded = yolo.decode(raw, heads)
    for part, value in made.items():
        theirs = np.concatenate([decoded[f"yolo_3/{part}"], decoded[f"yolo_6/{part}"]], axis=1)
        np.testing.assert_allclose(value, theirs, rtol=1e-4, atol=1e-5)
    assert list(made) == ["boxes", "objectness", "classes"]


@pytest.mark.parametrize(("outputs", "opset"), [("decoded", 13), ("nms", 13), ("efficientnms", 10)])
def test_heads_of_unequal_classes_are_refused(outputs: Outputs, opset: int, tmp_path: Path) -> None:
    """They cannot be one tensor of classes; the message names the second head's line."""
    paths = files(tmp_path, two_heads(classes=2))
    line = paths[0].read_text().splitlines().index("classes=2") + 1
    with pytest.raises(ConversionError, match=rf"two\.cfg:{line}: .* it has 2 classes, the first head 1"):
        convert(*paths, opset, outputs=outputs)


def test_nms_at_opset_10_is_an_error_of_the_call(tmp_path: Path) -> None:
    """The network is fine; the message says which opset has what is missing."""
    with pytest.raises(ValueError, match="came with 11"):
        convert(*files(tmp_path, two_heads()), 10, outputs="nms")


def test_the_resolver_and_the_reader_agree_on_heads(tmp_path: Path) -> None:
    """Every [yolo] layer that the network module finds is read as a head."""
    net = network.resolve(config.read(files(tmp_path, two_heads())[0]))
    found = read_heads(net, "layer_{}".format, "flat_{}".format)
    assert [head.tensor for head in found] == [f"layer_{i - 1}" for i in net.heads]
