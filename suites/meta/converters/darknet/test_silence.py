"""Nothing in a cfg is passed over in silence: every name of Darknet's parser is converted or refused."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.darknet import activations, config, network
from fixtures.converters.darknet.convert import build
from fixtures.converters.darknet.layer import Kind, words
from fixtures.converters.darknet.registry import ANY_LAYER, KINDS, NET, REFUSED
from fixtures.converters.darknet.weights import WeightsReader
from fixtures.converters.errors import ConversionError

SECTIONS = words(
    "shortcut scale_channels sam crop cost detection region yolo Gaussian_yolo local conv convolutional "
    "activation crnn gru lstm conv_lstm history rnn conn connected max maxpool local_avg local_avgpool "
    "reorg3d reorg avg avgpool dropout lrn normalization batchnorm soft softmax contrastive route upsample "
    "empty silence implicit deconv deconvolutional l2norm logistic iseg"
)
"""Section names in the parsers of AlexeyAB and pjreddie (`string_to_layer_type`), [net] apart."""
ACTIVATIONS = words(
    "logistic swish mish hard_mish normalize_channels normalize_channels_softmax "
    "normalize_channels_softmax_maxval loggy relu relu6 elu selu gelu relie plse hardtan lhtan linear ramp "
    "revleaky leaky tanh stair"
)
"""Names in `get_activation`."""
FIRST = "[net]\nchannels=4\nheight=4\nwidth=4\n[dropout]\n"
BASES = {
    "convolutional": "filters=4\nsize=3\nstride=3",
    "crnn": "pad=1",
    "maxpool": "size=2\nstride=3",
    "local_avgpool": "size=2\nstride=3",
    "route": "layers=0",
    "shortcut": "from=0",
    "sam": "from=0",
    "scale_channels": "from=-1",
    "reorg": "stride=1",
    "crop": "crop_height=3\ncrop_width=3",
    "yolo": "mask=0\nnum=2\nclasses=2",
    "gaussian_yolo": "mask=0\nnum=2\nclasses=2",
    "region": "num=1\nclasses=2",
    "detection": "side=1\nnum=1",
}
"""Sections with what they cannot be without; keys that a test adds stand before these, so that they win."""
CHANNELS = {"detection": 3, "yolo": 7, "gaussian_yolo": 11, "region": 7}
SIDES = {"detection": 1, "scale_channels": 1}
VALUES = words("0 1 2 3 5 .5 -1 relu mish none per_channel softmax left_top nothing.tree 1,2 0,1")


def known(names: frozenset[str]) -> set[str]:
    """Names as the reader of cfgs gives them."""
    return {config.ALIASES.get(name.lower(), name.lower()) for name in names}


def test_every_section_of_darknet_is_converted_or_refused() -> None:
    """No name is missing, none is both, and none is there that Darknet does not know."""
    assert known(SECTIONS) == {*KINDS, *REFUSED}
    assert not KINDS.keys() & REFUSED.keys()


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_section_says_why(name: str) -> None:
    """The error has the line and the reason, also when unknown keys are let be."""
    with pytest.raises(ConversionError, match=rf"net\.cfg:6: layer 1 \[{name}\]: cannot be converted: \w+"):
        network.resolve(config.parse(f"{FIRST}[{name}]\nnonsense=1", Path("net.cfg")), lenient=True)


def test_every_activation_of_darknet_is_known() -> None:
    """No name is missing, and none is there that Darknet does not know."""
    assert activations.NAMES == ACTIVATIONS


@pytest.fixture
def any_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weight file that is long enough for all of these networks, and may be."""
    monkeypatch.setattr(WeightsReader, "finish", lambda self: None)
    path = tmp_path / "net.weights"
    path.write_bytes(np.random.default_rng(0).random(100_000, np.float32).tobytes())
    with path.open("r+b") as file:
        file.write(np.array([0, 2, 5, 0, 0], "<i4").tobytes())
    return path


