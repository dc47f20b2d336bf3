"""Small cfg texts: one or more for every kind of layer and every option that changes what is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from suites.meta.oracles.darknet_interpreter.activations import ACTIVATIONS
from suites.meta.oracles.darknet_interpreter.network import weights_for

SEED = 4
CONV = "convolutional batch_normalize=1 filters=8 size=3 stride=1 pad=1 activation=leaky"
TREE = "a -1\nb -1\nc 0\nd 0\ne 0\nf 1\ng 1\n"
"""Seven nodes in groups of 2, 3 and 2."""


@dataclass(frozen=True)
class Case:
    """One cfg. files: name -> text of what lies beside it. gain: of the weights."""

    name: str
    cfg: str
    files: Mapping[str, str] = field(default_factory=dict)
    gain: float = 1.0

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the cfg and seeded weights that fit it."""
        for name, text in self.files.items():
            (folder / name).write_text(text)
        cfg, weights = folder / f"{self.name}.cfg", folder / f"{self.name}.weights"
        cfg.write_text(self.cfg)
        weights.write_bytes(weights_for(self.cfg, folder, SEED, self.gain))
        return cfg, weights


def cfg(layers: str, width: int = 16, height: int = 16, channels: int = 3, steps: int = 1) -> str:
    """Write a cfg out: each line of `layers` is a section name and its options."""
    net = f"[net]\nwidth={width}\nheight={height}\nchannels={channels}\ntime_steps={steps}\n"
    sections = [line.split() for line in layers.strip().splitlines()]
    return net + "".join("\n".join([f"[{name}]", *options, ""]) for name, *options in sections)


def _case(name: str, *layers: str, files: Mapping[str, str] | None = None, **net: int) -> Case:
    return Case(name, cfg("\n".join(layers), **net), files or {})


def _convolution(name: str, options: str) -> Case:
    layer = f"convolutional batch_normalize=1 filters=8 {options}"
    return _case(
        f"convolution_{name}", CONV, layer + ("" if "activation" in options else " activation=leaky")
    )


