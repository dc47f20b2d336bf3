"""Small Darknet networks to prune: gammas of both signs that differ, and betas that count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from fixtures.pruning.darknet.files import Source
from reference_models import inputs
from reference_models.darknet import weights
from reference_models.darknet.builder import Cfg
from reference_models.darknet.zoo.catalog import ZOO
from suites.meta.networks import zoo_files

SIDE = 16
ANCHORS = ((3, 4), (6, 8))
ACTIVATIONS = ("leaky", "relu", "mish", "swish", "logistic", "linear")


def write(folder: Path, cfg: Cfg, seed: int = 0, text: str = "") -> Source:
    """Write a network; its gammas are from 0.05 to 1.5, its betas normal."""
    source = Source(folder / "net.cfg", folder / "net.weights")
    source.cfg.write_text(text or cfg.text())
    weights.write_seeded(source.weights, cfg, seed)
    random = np.random.default_rng(seed)
    data = np.fromfile(source.weights, np.uint8)
    for conv, stored in weights.stored_arrays(data, cfg):
        if conv.bn:
            stored[: conv.filters] = random.standard_normal(conv.filters)
            size = random.uniform(0.05, 1.5, conv.filters)
            stored[conv.filters : 2 * conv.filters] = size * random.choice([-1, 1], conv.filters)
    data.tofile(source.weights)
    return source


def sample(side: int = SIDE) -> dict[str, np.ndarray]:
    """Return a part of a photo, RGB in 0..1."""
    return {"data": inputs.photos(side, side, maximum=1.0, names=inputs.INSTALLED[:1])[0]}


def narrow(name: str, side: int = 64) -> Cfg:
    """Return a network of the zoo, a quarter as wide."""
    return zoo_files.slim(ZOO[name](side), 4)


def residual(side: int = SIDE) -> Cfg:
    """A head behind two residual blocks: convolutions 0, 2 and 5 share channels, 1 and 4 have their own."""
    cfg = Cfg(side, side)
    cfg.conv(12, 3)
    for inner in (6, 10):
        cfg.conv(inner, 1)
        cfg.conv(12, 3)
        cfg.shortcut(-3)
    cfg.conv(16, 3, stride=2)
    cfg.yolo((0, 1), ANCHORS, 2)
    return cfg


@st.composite
def families(draw: st.DrawFn) -> Cfg:
    """Draw a network of blocks of every kind that ties, splits or repeats channels, with one head or two."""
    cfg = Cfg(SIDE, SIDE, activation=draw(st.sampled_from(ACTIVATIONS)))
    cfg.conv(draw(st.sampled_from((4, 6, 8))), draw(st.sampled_from((1, 3))))
    for _ in range(draw(st.integers(1, 4))):
        draw(st.sampled_from(BLOCKS))(cfg, draw)
    if draw(st.booleans()):
        cfg.yolo((0,), ANCHORS, 1)
        cfg.route(-3)
        cfg.conv(6, 3)
    cfg.yolo((0, 1), ANCHORS, 1)
    return cfg


def _conv(cfg: Cfg, draw: st.DrawFn, filters: int = 0) -> None:
    many = filters or draw(st.sampled_from((3, 4, 8, 12)))
    cfg.conv(many, draw(st.sampled_from((1, 3))), activation=draw(st.sampled_from(ACTIVATIONS)))


def _shortcut(cfg: Cfg, draw: st.DrawFn) -> None:
    """Add a layer that may have fewer channels, or more, than the sum."""
    before = cfg.channels
    _conv(cfg, draw)
    _conv(cfg, draw, max(2, before + draw(st.sampled_from((0, 0, -1, 2)))))
    cfg.shortcut(-3, draw(st.sampled_from(("linear", "leaky"))))


def _concat(cfg: Cfg, draw: st.DrawFn) -> None:
    _conv(cfg, draw)
    cfg.route(-2)
    _conv(cfg, draw)
    cfg.route(-1, -3)


def _halves(cfg: Cfg, draw: st.DrawFn) -> None:
    """YOLOv4-tiny's block: half of the channels, then all of them beside."""
    _conv(cfg, draw, 8)
    cfg.route(-1, groups=draw(st.sampled_from((2, 4))), group_id=1)
    _conv(cfg, draw)
    cfg.route(-1, -3)


def _grouped(cfg: Cfg, draw: st.DrawFn) -> None:
    _conv(cfg, draw, 8)
    cfg.conv(draw(st.sampled_from((4, 8, 12))), draw(st.sampled_from((1, 3))), groups=2)


def _depthwise(cfg: Cfg, draw: st.DrawFn) -> None:
    """Each channel by itself, giving one or two."""
    cfg.conv(cfg.channels * draw(st.sampled_from((1, 2))), 3, groups=cfg.channels)
    _conv(cfg, draw)


def _resampled(cfg: Cfg, draw: st.DrawFn) -> None:
    """A pool, then the same size again, beside what was before."""
    cfg.add("maxpool", size=2, stride=2)
    _conv(cfg, draw)
    cfg.add("upsample", stride=2)
    cfg.route(-1, -4)


def _reorganized(cfg: Cfg, draw: st.DrawFn) -> None:
    """YOLOv2's passthrough, brought back to size."""
    _conv(cfg, draw, 8)
    cfg.add("reorg", 32, stride=2)
    _conv(cfg, draw)
    cfg.add("upsample", stride=2)


def _gated(cfg: Cfg, draw: st.DrawFn) -> None:
    """Squeeze and excite: gates without BatchNorm, so that nothing of it can be removed."""
    kept, count = cfg.last, cfg.channels
    cfg.add("avgpool")
    cfg.conv(4, 1, activation="relu", bn=False)
    cfg.conv(count, 1, activation="logistic", bn=False)
    cfg.scale_channels(kept - cfg.last - 1)
    _conv(cfg, draw)


BLOCKS = (_conv, _shortcut, _concat, _halves, _grouped, _depthwise, _resampled, _reorganized, _gated)
