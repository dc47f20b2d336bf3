"""Networks as wholes: any batch, ten thousand layers, every node with its line, files of real editors."""

import time
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.batch import with_dynamic_batch
from fixtures.converters.darknet import config, network
from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from fixtures.converters.opset import OPSETS
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models import fetch
from suites.meta.darknet_layers import HEADER, random, write

MIXED = """
[crop]
crop_height=4
crop_width=4
noadjust=1
[implicit]
filters=4
[scale_channels]
from=0
[convolutional]
filters=4
size=3
stride=2
pad=1
batch_normalize=1
activation=mish
antialiasing=1
[upsample]
stride=4
scale=.5
[shortcut]
from=-3
weights_type=per_feature
[reorg]
stride=2
[maxpool]
maxpool_depth=1
out_channels=4
[local]
filters=4
size=3
pad=1
[normalization]
[connected]
output=12
activation=stair
[softmax]
groups=3
[route]
layers=-1,-2
[softmax]
"""
X = random(5, 4, 6, 4)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A network of layers that reshape, and weights that are just enough."""
    sizes = 4 + 4 * 4 + 4 * 4 * 9 + 2 + 64 + 4 * 4 * 4 * 4 * 9 + 12 + 12 * 64
    return write(tmp_path, MIXED, X, [random(sizes, seed=1, positive=True)])


def run(model: onnx.ModelProto, x: np.ndarray, folder: Path) -> np.ndarray:
    """Run a model of one output."""
    onnx.save(model, folder / "net.onnx")
    (made,) = OnnxRuntime(folder / "net.onnx").run([{"data": x}])[0].values()
    return made


@pytest.mark.parametrize("opset", OPSETS)
def test_any_batch(opset: int, files: tuple[Path, Path], tmp_path: Path) -> None:
    """A dynamic batch computes what single images do: no layer mixes images or holds the batch's size."""
    dynamic = with_dynamic_batch(lambda batch: convert(*files, opset, batch=batch))
    onnx.checker.check_model(dynamic, full_check=True)
    single = convert(*files, opset)
    expected = np.concatenate([run(single, x[None], tmp_path) for x in X])
    np.testing.assert_allclose(run(dynamic, X, tmp_path), expected, rtol=1e-5, atol=1e-7)


def test_every_node_of_every_layer_has_its_line(files: tuple[Path, Path]) -> None:
    """Reshapes between images and flat tensors too."""
    lines = files[0].read_text().splitlines()
    seen = set()
    for node in convert(*files, 11).graph.node:
        where, _, layer = node.doc_string.partition(" layer ")
        number = int(where.partition(":")[2])
        seen.add(lines[number - 1])
        assert lines[number - 1] == f"[{layer.split('[')[1]}", node.name
    assert len(seen) == 13


def test_ten_thousand_layers(tmp_path: Path) -> None:
    """Depth costs neither recursion nor time."""
    pair = "[convolutional]\nfilters=1\nsize=1\nactivation=linear\n[shortcut]\nfrom=-2\n"
    begin = time.perf_counter()
    cfg, weights = write(tmp_path, "[dropout]\n" + pair * 5000, X[:1, :1], [np.zeros(10_000)])
    model = convert(cfg, weights, 13)
    assert len(model.graph.node) == 10_000
    assert time.perf_counter() - begin < 60
    with pytest.raises(ConversionError, match="layer 9999 "):
        convert(*write(tmp_path, "[dropout]\n" + pair * 5000, X[:1, :1], [np.zeros(9_999)]), 13)


def test_lists_end_where_darknets_do() -> None:
    """``180###P6`` is 180 in a list of anchors, and a number's tail is dropped."""
    yolo = "[yolo]\nclasses=1\nnum=2\nanchors=1,2, 3.5,180###P6\nmask=1###0"
    text = f"[net]\nchannels=6\nheight=4x\nwidth=4#\n{yolo}"
    (head,) = network.resolve(config.parse(text, Path("net.cfg"))).detectors
    assert head.anchors == ((3.5, 180),)


def test_comments_of_any_bytes_and_line_ends(tmp_path: Path) -> None:
    """A comment in another encoding, a byte order mark and Windows line ends change nothing."""
    plain = "[net]\nchannels=3\nheight=4\nwidth=4\n[avgpool]\n"
    strange = b"\xef\xbb\xbf# \xff\xfe\xa4\r\n; \x80\r\n" + plain.replace("\n", " \t\r\n").encode()
    (tmp_path / "net.cfg").write_bytes(strange)
    read = network.resolve(config.read(tmp_path / "net.cfg"))
    assert read.layers[0].shape == network.resolve(config.parse(plain, Path("net.cfg"))).layers[0].shape
    assert read.config.layers[0].line == 7


@pytest.mark.parametrize("name", ["yolov3-tiny.cfg", "yolov4-tiny.cfg"])
def test_official_files_hold_no_unknown_key(name: str) -> None:
    """The published files are read without leniency, training keys and all."""
    try:
        net = network.resolve(config.read(fetch.fetch(name)))
    except fetch.FetchError as error:
        pytest.skip(str(error))
    assert [head.classes for head in net.detectors] == [80, 80]


TRAINING = """[net]
batch=64
subdivisions=8
width=32
height=32
channels=3
momentum=0.949
decay=0.0005
angle=0
saturation = 1.5
exposure = 1.5
hue=.1
learning_rate=0.001
burn_in=1000
max_batches = 500500
policy=steps
steps=400000,450000
scales=.1,.1
mosaic=1
cutmix=1
letter_box=1
ema_alpha=0.9998
optimized_memory=0
workspace_size_limit_MB=1000
[convolutional]
batch_normalize=1
filters=18
size=1
stride=1
pad=1
activation=linear
stopbackward=800
[yolo]
mask = 0,1,2
anchors = 12, 16, 19, 36, 40, 28
classes=1
num=3
jitter=.3
ignore_thresh = .7
truth_thresh = 1
scale_x_y = 1.2
iou_thresh=0.213
cls_normalizer=1.0
iou_normalizer=0.07
obj_normalizer=0.4
iou_loss=ciou
nms_kind=greedynms
beta_nms=0.6
max_delta=5
resize=1.5
objectness_smooth=1
label_smooth_eps=0.1
random=1
"""


def test_keys_of_training_are_known() -> None:
    """A cfg as one trains with is read without leniency."""
    (head,) = network.resolve(config.parse(TRAINING, Path("net.cfg"))).detectors
    assert head.scale_x_y == 1.2


@pytest.mark.parametrize(("major", "named"), [(-1, "version"), (1 << 20, "version")])
def test_headers_that_no_darknet_wrote(major: int, named: str, tmp_path: Path) -> None:
    """A file of something else is refused at its first words."""
    with pytest.raises(ConversionError, match=named):
        convert(*write(tmp_path, "[avgpool]", X, header=(major, *HEADER[1:])), 13)
