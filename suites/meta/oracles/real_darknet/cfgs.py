"""The cfgs of Debian's package `darknet`, read where they are installed and made small enough to run."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from fixtures.converters.darknet.layer import words

CFGS = Path("/usr/share/darknet/cfg")
FOUND = {path.stem: path for path in sorted(CFGS.glob("*.cfg"))}
SIDE = 64
"""Of the input: the deepest of these networks divide it by 32."""
STEPS = 5
"""Rows that a recurrent network gets."""
NARROW = 4
NARROWED = words(
    "alexnet darknet darknet19 darknet19_448 darknet53 darknet53_448 darknet9000 densenet201 extraction "
    "extraction.conv extraction22k jnet-conv resnet18 resnet34 resnet50 resnet101 resnet152 resnext50 "
    "resnext101-32x4d resnext152-32x4d strided t1.test vgg-16 vgg-conv yolo9000 yolov1 yolov1-tiny yolov2 "
    "yolov2-tiny yolov2-tiny-voc yolov2-voc yolov3 yolov3-openimages yolov3-spp yolov3-tiny yolov3-voc"
)
"""Networks of 30 to 800 MB, whose layers get a quarter of their channels: as wide as they are published
they would take minutes."""
HEADS = ("[end]", "[softmax]", "[yolo]", "[region]", "[detection]", "[cost]")
"""Sections before which the number of channels stands for something."""


def text_of(name: str) -> str:
    """Return an installed cfg with a small input, and a [crop] that fits it."""
    text = FOUND[name].read_text(errors="replace")
    if name.startswith(("go", "cifar")):
        return text
    if re.search(r"^inputs", text, re.M):
        return with_net(text, time_steps=STEPS)
    text = re.sub(
        r"^(crop_\w+)=.*", rf"\1={SIDE * 7 // 8}", with_net(text, width=SIDE, height=SIDE), flags=re.M
    )
    return narrowed(text, NARROW, (*HEADS, "[reorg]")) if name in NARROWED else text


def with_net(text: str, **keys: int) -> str:
    """Set keys of [net]."""
    head, start, rest = text.lstrip().partition("\n[")
    for key, value in keys.items():
        head = re.sub(rf"^[ \t]*{key}[ \t]*=.*\n?", "", head, flags=re.M).rstrip() + f"\n{key}={value}"
    return f"{head}\n{start}{rest}"


def narrowed(text: str, by: int, fixes: tuple[str, ...] = HEADS) -> str:
    """Divide the channels, and their groups, of all layers but those before a section of `fixes`.

    The groups of a route are how many parts it divides channels into, and stay.
    """
    sections = re.split(r"^(?=\[)", text, flags=re.M)
    made = list[str]()
    following = "[end]"
    for section in reversed(sections):
        fixed = following.startswith(fixes)
        names = "filters|output" if section.startswith("[route]") else "filters|output|groups"
        keys = rf"^((?:{names})\s*=\s*)(\d+)"
        made.append(section if fixed else re.sub(keys, partial(_divided, by), section, flags=re.M))
        following = following if section.startswith(("[dropout]", "[avgpool]")) else section
    return "".join(reversed(made))


def _divided(by: int, found: re.Match[str]) -> str:
    return f"{found[1]}{max(1, int(found[2]) // by)}"
