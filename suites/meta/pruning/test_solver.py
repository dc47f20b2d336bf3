"""What the solver decides: thresholds, strategies, and the conditions that bring channels back."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet.registry import KINDS
from fixtures.converters.errors import ConversionError
from fixtures.pruning.conditions import CARRIER, KEPT, REMOVED, Carried, Equal, Least, Multiple
from fixtures.pruning.darknet.files import Source, normalization, planned
from fixtures.pruning.darknet.rules import RULES, trace
from fixtures.pruning.plan import Plan, Settings
from fixtures.pruning.solver import solve, with_masks
from reference_models.darknet.builder import Cfg
from suites.meta.networks import prunable_nets

SCORE = np.array([0.5, 0.1, 0.4, 0.2, 0.3])
ALL = np.arange(5)


def gone(*kept: int) -> np.ndarray:
    """States of five classes, of which those named are kept."""
    return np.where(np.isin(ALL, kept), KEPT, REMOVED)


def planned_with(folder: Path, cfg: Cfg, gammas: dict[int, list[float]], **settings: object) -> Plan:
    """Solve a network with these gammas in place of its own; what is not named has gammas of 9."""
    source = prunable_nets.write(folder, cfg)
    channels = trace(source.net)
    stored, betas = normalization(source, channels)
    given = {layer: np.array(gammas.get(layer, [9.0] * own.size)) for layer, own in stored.items()}
    return solve(channels, given, betas, Settings(**settings))  # type: ignore[arg-type]


def test_every_layer_type_of_the_converter_has_a_rule() -> None:
    """What a new layer type does to channels is said, not guessed."""
    assert set(RULES) == set(KINDS)


def test_the_floor_keeps_the_best() -> None:
    """A layer that would be empty keeps its most important channels, whatever is a carrier."""
    state = gone()
    state[0] = CARRIER
    assert Least(0, ALL, 2).raise_(state, SCORE) == 2
    assert state.tolist() == [CARRIER, REMOVED, KEPT, REMOVED, KEPT]
    assert not Least(0, ALL, 2).raise_(state, SCORE)


def test_rounding_counts_carriers_and_ends_at_the_whole_layer() -> None:
    """Channels are raised to a multiple, or to all there are."""
    state = gone(1)
    state[3] = CARRIER
    assert Multiple(0, ALL, 4).raise_(state, SCORE) == 2
    assert state.tolist() == [KEPT, KEPT, KEPT, CARRIER, REMOVED]
    assert Multiple(0, ALL, 8).raise_(state, SCORE) == 1


def test_equal_parts_follow_the_fullest() -> None:
    """Each part gets as many as the one that keeps most, its best first."""
    state = gone(0, 1)
    assert Equal(0, (ALL[:2], ALL[2:4])).raise_(state, SCORE) == 2
    assert state.tolist() == [KEPT, KEPT, KEPT, KEPT, REMOVED]


def test_the_carrier_is_the_cheapest_class() -> None:
    """Of removed classes the one that the fewest layers have carries, of equal ones the most important."""
    state, members = gone(0), np.array([1, 2, 2, 1, 1])
    assert Carried(0, ALL, members).raise_(state, SCORE) == 1
    assert state.tolist() == [KEPT, REMOVED, REMOVED, REMOVED, CARRIER]


def test_the_ratio_is_of_channels_that_may_go(tmp_path: Path) -> None:
    """The smallest half by |gamma| goes, of either sign, and only of layers that may be pruned."""
    sizes = [0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9, 1.0, -1.1, 1.2]
    cfg = Cfg(8, 8, activation="relu")
    cfg.conv(12, 1)
    cfg.yolo((0, 1), prunable_nets.ANCHORS, 1)
    plan = planned_with(tmp_path, cfg, {0: sizes}, ratio=0.5)
    assert plan.left(0).tolist() == [6, 7, 8, 9, 10, 11]
    assert plan.why(1) == "read by layer 2 [yolo]"
    assert plan.left(1).size == 12


STRATEGY_MASKS = {
    "skip-residual": (0.3, "1111", "01", "1111"),
    "block-inner": (0.5, "1111", "01", "1111"),
    "group-first": (0.36, "0011", "01", "0011"),
    "all": (0.36, "0111", "01", "0111"),
}
"""Strategy -> the part of what it may prune that goes, and the masks of layers 0, 1 and 2."""


@pytest.mark.parametrize(("strategy", "wanted"), STRATEGY_MASKS.items(), ids=STRATEGY_MASKS)
def test_strategies_differ_where_a_shortcut_adds(
    strategy: str, wanted: tuple[float, str, str, str], tmp_path: Path
) -> None:
    """Layers 0 and 2 are added: untouched, by the mask of the first, or kept where one of them wants it."""
    cfg = Cfg(8, 8)
    for filters in (4, 2, 4):
        cfg.conv(filters, 1)
    cfg.shortcut(-3)
    cfg.conv(4, 1)
    cfg.yolo((0, 1), prunable_nets.ANCHORS, 1)
    gammas = {0: [0.1, 0.2, 0.8, 0.9], 1: [0.3, 5], 2: [0.1, 0.8, 0.2, 0.9]}
    ratio, *masks = wanted
    plan = planned_with(tmp_path, cfg, gammas, strategy=strategy, mode="fold", ratio=ratio)
    found = ["".join("10"[bool(dead)] for dead in plan.dead(layer)) for layer in range(3)]
    assert found == masks


def test_no_layer_is_emptied_and_the_plan_says_so(tmp_path: Path) -> None:
    """Where all gammas of a layer are below the threshold, its best channel is kept, and it is named."""
    cfg = Cfg(8, 8)
    cfg.conv(4, 1)
    cfg.conv(8, 1)
    cfg.yolo((0, 1), prunable_nets.ANCHORS, 1)
    plan = planned_with(tmp_path, cfg, {0: [0.1, 0.3, 0.2, 0.15]}, ratio=0.5)
    assert plan.left(0).tolist() == [1]
    assert plan.why(0) == "floor"


@pytest.mark.parametrize("multiple", [1, 8, 16, 32])
def test_channels_are_rounded(multiple: int, tmp_path: Path) -> None:
    """What is left of each pruned layer is a multiple, or all of it."""
    cfg = Cfg(16, 16)
    for filters in (64, 40, 24):
        cfg.conv(filters, 3)
    cfg.yolo((0, 1), prunable_nets.ANCHORS, 1)
    plan = planned(prunable_nets.write(tmp_path, cfg), Settings(0.6, multiple=multiple))
    for layer, filters in enumerate((64, 40, 24)):
        assert plan.left(layer).size % multiple == 0 or plan.left(layer).size == filters


def test_a_gamma_of_zero_goes_at_any_ratio(tmp_path: Path) -> None:
    """A channel that is constant already is removed even where the threshold is 0."""
    cfg = Cfg(8, 8)
    cfg.conv(8, 1)
    cfg.yolo((0, 1), prunable_nets.ANCHORS, 1)
    plan = planned_with(tmp_path, cfg, {0: [0, 0, 0, 0, 0, 1, 1, 1]}, ratio=0.1)
    assert plan.left(0).tolist() == [5, 6, 7]


def permuted(source: Source, layer: int, order: np.ndarray, folder: Path) -> Source:
    """Write the network with the filters of a convolution in another order, and what reads them in step."""
    made, data = Source(source.cfg, folder / "permuted.weights"), bytearray(source.weights.read_bytes()[:20])
    for one, arrays, _ in source.stored():
        for what, array in arrays.items():
            reads = one.inputs[0] == layer and what == "weights"
            moved = array[order] if one.index == layer else array[:, order] if reads else array
            data += np.ascontiguousarray(moved).tobytes()
    made.weights.write_bytes(data)
    return made


def test_permuting_channels_permutes_the_mask(tmp_path: Path) -> None:
    """The decision hangs on the gammas, not on where they stand."""
    cfg = Cfg(16, 16)
    for filters in (16, 12, 8):
        cfg.conv(filters, 3)
    cfg.yolo((0, 1), prunable_nets.ANCHORS, 1)
    source, order = prunable_nets.write(tmp_path, cfg), np.random.default_rng(3).permutation(12)
    asked = Settings(0.5, multiple=4)
    plain, other = planned(source, asked), planned(permuted(source, 1, order, tmp_path), asked)
    states = [[plan.state[plan.channels.classes[layer]] for layer in range(3)] for plan in (plain, other)]
    for layer, (before, after) in enumerate(zip(*states, strict=True)):
        np.testing.assert_array_equal(after, before[order] if layer == 1 else before)


MASKS = {
    "another length": ({1: [1, 0]}, "a mask of 2 channels for 6"),
    "a layer kept whole": ({8: [1] * 13 + [0]}, r"can be removed \(read by layer 9 \[yolo\]\)"),
    "tied layers that disagree": ({0: [1] * 12, 2: [1] * 11 + [0]}, "channel 11 is tied to another one"),
}  # fmt: skip


@pytest.mark.parametrize(("masks", "message"), MASKS.values(), ids=MASKS)
def test_masks_that_do_not_fit_are_refused(masks: dict[int, list[int]], message: str, tmp_path: Path) -> None:
    """Masks of somebody else's making are held against the network, and the line is named."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    channels = trace(source.net)
    _, betas = normalization(source, channels)
    given = {layer: np.array(mask, bool) for layer, mask in masks.items()}
    with pytest.raises(ConversionError, match=message) as error:
        with_masks(channels, given, betas, Settings())
    assert str(error.value).startswith(f"{source.cfg}:")


def test_masks_that_fit_are_taken(tmp_path: Path) -> None:
    """What the masks remove is removed, a layer without one follows those that it is tied to."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    channels = trace(source.net)
    _, betas = normalization(source, channels)
    mask = np.arange(12) % 3 > 0
    plan = with_masks(channels, {0: mask}, betas, Settings(mode="fold"))
    assert [plan.left(layer).size for layer in (0, 2, 5, 1)] == [8, 8, 8, 6]


BAD = {
    "ratio": ({"ratio": 1.0}, "ratio 1.0: give a part from 0 to less than 1"),
    "strategy": ({"strategy": "some"}, "give one of skip-residual, block-inner, group-first, all"),
    "mode": ({"mode": "drop"}, "give one of carrier, fold"),
    "least": ({"least": 2.0}, "least 2.0: give a part from 0 to 1"),
    "multiple": ({"multiple": 0}, "give 1, 8, 16 or 32"),
}


@pytest.mark.parametrize(("asked", "message"), BAD.values(), ids=BAD)
def test_settings_that_cannot_be_are_refused(asked: dict[str, object], message: str) -> None:
    """The text says what may be given."""
    with pytest.raises(ValueError, match=message):
        Settings(**asked)  # type: ignore[arg-type]
