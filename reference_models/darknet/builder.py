"""A builder that emits Darknet's cfg text and keeps what seeded weights and heads need to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from reference_models.yolo import Head

SECOND_MOMENT = {
    "linear": 1.0, "leaky": 0.505, "relu": 0.5, "mish": 0.452, "swish": 0.356, "logistic": 0.293,
}  # fmt: skip
"""E[f(x)^2] of a standard normal x, integrated numerically; leaky has slope 0.1."""
HEAD_GAIN = 0.15
"""Of a head's convolution: keeps the sizes of boxes, which are exponentials, within an image."""
POOLED = 0.25
"""What a mean over an image leaves of the second moment: leaky has a mean of 0.36, squared 0.13."""


@dataclass(frozen=True)
class Conv:
    """What a weight file stores for one convolution. `gain` scales what it adds to a residual sum, or logits.

    channels: of the input; each of the `groups` sees its part. moment: E[x^2] of the input, as planned.
    """

    filters: int
    channels: int
    size: int
    bn: bool
    gain: float
    groups: int = 1
    moment: float = SECOND_MOMENT["leaky"]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the stored weights."""
        return self.filters, self.channels // self.groups, self.size, self.size

    @property
    def count(self) -> int:
        """How many floats the file holds for it: biases, with BatchNorm three more each, weights."""
        return self.filters * (4 if self.bn else 1) + prod(self.shape)


@dataclass(frozen=True)
class _Made:
    """What is known of a layer's result: channels, input pixels per cell, planned second moment."""

    channels: int
    stride: int
    moment: float


class Cfg:
    """Collects sections; `text()` is what Darknet would read. Layers count from 0 as in Darknet.

    activation: what convolutions have unless told otherwise.
    """

    def __init__(self, width: int, height: int, channels: int = 3, activation: str = "leaky") -> None:
        self._sections = [f"[net]\nbatch=1\nwidth={width}\nheight={height}\nchannels={channels}\n"]
        self._input = _Made(channels, 1, SECOND_MOMENT["leaky"])
        self._made: list[_Made] = []
        self.activation = activation
        self.convs: list[Conv] = []
        self.heads: list[Head] = []

    @property
    def last(self) -> int:
        """Index of the layer added last."""
        return len(self._made) - 1

    @property
    def channels(self) -> int:
        """Channels of the layer added last, or of the input."""
        return self._at(-1).channels

    @property
    def stored_bytes(self) -> int:
        """Size of a weights file without its header."""
        return 4 * sum(conv.count for conv in self.convs)

    def _at(self, layer: int) -> _Made:
        """Return what a layer made; negative ones are relative to the layer to come."""
        index = layer if layer >= 0 else self.last + 1 + layer
        return self._made[index] if index >= 0 else self._input

    def _add(self, section: str, layer: _Made, keys: dict[str, object]) -> int:
        lines = "".join(f"{key}={value}\n" for key, value in keys.items())
        self._sections.append(f"[{section}]\n{lines}")
        self._made.append(layer)
        return self.last

    def add(self, section: str, channels: int | None = None, /, **keys: object) -> int:
        """Add one section and return its layer index; it keeps the channels unless told otherwise."""
        before = self._at(-1)
        stride = int(str(keys.get("stride", 1)))
        factor = {"maxpool": (stride, 1), "reorg": (stride, 1), "upsample": (1, stride)}.get(section, (1, 1))
        kept = before.channels if channels is None else channels
        moment = before.moment * (POOLED if section == "avgpool" else 1.0)
        return self._add(section, _Made(kept, before.stride * factor[0] // factor[1], moment), keys)

    def conv(
        self,
        filters: int,
        size: int,
        stride: int = 1,
        activation: str = "",
        bn: bool = True,
        gain: float = 1.0,
        groups: int = 1,
    ) -> int:
        """Convolution with "same" padding, with BatchNorm unless told otherwise."""
        before, kind = self._at(-1), activation or self.activation
        self.convs.append(Conv(filters, before.channels, size, bn, gain, groups, before.moment))
        keys: dict[str, object] = {"batch_normalize": 1} if bn else {}
        keys |= {"filters": filters, "size": size, "stride": stride, "pad": 1}
        keys |= {"groups": groups} if groups > 1 else {}
        layer = _Made(filters, before.stride * stride, SECOND_MOMENT[kind] * gain**2)
        return self._add("convolutional", layer, keys | {"activation": kind})

    def depthwise(self, size: int, stride: int = 1, activation: str = "") -> int:
        """Convolution of each channel by itself."""
        return self.conv(self.channels, size, stride, activation, groups=self.channels)

    def route(self, *layers: int, **keys: int) -> int:
        """Concatenate layers; negative ones are relative to this one."""
        parts = [self._at(layer) for layer in layers]
        channels = sum(part.channels for part in parts)
        moment = sum(part.channels * part.moment for part in parts) / channels
        if len({part.moment for part in parts}) == 1:
            moment = parts[0].moment  # to the last bit, so that seeded weights do not depend on the sum
        joined = _Made(channels // keys.get("groups", 1), parts[0].stride, moment)
        return self._add("route", joined, {"layers": ",".join(map(str, layers)), **keys})

    def shortcut(self, layer: int, activation: str = "linear") -> int:
        """Add a layer to the one before: its planned moment stands, for what is added has a small gain."""
        before, added = self._at(-1), self._at(layer)
        summed = _Made(before.channels, before.stride, added.moment)
        return self._add("shortcut", summed, {"from": layer, "activation": activation})

    def scale_channels(self, layer: int) -> int:
        """Squeeze-and-excite: scale each channel of `layer` by its gate, the sigmoid of the last layer."""
        scaled = self._at(layer)
        rescaled = _Made(scaled.channels, scaled.stride, scaled.moment * SECOND_MOMENT["logistic"])
        return self._add("scale_channels", rescaled, {"from": layer, "activation": "linear"})

    def yolo(
        self, mask: Sequence[int], anchors: Sequence[tuple[int, int]], classes: int, **keys: object
    ) -> int:
        """Add the convolution that a head needs, logistic with new_coords, and the [yolo] section itself."""
        scaled = "new_coords" in keys
        self.conv(
            len(mask) * (classes + 5), 1, 1, "logistic" if scaled else "linear", bn=False, gain=HEAD_GAIN
        )
        shown = {"mask": ",".join(map(str, mask)), "anchors": ", ".join(f"{w},{h}" for w, h in anchors)}
        layer = self._at(-1)
        index = self._add("yolo", layer, {**shown, "classes": classes, "num": len(anchors), **keys})
        chosen = tuple((float(anchors[i][0]), float(anchors[i][1])) for i in mask)
        style, scale = "new_coords" if scaled else "yolov3", float(str(keys.get("scale_x_y", 1)))
        self.heads.append(Head(f"yolo_{index}", chosen, layer.stride, classes, style, scale))  # type: ignore[arg-type]
        return index

    def text(self) -> str:
        """The whole cfg."""
        return "\n".join(self._sections)