BATCH_NORMALIZED = (
    ("stride", "size=3 stride=2 pad=1"),
    ("strides", "size=3 stride_x=1 stride_y=2 pad=1"),
    ("padding", "size=5 stride=1 padding=1"),
    ("pad_over_padding", "size=5 stride=1 pad=1 padding=3"),
    ("even", "size=4 stride=2 pad=1"),
    ("groups", "size=3 stride=1 pad=1 groups=4"),
    ("depthwise", "size=3 stride=2 pad=1 groups=8"),
    ("dilation", "size=3 stride=1 pad=1 dilation=2"),
    ("dilation_of_1x1", "size=1 stride=1 pad=1 dilation=3"),
    ("antialiasing", "size=3 stride=2 pad=1 antialiasing=1"),
    ("antialiasing_2", "size=3 stride=2 pad=1 antialiasing=2"),
    ("default_activation", "size=1 activation=logistic"),
    ("xnor", "size=3 stride=1 padding=0 xnor=1"),
    ("binary", "size=3 stride=1 pad=1 binary=1"),
    ("flipped", "size=3 stride=1 pad=1 flipped=1"),
)
"""Name and options of a convolution with BatchNorm, leaky unless it says otherwise."""
CONVOLUTIONS = (
    *(_convolution(*row) for row in BATCH_NORMALIZED),
    _case("convolution_bias", "convolutional filters=5 size=3 stride=2 pad=1 activation=linear", width=21),
    _case("convolution_unnamed", "conv filters=4 size=3", width=21),
    _case(
        "convolution_share",
        CONV,
        CONV,
        "convolutional batch_normalize=1 filters=8 size=3 pad=1 dilation=2 activation=mish share_index=1",
        "convolutional batch_normalize=1 filters=8 size=3 pad=1 activation=leaky share_index=-2",
    ),
)
ACTIVATED = tuple(
    Case(
        f"activation_{name}",
        cfg(f"convolutional filters=8 size=3 pad=1 activation={name}", width=12, height=8),
        gain=8.0,  # inputs beyond the knees of relu6, plse, hard_mish and the like
    )
    for name in ACTIVATIONS
)
POOLS = tuple(
    _case(f"maxpool_{name}", CONV, f"maxpool {options}", width=width, height=13)
    for name, options, width in (
        ("even", "size=2 stride=2", 16),
        ("odd", "size=2 stride=2", 15),
        ("stride_1", "size=2 stride=1", 16),
        ("spp_5", "size=5 stride=1", 16),
        ("spp_13", "size=13 stride=1", 13),
        ("strides", "size=3 stride_x=2 stride_y=1", 16),
        ("unpadded", "size=3 stride=2 padding=0", 16),
        ("cropped", "size=2 stride=3 padding=0", 16),
        ("padding_3", "size=3 stride=2 padding=3", 16),
        ("depth", "maxpool_depth=1 out_channels=2", 16),
        ("antialiasing", "size=2 stride=2 antialiasing=1", 16),
    )
)
PIXELS = (
    _case("local_avgpool", CONV, "local_avgpool size=3 stride=2", width=15),
    _case("local_avgpool_2", CONV, "local_avgpool size=2 stride=1"),
    _case("avgpool", CONV, "avgpool", width=12),
    _case("upsample", CONV, "upsample stride=2", width=12),
    _case("upsample_4", CONV, "upsample stride=4 scale=0.5"),
    _case("upsample_reverse", CONV, "upsample stride=-2 scale=0.5", width=12),
    _case("reorg", CONV, "reorg stride=2"),
    _case("reorg_reverse", CONV, "reorg stride=2 reverse=1"),
    _case("reorg3d", CONV, "reorg3d stride=2", width=12),
    _case("crop", "crop crop_width=12 crop_height=9 flip=1", CONV),
    _case("crop_noadjust", "crop crop_width=11 crop_height=16 noadjust=1", CONV),
)
JOINS = (
    _case("route", CONV, CONV, "route layers=-1,0"),
    _case("route_single", CONV, CONV, "route layers=-2", CONV),
    _case("route_groups", CONV, CONV, "route layers=-1,-2 groups=2 group_id=1"),
    _case("route_half", CONV, CONV, "route layers=-1 groups=2 group_id=1"),
    _case("shortcut", CONV, CONV, "shortcut from=-2 activation=leaky"),
    _case("shortcut_narrow", CONV.replace("=8", "=5"), CONV, "shortcut from=-2 activation=linear"),
    _case("shortcut_wide", CONV.replace("=8", "=12"), CONV, "shortcut from=0 activation=linear"),
    _case("shortcut_several", CONV, CONV, CONV, "shortcut from=-2,-3 activation=relu"),
    _case("shortcut_down", CONV, CONV.replace("stride=1", "stride=2"), "shortcut from=0 activation=linear"),
    _case("shortcut_up", CONV, "maxpool size=2 stride=2", CONV, "upsample stride=2", "shortcut from=-2"),
    *(
        _case(
            f"shortcut_{kind}_{how}",
            CONV, CONV, CONV,
            f"shortcut from=-2,-3 weights_type={kind} weights_normalization={how} activation=linear",
        )
        for kind in ("per_feature", "per_channel")
        for how in ("none", "relu", "softmax")
        if (kind, how) != ("per_feature", "none")
    ),
    _case("sam", CONV, CONV.replace("leaky", "logistic"), "sam from=-2 activation=linear"),
    _case("scale_channels", CONV, "avgpool", "scale_channels from=-2 activation=leaky"),
    _case(
        "scale_channels_wh", CONV, "convolutional filters=1 size=1 activation=logistic",
        "scale_channels from=-2 scale_wh=1",
    ),
    _case("implicit", CONV, "avgpool", "implicit filters=8", "shortcut from=-2 activation=linear"),
    _case("implicit_atoms", CONV, "implicit filters=4 atoms=3"),
    _case("dropout", CONV, "dropout probability=0.7", CONV),
)  # fmt: skip
DENSE = (
    _case("connected", CONV, "maxpool size=4 stride=4 padding=0", "connected output=10 activation=leaky"),
    _case("connected_bn", "avgpool", "connected output=10 batch_normalize=1 activation=leaky"),
    _case("local", CONV, "local filters=4 size=3 stride=2 activation=leaky", width=9, height=7),
    _case("local_pad", CONV, "local filters=4 size=3 stride=1 pad=1 activation=linear", width=7, height=7),
    _case("softmax", CONV, "avgpool", "softmax"),
    _case("softmax_temperature", CONV, "avgpool", "softmax temperature=3", "cost type=sse"),
    _case("softmax_groups", CONV, "avgpool", "softmax groups=2"),
    _case("softmax_map", CONV, "convolutional filters=1 size=1 activation=linear", "softmax groups=1"),
    _case(
        "softmax_tree", CONV.replace("=8", "=7"), "avgpool", "softmax tree=small.tree",
        files={"small.tree": TREE},
    ),
    _case("batchnorm", CONV, "batchnorm"),
    _case("batchnorm_first", "batchnorm", CONV),
    _case("lrn", CONV, "normalization alpha=0.3 beta=0.75 kappa=1 size=5"),
    _case("lrn_even", CONV, "lrn alpha=0.2 beta=0.5 kappa=2 size=4"),
    _case("lrn_defaults", CONV, "normalization"),
    _case("activation_layer", CONV, "activation activation=tanh"),
)  # fmt: skip
RECURRENT = (
    *(
        _case(name, layer, width=4, height=4, steps=3)
        for name, layer in (
            ("rnn", "rnn hidden=6 output=5 activation=leaky"),
            ("rnn_options", "rnn hidden=6 output=5 activation=tanh batch_normalize=1 shortcut=1 logistic=2"),
            ("crnn", "crnn hidden=6 output=4 size=3 pad=1 activation=leaky batch_normalize=1"),
            ("crnn_shortcut", "crnn hidden=6 output=4 size=1 activation=relu shortcut=1"),
            ("gru", "gru output=5"),
            ("gru_bn", "gru output=5 batch_normalize=1"),
            ("lstm", "lstm output=5"),
            ("lstm_bn", "lstm output=5 batch_normalize=1"),
        )
    ),
    _case("rnn_once", "rnn hidden=6 output=5 activation=leaky", width=4, height=4),
)
ANCHORS = "anchors=8,8,16,16,24,12,30,30"
HEADS = (
    _case("yolo", CONV, "convolutional filters=14 size=1 activation=linear",
          f"yolo mask=0,1 {ANCHORS} classes=2 num=4"),
    _case("yolo_scaled", CONV, "convolutional filters=14 size=1 activation=linear",
          f"yolo mask=2,3 {ANCHORS} classes=2 num=4 scale_x_y=1.2"),
    _case("yolo_new_coords", CONV, "convolutional filters=14 size=1 activation=logistic",
          f"yolo mask=2,3 {ANCHORS} classes=2 num=4 scale_x_y=2.0 new_coords=1"),
    _case("gaussian_yolo", CONV, "convolutional filters=22 size=1 activation=linear",
          f"Gaussian_yolo mask=2,3 {ANCHORS} classes=2 num=4 scale_x_y=1.1"),
    _case("region", CONV, "convolutional filters=16 size=1 activation=linear",
          "region anchors=1,1,2,2 classes=3 coords=4 num=2 softmax=1"),
    _case("region_tree", CONV, "convolutional filters=24 size=1 activation=linear",
          "region anchors=1,1,2,2 classes=7 coords=4 num=2 softmax=1 tree=small.tree",
          files={"small.tree": TREE}),
    _case("detection", CONV, "connected output=52 activation=linear",
          "detection classes=3 coords=4 side=2 num=2", width=8, height=8),
    _case("detection_softmax", CONV, "connected output=52 activation=linear",
          "detection classes=3 coords=4 side=2 num=2 softmax=1", width=8, height=8),
)  # fmt: skip
CASES = {
    case.name: case
    for case in (*CONVOLUTIONS, *ACTIVATED, *POOLS, *PIXELS, *JOINS, *DENSE, *RECURRENT, *HEADS)
}
