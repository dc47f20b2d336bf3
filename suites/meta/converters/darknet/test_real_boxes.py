"""Decoded outputs are the boxes and scores that pjreddie's own Darknet gives (get_network_boxes)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet.softmax import tree_groups
from suites.meta.oracles.darknet_interpreter.cases import ANCHORS, CONV, TREE, cfg
from suites.meta.oracles.real_darknet.cfgs import text_of
from suites.meta.oracles.real_darknet.library import (
    ABSENT,
    LEAST_FLOOR,
    MISSING,
    TIMES_FLOOR,
    Outputs,
    Real,
    ask,
    distance,
)

pytestmark = pytest.mark.skipif(MISSING, reason=ABSENT)
OPSETS = (10, 11, 12, 13, 17, 21)
GRID = "connected output=52 activation=linear\ndetection classes=3 coords=4 side=2 num=2"
SMALL = {
    "yolo": f"convolutional filters=14 size=1 activation=linear\nyolo mask=2,0 {ANCHORS} classes=2 num=4",
    "region": "convolutional filters=16 size=1 activation=linear\n"
    "region anchors=1,1.5,2,0.5 classes=3 coords=4 num=2 softmax=1",
    "detection": f"{GRID} sqrt=1",
    "detection_softmax": f"{GRID} softmax=1",
    "detection_of_one": "connected output=32 activation=linear\ndetection classes=3 coords=4 side=2 num=1",
}
"""Heads behind one convolution; the number of boxes a cell, and the order of anchors, matter."""
NETWORKS = ("yolov1-tiny", "yolov2-tiny", "yolov3-tiny")


def small(name: str) -> str:
    """Write a head out, in a network of an oblong input."""
    return cfg(f"{CONV}\n{SMALL[name]}", width=32)


def parts(outputs: Outputs) -> dict[str, np.ndarray]:
    """Boxes, objectness, and scores, which are what Darknet gives of the classes."""
    boxes, objectness, classes = (outputs[name] for name in ("boxes", "objectness", "classes"))
    return {"boxes": boxes, "objectness": objectness, "scores": objectness[..., None] * classes}


def darknets(net: Real) -> dict[str, np.ndarray]:
    """Return what Darknet gives for one image of the network's own size, in the converter's order of boxes.

    Darknet goes from cell to cell, and in a [region] from anchor to anchor, as the converter always does.
    """
    cfg_path, weights, values = net.files()
    _, height, width = net.net.input_shape
    job = {
        "cfg": str(cfg_path), "weights": str(weights), "values": values, "width": width, "height": height,
        "classes": net.net.detectors[0].classes,
    }  # fmt: skip
    (answer,) = ask(net.folder, [job], [net.rows()])
    assert answer.boxes is not None, answer.said[-300:]
    rows, made = answer.boxes[0], []
    for head in net.net.detectors:
        cells = head.side**2 or math.prod(head.shape[1:])
        found, rows = np.split(rows, [cells * head.boxes])
        if head.kind != "region":
            found = found.reshape(cells, head.boxes, -1).swapaxes(0, 1).reshape(len(found), -1)
        made.append(found)
    assert not len(rows)
    whole = np.concatenate(made)[None]
    return {"boxes": whole[..., :4], "objectness": whole[..., 4], "scores": whole[..., 5:]}


def far(net: Real, theirs: dict[str, np.ndarray], opset: int) -> dict[str, float]:
    """Parts that are further off than their float32 noise allows, in noise floors."""
    rows = net.rows()
    ours, twin = (parts(net.converted(rows, opset, twin=twin, outputs="decoded")) for twin in (False, True))
    off = {
        name: distance(ours[name], theirs[name]) / max(distance(twin[name], ours[name]), LEAST_FLOOR)
        for name in ours
    }
    return {name: value for name, value in off.items() if not value <= TIMES_FLOOR}


@pytest.mark.parametrize("name", SMALL)
def test_boxes_of_a_head(name: str, tmp_path: Path) -> None:
    """Every box, objectness and score of each kind of head, at each opset."""
    net = Real(small(name), tmp_path)
    theirs = darknets(net)
    for opset in OPSETS:
        assert far(net, theirs, opset) == {}, opset


@pytest.mark.parametrize("name", NETWORKS)
def test_boxes_of_a_network(name: str, tmp_path: Path) -> None:
    """YOLO from version 1 to 3, as their cfgs are."""
    net = Real(text_of(name), tmp_path)
    assert far(net, darknets(net), 13) == {}


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("yolo", "mask=2,0", "mask=0,2"), ("region", "1,1.5", "1.5,1"), ("detection", "sqrt=1", "sqrt=0"),
        ("detection_softmax", "softmax=1", "softmax=0"), ("region", "softmax=1", "softmax=0"),
    ],
)  # fmt: skip
def test_a_planted_error_is_seen(name: str, said: str, told: str, tmp_path: Path) -> None:
    """Anchors swapped, and keys of heads that are not heeded."""
    text = small(name)
    assert said in text
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
    theirs = darknets(Real(text, tmp_path / "theirs"))
    assert far(Real(text.replace(said, told), tmp_path / "ours"), theirs, 13) != {}


def test_a_region_without_softmax_is_alexeyabs(tmp_path: Path) -> None:
    """Its classes are as the network gives them; pjreddie's Darknet takes their logistic."""
    net = Real(small("region").replace("softmax=1", "softmax=0"), tmp_path)
    ours, theirs = net.converted(net.rows(), outputs="decoded"), darknets(net)
    scores = theirs["objectness"][..., None] / (1 + np.exp(-ours["classes"]))
    assert distance(theirs["scores"], scores) <= TIMES_FLOOR * LEAST_FLOOR


@pytest.mark.parametrize("opset", OPSETS)
def test_a_class_tree_of_a_region_is_that_of_a_softmax(opset: int, tmp_path: Path) -> None:
    """Decoded classes are what Darknet's [softmax] with that tree makes of the same values.

    pjreddie's CPU code for a tree in [region] takes other values than the classes, at a temperature of 0.
    """
    tree = tmp_path / "small.tree"
    tree.write_text(TREE)
    head = "convolutional filters=24 size=1 activation=linear"
    region = f"region anchors=1,1,2,2 classes=7 coords=4 num=2 softmax=1 tree={tree}"
    net = Real(cfg(f"{CONV}\n{head}\n{region}"), tmp_path)
    raw = net.converted(net.rows(), opset)["region_2"]
    assert tree_groups(net.net.layers[2].section, tree) == [2, 3, 2]
    values = raw.reshape(2, 12, 256).transpose(0, 2, 1)[:, :, 5:].reshape(512, 7)
    soft = tmp_path / "soft.cfg"
    soft.write_text(f"[net]\nbatch=1\ninputs=7\n[softmax]\ntree={tree}\n")
    (answer,) = ask(tmp_path, [{"cfg": str(soft), "weights": "", "values": 7}], [values])
    assert answer.outputs is not None
    classes = net.converted(net.rows(), opset, outputs="decoded")["classes"]
    assert distance(classes, answer.outputs[None]) <= TIMES_FLOOR * LEAST_FLOOR
