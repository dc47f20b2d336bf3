"""YOLOv5 written a second time, from its published configurations: tensors by name, and a forward pass.

Nothing of reference_models is used. Layers are rows of text, and what can be formulated otherwise is: the
Focus stem as one 6x6 convolution, each max-pool as repeated 3x3 ones, normalisation as its formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

MULTIPLES = {"n": (0.25, 0.33), "s": (0.5, 0.33), "m": (0.75, 0.67), "l": (1, 1), "x": (1.25, 1.33)}
P5_BODY = "down:128 block:128:3 down:256 block:256:{} down:512 block:512:9 down:1024"
P6_BODY = "down:128 block:128:3 down:256 block:256:{} down:512 block:512:9 down:768 block:768:3 down:1024"
P5_NECK = (
    "one:512 up cat:-1,6 flat:512:3 one:256 up cat:-1,4 flat:256:3 "
    "down:256 cat:-1,14 flat:512:3 down:512 cat:-1,10 flat:1024:3 detect:17,20,23"
)
P6_NECK = (
    "one:768 up cat:-1,8 flat:768:3 one:512 up cat:-1,6 flat:512:3 one:256 up cat:-1,4 flat:256:3 "
    "down:256 cat:-1,20 flat:512:3 down:512 cat:-1,16 flat:768:3 down:768 cat:-1,12 flat:1024:3 "
    "detect:23,26,29,32"
)
EPSILON = 1e-3
Shapes = Iterator[tuple[str, tuple[int, ...]]]


def rows(release: int, p6: bool) -> list[str]:
    """The numbered layers: kind, width and repetitions, or sources; ``flat`` is a block without shortcuts."""
    body, neck = (P6_BODY, P6_NECK) if p6 else (P5_BODY, P5_NECK)
    if release >= 6:
        return f"six:64 {body.format(6)} block:1024:3 sppf:1024 {neck}".split()
    return f"focus:64 {body.format(9)} spp:1024 flat:1024:3 {neck}".split()


def shapes(size: str, release: int, p6: bool) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published state_dict, 80 classes."""
    return dict(_shapes(size, release, p6))


def forward(state: Mapping[str, Any], image: Any, size: str, release: int, p6: bool) -> list[Any]:
    """Return the raw heads for an image (N, 3, H, W), from tensors named as published."""
    return _Pass(state, size, release, p6).run(image)


def _scaled(size: str, fields: list[str]) -> tuple[int, int]:
    """Width to a multiple of 8, repetitions rounded, at least 1."""
    width, depth = MULTIPLES[size]
    repeat = round(int(fields[2]) * depth) if len(fields) > 2 else 0
    return math.ceil(int(fields[1]) * width / 8) * 8, max(repeat, 1)


def _conv(name: str, inputs: int, out: int, kernel: int) -> Shapes:
    yield f"{name}.conv.weight", (out, inputs, kernel, kernel)
    yield from _norm(f"{name}.bn", out)


def _norm(name: str, width: int) -> Shapes:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (width,)
    yield f"{name}.num_batches_tracked", ()


def _block(name: str, inputs: int, out: int, repeat: int, csp: bool) -> Shapes:
    half = out // 2
    yield from _conv(f"{name}.cv1", inputs, half, 1)
    if csp:
        yield f"{name}.cv2.weight", (half, inputs, 1, 1)
        yield f"{name}.cv3.weight", (half, half, 1, 1)
        yield from _norm(f"{name}.bn", 2 * half)
    else:
        yield from _conv(f"{name}.cv2", inputs, half, 1)
    yield from _conv(f"{name}.cv{4 if csp else 3}", 2 * half, out, 1)
    for i in range(repeat):
        yield from _conv(f"{name}.m.{i}.cv1", half, half, 1)
        yield from _conv(f"{name}.m.{i}.cv2", half, half, 3)


