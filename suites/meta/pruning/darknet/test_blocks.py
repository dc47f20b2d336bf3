"""Whole residual blocks: which can go; a network without them is the one in which they are silent."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.errors import ConversionError
from fixtures.pruning.darknet import comparison
from fixtures.pruning.darknet.blocks import Block, blocks, least, remove, write_silenced
from fixtures.pruning.darknet.files import Source
from fixtures.pruning.distance import distance
from reference_models.darknet.builder import Cfg
from suites.meta.networks import prunable_nets

COUNTS = {"yolov3": 23, "yolov4": 23, "yolov4-csp": 23, "darknet53": 23, "resnet18": 0, "yolov3-tiny": 0}
"""Blocks that can be removed: those of ResNet have an activation behind the sum."""


def removed(source: Source, gone: list[Block], folder: Path) -> Source:
    """Remove blocks."""
    folder.mkdir()
    made = Source(folder / source.cfg.name, folder / source.weights.name)
    remove(source, gone, made.cfg, made.weights)
    return made


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_a_network_without_blocks_is_the_one_with_silent_ones(name: str, count: int, tmp_path: Path) -> None:
    """Half of the blocks, and all: routes from afar and chains of shortcuts are renumbered."""
    pytest.importorskip("skimage")  # which brings the photos that seeded weights are sane on
    source, sample = prunable_nets.write(tmp_path, prunable_nets.narrow(name)), [prunable_nets.sample(64)]
    found = blocks(source)
    assert len(found) == count
    for number in {count // 2, count}:
        gone = least(source, number)
        small = removed(source, gone, tmp_path / f"without {number}")
        silenced = replace(source, weights=tmp_path / "silenced.weights")
        write_silenced(source, gone, silenced.weights)
        given, expected = (comparison.run(one, sample, tmp_path) for one in (small, silenced))
        assert len(small.net.layers) == len(source.net.layers) - sum(len(block.layers) for block in gone)
        renamed = [dict(zip(e, g.values(), strict=True)) for e, g in zip(expected, given, strict=True)]
        assert distance(renamed, expected) < 1e-6


def test_the_least_important_go_first(tmp_path: Path) -> None:
    """A block is judged by the mean size of the gammas of its last convolution."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    gammas = {layer.index: arrays.get("scales") for layer, arrays, _ in source.stored()}
    scores = {shortcut: float(np.abs(gammas[shortcut - 1]).mean()) for shortcut in (3, 6)}  # type: ignore[arg-type]
    assert [block.shortcut for block in blocks(source)] == sorted(scores, key=scores.__getitem__)
    assert blocks(source)[0].score == pytest.approx(min(scores.values()))


def test_none_is_the_identity(tmp_path: Path) -> None:
    """Without a block to remove both files are the same to the bit."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    made = removed(source, [], tmp_path / "made")
    assert made.cfg.read_bytes() == source.cfg.read_bytes()
    assert made.weights.read_bytes() == source.weights.read_bytes()


def test_comments_before_the_next_section_stay(tmp_path: Path) -> None:
    """What stands above a section belongs to it; what stands within a removed one goes with it."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    lines = source.cfg.read_text().splitlines()
    marked = [
        part
        for k, line in enumerate(lines)
        for part in ([f"# above {k}", line] if line[:1] == "[" else [line])
    ]
    source.cfg.write_text("\n".join(marked).replace("size=1", "# within\nsize=1"))
    gone = [block for block in blocks(source) if block.shortcut == 6]
    text = removed(source, gone, tmp_path / "made").cfg.read_text()
    assert text.count("# above") == len([line for line in marked if "# above" in line])
    assert text.count("# within") == "\n".join(marked).count("size=1") - 1


def _inside(cfg: Cfg) -> None:
    """Let a route read what lies within the block."""
    cfg.conv(12, 3)
    cfg.shortcut(-3)
    cfg.route(-1, 1)


def _activated(cfg: Cfg) -> None:
    cfg.conv(12, 3)
    cfg.shortcut(-3, "leaky")


def _loud(cfg: Cfg) -> None:
    """Give the last convolution an activation that is not 0 at 0."""
    cfg.conv(12, 3, activation="logistic")
    cfg.shortcut(-3)


def _plain(cfg: Cfg) -> None:
    cfg.conv(12, 3)
    cfg.shortcut(-3)


KINDS: dict[str, tuple[Callable[[Cfg], None], int]] = {
    "plain": (_plain, 1), "read inside": (_inside, 0), "activated": (_activated, 0), "loud": (_loud, 0)
}  # fmt: skip


@pytest.mark.parametrize(("rest", "count"), KINDS.values(), ids=KINDS)
def test_only_a_block_that_can_be_silent_is_one(
    rest: Callable[[Cfg], None], count: int, tmp_path: Path
) -> None:
    """What lies between is read by nobody else, and the last convolution can be silent."""
    cfg = Cfg(16, 16)
    cfg.conv(12, 3)
    cfg.conv(6, 1)
    rest(cfg)
    cfg.yolo((0, 1), prunable_nets.ANCHORS, 1)
    assert len(blocks(prunable_nets.write(tmp_path, cfg))) == count


def test_more_blocks_than_there_are_is_an_error(tmp_path: Path) -> None:
    """How many can be removed is said."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    with pytest.raises(ConversionError, match="3 blocks are to go, and 2 can be removed"):
        least(source, 3)
