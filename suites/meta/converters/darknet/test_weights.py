"""Files as they come: other editors, tails of values, training keys, headers of other programs."""

from pathlib import Path

import pytest

from fixtures.converters.darknet import config, network
from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from reference_models import fetch
from suites.meta.networks.darknet_layers import HEADER, random, write

X = random(5, 4, 6, 4)


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
filters=18	#255
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
uc_normalizer=0.07
beta1=0.6
counters_per_class = 26575
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
