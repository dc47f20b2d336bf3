"""What goes hangs on gammas and betas, not on where the channels stand: on the zoo and on drawn networks."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.pruning import conditions
from fixtures.pruning.channels import Channels
from fixtures.pruning.conditions import REMOVED
from fixtures.pruning.darknet.files import Source, normalization
from fixtures.pruning.darknet.rules import trace
from fixtures.pruning.plan import Settings
from fixtures.pruning.solver import solve
from fixtures.pruning.strategies import STRATEGIES
from reference_models.darknet.builder import Cfg
from reference_models.darknet.zoo.catalog import ZOO
from suites.meta.networks import prunable_nets

Stored = Mapping[int, np.ndarray]
MULTIPLE = 4


def shuffled(channels: Channels, seed: int) -> np.ndarray:
    """Return class -> class: those that stand in the same places of a network change theirs."""
    places = defaultdict[int, list[tuple[object, ...]]](list)
    for layer, classes in channels.classes.items():
        for each in classes.tolist():
            places[each].append(("made", layer))
    parted = [split.parts for split in channels.splits]
    parted += [reading.parts for reading in channels.readings.values()]
    for number, parts in enumerate(parted):
        for part, classes in enumerate(parts):
            for each in classes.tolist():
                places[each].append(("parted", number, part))
    alike = defaultdict[tuple[object, ...], list[int]](list)
    for each in range(channels.count):
        alike[(channels.kept_whole[each], *places[each])].append(each)
    draw, new = np.random.default_rng(seed), np.arange(channels.count)
    for group in alike.values():
        new[group] = draw.permutation(group)
    return new


def moved(channels: Channels, stored: Stored, new: np.ndarray) -> dict[int, np.ndarray]:
    """Return numbers of channels in the order in which their classes then stand."""
    result = {}
    for layer, values in stored.items():
        classes = channels.classes[layer]
        was, becomes = np.argsort(classes, kind="stable"), np.argsort(new[classes], kind="stable")
        result[layer] = np.empty_like(values)
        result[layer][was] = values[becomes]
    return result


def require_same_states(source: Source, strategy: str, seed: int) -> bool:
    """Assert that masks move with the channels; return whether channels moved and some of them went."""
    channels = trace(source.net)
    gammas, betas = normalization(source, channels)
    new, asked = shuffled(channels, seed), Settings(0.5, strategy, multiple=MULTIPLE)
    plain = solve(channels, gammas, betas, asked)
    other = solve(channels, moved(channels, gammas, new), moved(channels, betas, new), asked)
    np.testing.assert_array_equal(other.state[new], plain.state)
    return bool((plain.state[new] != plain.state).any() and (plain.state == REMOVED).any())


@pytest.mark.parametrize("name", ZOO)
def test_permuting_channels_permutes_masks_on_the_zoo(name: str, tmp_path: Path) -> None:
    """Of every network, by every strategy."""
    source = prunable_nets.write(tmp_path, prunable_nets.narrow(name))
    assert True in {require_same_states(source, strategy, 5) for strategy in STRATEGIES}


def test_a_choice_by_place_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: rounding keeps the first channels, not the best."""
    best = conditions._raise_best
    monkeypatch.setattr(
        conditions, "_raise_best", lambda state, score, *rest: best(state, -np.arange(score.size), *rest)
    )
    source = prunable_nets.write(tmp_path, prunable_nets.narrow("yolov3-tiny"))
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        require_same_states(source, "all", 5)


@given(cfg=prunable_nets.families(), strategy=st.sampled_from(sorted(STRATEGIES)), seed=st.integers(0, 99))
@settings(deadline=None)
def test_permuting_channels_permutes_masks_on_drawn_networks(
    cfg: Cfg, strategy: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of networks with routes, shortcuts and groups that nobody thought of."""
    require_same_states(prunable_nets.write(tmp_path_factory.mktemp("drawn"), cfg), strategy, seed)