def outcome(name: str, key: str, weights: Path) -> object:
    """Return model and heads of a network that ends in this section with one more key, or the error."""
    channels, side = CHANNELS.get(name, 4), SIDES.get(name, 4)
    sides = f"channels={channels}\nheight={side}\nwidth={side}\ntime_steps=2"
    cfg = weights.with_name("net.cfg")
    cfg.write_text(f"[net]\n{sides}\n[dropout]\n[{name}]\n{key}\n{BASES.get(name, '')}\n")
    try:
        built = build(cfg, weights, 13)
    except ConversionError as error:
        return str(error)
    return built.graph.model(built.metadata).SerializeToString(), built.net.detectors


def unheard(name: str, keys: frozenset[str], weights: Path) -> list[str]:
    """Keys of which no value changes what comes out."""
    base = outcome(name, "", weights)
    assert not isinstance(base, str), base
    return [
        key
        for key in sorted(keys)
        if all(outcome(name, f"{key}={value}", weights) == base for value in VALUES)
    ]


@pytest.mark.parametrize("name", KINDS)
def test_every_key_that_matters_is_heard(name: str, any_weights: Path) -> None:
    """Some value of each key changes the model, the description of the heads, or is refused."""
    kind = KINDS[name]
    alone = {"maxpool": {"out_channels"}, "crnn": {"padding"}, "shortcut": {"weights_normalization"}}
    assert not set(unheard(name, kind.keys | kind.fixed.keys(), any_weights)) - alone.get(name, set())


@pytest.mark.parametrize("name", KINDS)
def test_keys_for_training_change_nothing(name: str, any_weights: Path) -> None:
    """They are read by name and have no effect, whatever their values."""
    keys = KINDS[name].ignored | (ANY_LAYER - {"dontload", "dontloadscales", "numload"})
    assert set(unheard(name, keys, any_weights)) == keys


def test_keys_that_others_switch_on_are_heard(any_weights: Path) -> None:
    """``out_channels`` matters with ``maxpool_depth``, a normalization with weights."""
    depth = [outcome("maxpool", f"maxpool_depth=1\nout_channels={n}", any_weights) for n in (2, 4)]
    weighted = [
        outcome("shortcut", f"weights_type=per_channel\nweights_normalization={how}", any_weights)
        for how in ("relu", "softmax", "none")
    ]
    assert depth[0] != depth[1]
    assert len({made[0] for made in weighted if isinstance(made, tuple)}) == 3


def test_a_key_that_is_only_listed_is_seen(any_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of keys trips on a planted key that no code reads."""
    planted: Kind = dataclasses.replace(KINDS["reorg"], keys=KINDS["reorg"].keys | {"colour"})
    monkeypatch.setitem(KINDS, "reorg", planted)
    assert unheard("reorg", planted.keys, any_weights) == ["colour"]


@pytest.mark.parametrize("name", [*KINDS, "net"])
def test_an_unknown_key_is_refused_with_its_line_unless_told(name: str) -> None:
    """Every section refuses what Darknet does not read there; leniently it is let be."""
    sides = "channels=4\nheight=4\nwidth=4\n"
    text = (
        f"[net]\n{sides}[{name}]\ncolour=red\n" if name != "net" else f"[net]\n{sides}colour=red\n[dropout]\n"
    )
    line = 5 if name == "net" else 6
    with pytest.raises(ConversionError, match=rf"net\.cfg:{line}: .*unknown key 'colour'"):
        network.resolve(config.parse(text, Path("net.cfg")))
    with contextlib.suppress(ConversionError):  # of keys that this section cannot be without
        assert network.resolve(config.parse(text, Path("net.cfg")), lenient=True).layers


def test_keys_of_net_that_shape_the_input_are_heard() -> None:
    """Height, width and channels, or inputs alone."""
    sides = network.resolve(config.parse("[net]\nchannels=1\nheight=2\nwidth=3\n[dropout]", Path("net.cfg")))
    flat = network.resolve(config.parse("[net]\ninputs=7\n[dropout]", Path("net.cfg")))
    assert (sides.input_shape, sides.flat_input) == ((1, 2, 3), False)
    assert (flat.input_shape, flat.flat_input) == ((7, 1, 1), True)
    assert {"height", "width", "channels", "inputs"} <= NET
