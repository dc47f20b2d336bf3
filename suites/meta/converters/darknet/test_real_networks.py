"""Every cfg of pjreddie's own Darknet, converted, computes what his library computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.meta.oracles.real_darknet import library
from suites.meta.oracles.real_darknet.cfgs import FOUND, NARROWED, text_of
from suites.meta.oracles.real_darknet.library import ABSENT, MISSING, TIMES_FLOOR, Real, distance, flat

pytestmark = pytest.mark.skipif(MISSING, reason=ABSENT)
INSTALLED = 45
"""Cfgs of the package."""


def hold(ours: Real, theirs: Real) -> tuple[float, float]:
    """Return how far a converted network is from a Darknet network, and its own float32 noise floor."""
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


def test_the_other_order_of_a_gru_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A weight file with AlexeyAB's order of parts means another network to pjreddie's Darknet."""
    monkeypatch.delitem(library.PARTS, "gru")
    net = Real(text_of("gru"), tmp_path)
    off, floor = hold(net, net)
    assert off > 100 * TIMES_FLOOR * floor
