"""The zoo's networks are the published ones: layer counts, output shapes, sizes of the official files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.converters.darknet import config, network
from reference_models import registry
from reference_models.darknet import weights
from reference_models.darknet.builder import Cfg
from reference_models.darknet.zoo.catalog import ZOO
from reference_models.darknet.zoo.csp import yolov4, yolov4_csp


@dataclass(frozen=True)
class Published:
    """What is known of a network: side of its input, layers, outputs (layer -> channels, height, width)."""

    size: int
    layers: int
    outputs: dict[int, tuple[int, int, int]]


def three(
    size: int, finest: int, middle: int, coarsest: int, channels: int = 255
) -> dict[int, tuple[int, int, int]]:
    """Three heads, given by their [yolo] layers in the order of strides 8, 16, 32."""
    strides = {finest: 8, middle: 16, coarsest: 32}
    return {layer: (channels, size // s, size // s) for layer, s in strides.items()}


PUBLISHED = {
    "yolov2": Published(608, 32, {31: (425, 19, 19)}),
    "yolov2-tiny": Published(416, 16, {15: (425, 13, 13)}),
    "yolov3": Published(416, 107, three(416, 106, 94, 82)),
    "yolov3-spp": Published(608, 114, three(608, 113, 101, 89)),
    "yolov3-tiny": Published(416, 24, {16: (255, 13, 13), 23: (255, 26, 26)}),
    "yolov4": Published(608, 162, three(608, 139, 150, 161)),
    "yolov4-tiny": Published(416, 38, {30: (255, 13, 13), 37: (255, 26, 26)}),
    "yolov4-tiny-3l": Published(608, 45, three(608, 44, 37, 30)),
    "yolov4-csp": Published(512, 175, three(512, 144, 159, 174)),
    "yolov4x-mish": Published(640, 203, three(640, 168, 185, 202)),
    "yolov4-p5": Published(896, 244, three(896, 235, 239, 243, channels=340)),
    "yolov7-tiny": Published(416, 99, three(416, 90, 94, 98)),
    "enet-coco": Published(416, 143, {135: (255, 13, 13), 142: (255, 26, 26)}),
    "csresnext50-panet-spp": Published(608, 138, three(608, 115, 126, 137)),
    "darknet19": Published(256, 26, {25: (1000, 1, 1)}),
    "darknet53": Published(256, 78, {77: (1000, 1, 1)}),
    "resnet18": Published(256, 29, {28: (1000, 1, 1)}),
    "resnet50": Published(256, 69, {68: (1000, 1, 1)}),
    "densenet201": Published(256, 305, {304: (1000, 1, 1)}),
    "yolo-fastest": Published(320, 105, {95: (255, 10, 10), 104: (255, 20, 20)}),
}
"""As the cfgs have it; enet-coco, csresnext50-panet-spp and yolo-fastest are ours in details."""
HEADLESS = {"yolov2", "yolov2-tiny", "darknet19", "darknet53", "resnet18", "resnet50", "densenet201"}
"""Networks with a [region] or with scores; the others have [yolo] heads."""
OFFICIAL_BYTES = {
    "yolov2": 203_934_260, "yolov2-tiny": 44_948_596, "yolov3": 248_007_048, "yolov3-spp": 252_209_544,
    "yolov3-tiny": 35_434_956, "yolov4": 257_717_640, "yolov4-tiny": 24_251_276, "yolov4-csp": 211_944_840,
}  # fmt: skip
"""Sizes of the official .weights files. yolov2's have the header of version 0.1, four bytes shorter."""
OFFICIAL_MEBIBYTES = {"darknet19": 80, "darknet53": 159, "resnet18": 44, "resnet50": 87, "densenet201": 66}
"""As the table on pjreddie.com/darknet/imagenet lists them."""


def file_bytes(name: str, cfg: Cfg) -> int:
    """Size of the .weights file that a network reads."""
    return cfg.stored_bytes + weights.HEADER.nbytes - (4 if name.startswith("yolov2") else 0)


def resolved(name: str) -> network.Network:
    """The network of the zoo at its published size."""
    return network.resolve(config.parse(ZOO[name](PUBLISHED[name].size).text(), Path(f"{name}.cfg")))


def test_every_network_has_its_published_figures() -> None:
    """No network of the zoo goes without a row, and no row without its network."""
    assert PUBLISHED.keys() == ZOO.keys()


@pytest.mark.parametrize("name", ZOO)
def test_the_layers_are_as_many_as_published(name: str) -> None:
    """Sections of the cfg after [net], as Darknet numbers them."""
    cfg = ZOO[name](PUBLISHED[name].size)
    assert cfg.last + 1 == PUBLISHED[name].layers
    assert len(config.parse(cfg.text(), Path("a.cfg")).layers) == PUBLISHED[name].layers


@pytest.mark.parametrize("name", ZOO)
def test_the_outputs_have_the_published_shapes(name: str) -> None:
    """Heads stand at the published layers, with the channels and cells that those have."""
    net = resolved(name)
    assert {i: net.layers[i].shape for i in net.heads or (len(net.layers) - 1,)} == PUBLISHED[name].outputs


@pytest.mark.parametrize("name", OFFICIAL_BYTES)
def test_the_weights_are_as_many_bytes_as_the_official_ones(name: str) -> None:
    """The network reads the official file to its last byte."""
    assert file_bytes(name, ZOO[name](PUBLISHED[name].size)) == OFFICIAL_BYTES[name]


@pytest.mark.parametrize("name", OFFICIAL_MEBIBYTES)
def test_classifiers_are_as_large_as_their_authors_say(name: str) -> None:
    """Where only a rounded size is published, the rounded size agrees."""
    assert round(file_bytes(name, ZOO[name](256)) / 2**20) == OFFICIAL_MEBIBYTES[name]


def test_a_network_that_is_not_the_official_one_has_another_size() -> None:
    """The size sees one class more, and one network in place of another."""
    assert file_bytes("yolov4", yolov4(608, classes=81)) != OFFICIAL_BYTES["yolov4"]
    assert file_bytes("yolov4", yolov4_csp(608)) != OFFICIAL_BYTES["yolov4"]


def test_heads_are_read_where_the_cfg_has_them() -> None:
    """The builder's heads have the names, strides and channels of the network that is resolved."""
    for name in ZOO.keys() - HEADLESS:
        heads = ZOO[name](PUBLISHED[name].size).heads
        said = {
            int(h.output.removeprefix("yolo_")): (
                len(h.anchors) * (5 + h.classes),
                *[PUBLISHED[name].size // h.stride] * 2,
            )
            for h in heads
        }
        assert said == PUBLISHED[name].outputs


def test_every_detector_is_a_reference_model() -> None:
    """What has heads that can be decoded is in the registry, by its own name; the others are not."""
    rows = {name for name, row in registry.models().items() if row.framework == "darknet"}
    assert ZOO.keys() & rows == ZOO.keys() - HEADLESS


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    """Weights are not cut up by a network that they are not of."""
    weights.write_seeded(tmp_path / "a", ZOO["yolo-fastest"](96), seed=1)
    with pytest.raises(ValueError, match=r"bytes of weights, but the network has"):
        weights.shift_variances(tmp_path / "a", tmp_path / "b", ZOO["yolov4-tiny"](96), 1e-5)
