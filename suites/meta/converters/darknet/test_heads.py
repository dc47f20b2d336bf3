"""Heads hand on what they get, are described for who decodes them, and are checked against their layer."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet import config, network
from fixtures.converters.darknet.convert import convert
from fixtures.converters.darknet.detectors import Detector
from fixtures.converters.errors import ConversionError
from suites.meta.networks.darknet_layers import check, random, run, write

ANCHORS = "anchors = 10,13,  16,30,  33,23.5"


def heads(channels: int, text: str, side: int = 4) -> tuple[Detector, ...]:
    """Describe the heads of a network of nothing else."""
    net = f"[net]\nchannels={channels}\nheight={side}\nwidth={side}\n"
    return network.resolve(config.parse(net + text, Path("net.cfg"))).detectors


def test_yolo_is_described(tmp_path: Path) -> None:
    """Anchors are those of the mask; new_coords and scale_x_y are kept; a tail after # is none of a list."""
    text = f"[yolo]\nmask=2,0#P6\nclasses=3\nnum=3\n{ANCHORS}\nscale_x_y=1.05\nnew_coords=1\nmax=9"
    (head,) = heads(16, text)
    assert (head.layer, head.kind, head.output, head.shape) == (0, "yolo", "yolo_0", (16, 4, 4))
    assert head.anchors == ((33, 23.5), (10, 13))
    assert (head.boxes, head.classes, head.scale_x_y, head.new_coords) == (2, 3, 1.05, True)


def test_what_a_yolo_leaves_out_is_darknets_default() -> None:
    """Twenty classes, one box, anchor 0.5, scale 1."""
    (head,) = heads(25, "[yolo]")
    assert (head.classes, head.boxes, head.anchors) == (20, 1, ((0.5, 0.5),))
    assert (head.scale_x_y, head.new_coords) == (1, False)


def test_a_mask_may_name_any_anchor_that_is_given() -> None:
    """In cspx-p7-mish num is less than the anchors, and its last masks name those beyond."""
    (head,) = heads(16, f"[yolo]\nmask=1,2\nclasses=3\nnum=2\n{ANCHORS}")
    assert head.anchors == ((16, 30), (33, 23.5))
    (head,) = heads(24, "[yolo]\nmask=0,1,2\nclasses=3\nnum=3\nanchors=1,2 3,4")
    assert head.anchors == ((1, 23), (4, 0.5), (0.5, 0.5))  # a lost comma, as in cspx-p7-mish_hp


def test_other_heads_are_described() -> None:
    """Gaussian boxes have nine values, region's sides are in cells, detection has none."""
    (gaussian,) = heads(24, f"[Gaussian_yolo]\nmask=0,1\nclasses=3\nnum=3\n{ANCHORS}\nyolo_point=left_top")
    assert (gaussian.output, gaussian.boxes, gaussian.point) == ("gaussian_yolo_0", 2, "left_top")
    (region,) = heads(16, "[region]\nclasses=3\nnum=2\ncoords=4\nsoftmax=1\nanchors=1,2,3,4")
    assert (region.output, region.anchors, region.softmax) == ("region_0", ((1, 2), (3, 4)), True)
    (old,) = heads(13, "[detection]\nclasses=3\nnum=2\ncoords=4\nside=4\nsqrt=1")
    assert (old.output, old.side, old.squared, old.anchors) == ("detection_0", 4, True, ())


def test_a_region_is_raw_without_its_tree(tmp_path: Path) -> None:
    """yolo9000 names a tree of classes; only decoding needs the file, but one that is there must fit."""
    x, text = random(1, 24, 2, 2), "[region]\nclasses=7\nnum=2\ntree=data/9k.tree"
    files = write(tmp_path, text, x)
    assert list(run(convert(*files, 13), x, tmp_path)) == ["region_0"]
    assert network.resolve(config.read(files[0])).detectors[0].tree == Path("data/9k.tree")
    (tmp_path / "9k.tree").write_text("animal -1\ncat 0\n")
    with pytest.raises(ConversionError, match=r"9k\.tree has 2 classes, expected 7"):
        convert(*files, 13)


RAW = {
    "yolo_1": ("[yolo]\nclasses=3\nnum=2\nmask=0,1", 16),
    "gaussian_yolo_1": ("[Gaussian_yolo]\nclasses=3\nnum=2\nmask=0,1", 24),
    "region_1": ("[region]\nclasses=3\nnum=2", 16),
}


@pytest.mark.parametrize(("name", "row"), RAW.items(), ids=RAW)
@pytest.mark.parametrize("before", ["[activation]\nactivation=relu", "[route]\nlayers=-1", "[dropout]"])
def test_the_raw_output_is_what_the_head_gets(
    name: str, row: tuple[str, int], before: str, tmp_path: Path
) -> None:
    """Its name is the head's, whatever layer is before it."""
    text, channels = row
    x = np.abs(random(2, channels, 3, 4))
    before = before.replace("[route]\nlayers=-1", "[crop]\ncrop_height=3\ncrop_width=4\nnoadjust=1")
    made = run(convert(*write(tmp_path, f"{before}\n{text}", x), 13, batch=2), x, tmp_path)
    assert list(made) == [name]
    np.testing.assert_array_equal(made[name], x)


def test_detection_is_flat(tmp_path: Path) -> None:
    """Its raw output is (N, values), behind an image or a [connected] layer."""
    x = random(2, 13, 4, 4)
    text = "[detection]\nclasses=3\nnum=2\ncoords=4\nside=4"
    check(tmp_path, text, x, x.reshape(2, -1).astype(np.float64))
    made = run(convert(*write(tmp_path, f"[softmax]\n{text}", x), 13, batch=2), x, tmp_path)
    assert list(made) == ["detection_1"]


def test_heads_of_one_layer_and_cost_at_the_end(tmp_path: Path) -> None:
    """Two heads may hand on the same tensor; a [cost] after layers without heads is no output."""
    x = random(1, 16, 3, 4)
    head = "[yolo]\nclasses=3\nnum=2\nmask=0,1\n"
    layers = f"[activation]\nactivation=relu\n{head}[route]\nlayers=0\n{head}"
    made = run(convert(*write(tmp_path, layers, x), 13), x, tmp_path)
    assert sorted(made) == ["yolo_1", "yolo_3"]
    np.testing.assert_array_equal(made["yolo_1"], made["yolo_3"])
    check(tmp_path, "[avgpool]\n[softmax]\n[cost]\ntype=sse", random(2, 1, 3, 4), np.ones((2, 1)))


BAD = {
    "wrong class count": (85, "[yolo]\nclasses=79", "84 channels"),
    "gaussian as yolo": (25, "[Gaussian_yolo]\nclasses=20", "29 channels"),
    "mask beyond the anchors": (25, "[yolo]\nclasses=20\nmask=1\nnum=1", "mask"),
    "region": (25, "[region]\nclasses=20\nnum=2", "50 channels"),
    "detection": (25, "[detection]\nclasses=3", "got 400"),
    "anchor that is no number": (25, "[yolo]\nanchors=1,two", "'two'"),
    "a layer that reads a head": (25, "[yolo]\n[dropout]", "reads layer 0"),
    "a layer that reads a cost": (25, "[cost]\n[dropout]", "reads layer 0"),
    "nothing but a cost": (25, "[cost]", "no layer computes"),
}


@pytest.mark.parametrize(("channels", "text", "named"), BAD.values(), ids=BAD)
def test_heads_that_do_not_fit_are_refused(channels: int, text: str, named: str) -> None:
    """Each defect is one error that says what was expected."""
    with pytest.raises(ConversionError, match=named):
        heads(channels, text)