def _shapes(size: str, release: int, p6: bool) -> Shapes:
    channels: list[int] = []
    for number, row in enumerate(rows(release, p6)):
        kind, *fields = row.split(":")
        name, inputs, out = f"model.{number}", channels[-1] if channels else 3, 0
        if kind in ("cat", "detect"):
            taken = [channels[int(i)] for i in fields[0].split(",")]
            out = sum(taken)
        elif kind == "up":
            out = inputs
        else:
            out, repeat = _scaled(size, [kind, *fields])
        channels.append(out)
        if kind in ("one", "down", "six"):
            yield from _conv(name, inputs, out, {"one": 1, "down": 3, "six": 6}[kind])
        elif kind == "focus":
            yield from _conv(f"{name}.conv", 12, out, 3)
        elif kind in ("block", "flat"):
            yield from _block(name, inputs, out, repeat, release < 4)
        elif kind in ("spp", "sppf"):
            yield from _conv(f"{name}.cv1", inputs, inputs // 2, 1)
            yield from _conv(f"{name}.cv2", 2 * inputs, out, 1)
        elif kind == "detect":
            heads = len(taken)
            yield f"{name}.anchors", (heads, 3, 2)
            if release < 6:
                yield f"{name}.anchor_grid", (heads, 1, 3, 1, 1, 2)
            for i, width in enumerate(taken):
                yield f"{name}.m.{i}.weight", (255, width, 1, 1)
                yield f"{name}.m.{i}.bias", (255,)


class _Pass:
    """One forward pass by functions of torch, from a state_dict."""

    def __init__(self, state: Mapping[str, Any], size: str, release: int, p6: bool) -> None:
        self.state, self.size, self.release, self.p6 = state, size, release, p6

    def run(self, image: Any) -> list[Any]:
        import torch
        from torch.nn import functional as f

        made: list[Any] = []
        for number, row in enumerate(rows(self.release, self.p6)):
            kind, *fields = row.split(":")
            name, x = f"model.{number}", made[-1] if made else image
            if kind in ("block", "flat"):
                x = self.block(name, x, _scaled(self.size, [kind, *fields])[1], kind == "block")
            elif kind == "focus":
                x = self.focus(f"{name}.conv", x)
            elif kind in ("spp", "sppf"):
                x = self.pyramid(name, x)
            elif kind == "up":
                x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
            elif kind == "cat":
                x = torch.cat([made[int(i)] for i in fields[0].split(",")], 1)
            elif kind == "detect":
                heads = enumerate(int(i) for i in fields[0].split(","))
                at = f"{name}.m"
                return [
                    f.conv2d(made[j], self.state[f"{at}.{i}.weight"], self.state[f"{at}.{i}.bias"])
                    for i, j in heads
                ]
            else:
                x = self.conv(name, x, 1 if kind == "one" else 2)
            made.append(x)
        raise ValueError("the layers end without a head")

    def act(self, x: Any) -> Any:
        if self.release == 2:
            return x.clamp(min=0) + 0.1 * x.clamp(max=0)
        gate = (x / 6 + 0.5).clamp(0, 1) if self.release == 3 else 1 / (1 + (-x).exp())
        return x * gate

    def norm(self, name: str, x: Any) -> Any:
        weight, bias, mean, var = (
            self.state[f"{name}.{part}"].view(1, -1, 1, 1)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / (var + EPSILON) ** 0.5 * weight + bias

    def conv(self, name: str, x: Any, stride: int = 1, weight: Any = None) -> Any:
        from torch.nn import functional as f

        weight = self.state[f"{name}.conv.weight"] if weight is None else weight
        padding = {1: 0, 3: 1, 6: 2}[weight.shape[2]]
        return self.act(self.norm(f"{name}.bn", f.conv2d(x, weight, stride=stride, padding=padding)))

    def focus(self, name: str, x: Any) -> Any:
        """Space to depth and a 3x3 convolution are one 6x6 convolution of stride 2, tap for tap.

        Tap (a, b) of the channels of pixel (row, column) of each 2x2 square is tap (2a+row, 2b+column).
        """
        small = self.state[f"{name}.conv.weight"]
        large = small.new_zeros(len(small), 3, 6, 6)
        for slot, (row, column) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
            large[:, :, row::2, column::2] = small[:, 3 * slot : 3 * slot + 3]
        return self.conv(name, x, 2, large)

    def block(self, name: str, x: Any, repeat: int, shortcut: bool) -> Any:
        import torch
        from torch.nn import functional as f

        inner = self.conv(f"{name}.cv1", x)
        for i in range(repeat):
            passed = self.conv(f"{name}.m.{i}.cv2", self.conv(f"{name}.m.{i}.cv1", inner))
            inner = inner + passed if shortcut else passed
        if self.release >= 4:
            return self.conv(f"{name}.cv3", torch.cat((inner, self.conv(f"{name}.cv2", x)), 1))
        bare = [f.conv2d(inner, self.state[f"{name}.cv3.weight"])]
        bare.append(f.conv2d(x, self.state[f"{name}.cv2.weight"]))
        joined = self.norm(f"{name}.bn", torch.cat(bare, 1))
        return self.conv(f"{name}.cv4", joined.clamp(min=0) + 0.1 * joined.clamp(max=0))

    def pyramid(self, name: str, x: Any) -> Any:
        """Pools of sides 5, 9, 13 (3, 5, 7 with four heads before release 6), as 3x3 ones repeated."""
        import torch
        from torch.nn import functional as f

        maps = [self.conv(f"{name}.cv1", x)]
        for _ in range(3):
            pooled = maps[-1]
            for _ in range(1 if self.p6 and self.release < 6 else 2):
                pooled = f.max_pool2d(pooled, 3, 1, 1)
            maps.append(pooled)
        return self.conv(f"{name}.cv2", torch.cat(maps, 1))
