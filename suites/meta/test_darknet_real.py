"""Every cfg of pjreddie's own Darknet, converted, computes what his library computes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixtures.converters.darknet.layer import words
from suites.meta import darknet_real
from suites.meta.darknet_real import (
    ABSENT,
    CFGS,
    LIBRARY,
    TIMES_FLOOR,
    Real,
    distance,
    flat,
    narrowed,
    with_net,
)  # fmt: skip

pytestmark = pytest.mark.skipif(not LIBRARY.is_file(), reason=ABSENT)
FOUND = {path.stem: path for path in sorted(CFGS.glob("*.cfg"))}
INSTALLED = 45
"""Cfgs of the package."""
SIDE = 64
"""Of the input: the deepest of these networks divide it by 32."""
STEPS = 5
"""Rows that a recurrent network gets."""
NARROW = 4
NARROWED = words(
    "alexnet darknet19 darknet19_448 darknet53 darknet53_448 darknet9000 extraction extraction.conv "
    "extraction22k jnet-conv resnet34 resnet50 resnet101 resnet152 resnext50 resnext101-32x4d "
    "resnext152-32x4d strided t1.test vgg-16 vgg-conv yolo9000 yolov1 yolov2 yolov2-tiny-voc yolov2-voc "
    "yolov3 yolov3-openimages yolov3-spp yolov3-voc"
)
"""Networks of 60 to 800 MB, whose layers get a quarter of their channels: as wide as they are published
they would take minutes."""


def text_of(name: str) -> str:
    """Give an installed cfg with a small input, and a [crop] that fits it."""
    text = FOUND[name].read_text(errors="replace")
    if name.startswith(("go", "cifar")):
        return text
    if re.search(r"^inputs", text, re.M):
        return with_net(text, time_steps=STEPS)
    text = re.sub(
        r"^(crop_\w+)=.*", rf"\1={SIDE * 7 // 8}", with_net(text, width=SIDE, height=SIDE), flags=re.M
    )
    return narrowed(text, NARROW) if name in NARROWED else text


def hold(ours: Real, theirs: Real) -> tuple[float, float]:
    """Give how far a converted network is from a Darknet network, and its own float32 noise floor."""
    rows = ours.rows()
    outputs = ours.converted(rows)
    return distance(flat(outputs), theirs.darknet(rows)), ours.floor(rows, outputs)


@pytest.mark.parametrize("name", FOUND)
def test_a_cfg(name: str, tmp_path: Path) -> None:
    """Heads, scores and features agree to within a multiple of the network's own float32 noise."""
    net = Real(text_of(name), tmp_path)
    off, floor = hold(net, net)
    assert off <= TIMES_FLOOR * floor < 1e-4, f"{off:.2g}, floor {floor:.2g}"


def test_no_cfg_of_the_package_is_missing() -> None:
    """The table of networks that are narrowed names cfgs that there are, and all are found."""
    assert len(FOUND) == INSTALLED
    assert FOUND.keys() >= NARROWED


PLANTED = {
    "a slope": ("yolov3-tiny", "activation=leaky", "activation=relu"),
    "an order": ("yolov3-tiny", "layers = -1, 8", "layers = 8, -1"),
    "a crop that is not mapped to -1..1": ("strided", "flip=1", "noadjust=1"),
    "a temperature": ("darknet", "[softmax]", "[softmax]\ntemperature=1.001"),
    "zeros that are not appended": ("go", "extra=1", ""),
}
"""Error -> network, what its cfg says, what the converter is told."""


@pytest.mark.parametrize("error", PLANTED)
def test_a_planted_error_is_seen(error: str, tmp_path: Path) -> None:
    """What changes one layer is far outside the tolerance."""
    name, said, told = PLANTED[error]
    text = text_of(name)
    assert said in text
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
    wrong = text.replace(said, told)
    off, floor = hold(Real(wrong, tmp_path / "ours"), Real(text, tmp_path / "theirs"))
    assert off > 10 * TIMES_FLOOR * floor


def test_the_other_epsilon_is_seen(tmp_path: Path) -> None:
    """Variances as they are, for both epsilons, are outside the tolerance: compensation is needed."""
    net = Real(text_of("yolov3-tiny"), tmp_path)
    outputs = flat(net.converted(net.rows()))
    off = distance(outputs, net.darknet(net.rows(), compensated=False))
    assert 1e-4 < off < 0.1


@pytest.mark.parametrize("order", [("input_z", "input_r", "input_h", "state_z", "state_r", "state_h")])
def test_the_other_order_of_a_gru_is_seen(
    order: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A weight file with AlexeyAB's order of parts means another network to pjreddie's Darknet."""
    monkeypatch.setitem(darknet_real.PARTS, "gru", order)
    net = Real(text_of("gru"), tmp_path)
    off, floor = hold(net, net)
    assert off > 100 * TIMES_FLOOR * floor
