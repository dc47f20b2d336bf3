"""Small MXNet networks that end as SSD does or count along an axis, some of which must not convert."""

from __future__ import annotations

from suites.meta.networks.mxnet_files import Net, Op, Shape, one

MAP = (2, 3, 4, 5)
BOXES = 4 * 5 * 3
PRIOR = Op("_contrib_MultiBoxPrior", {"sizes": "(0.3, 0.5)", "ratios": "(1, 2)"}, ["x"])


def _prior(name: str, x: Shape = MAP, **attrs: str) -> Net:
    return one(f"prior_{name}", "_contrib_MultiBoxPrior", attrs, x=x)


def _ssd(name: str, scores: str = "softmax", classes: int = 4, **attrs: str) -> Net:
    """Decode and suppress what is seeded; scores: what makes scores of the second variable."""
    ops = [
        PRIOR,
        Op(scores, {"axis": "1"} if scores == "softmax" else {}, ["y"]),
        Op("_contrib_MultiBoxDetection", attrs, [1, "z", 0]),
    ]
    return Net(f"ssd_{name}", ops, {"x": MAP, "y": (2, classes, BOXES), "z": (2, 4 * BOXES)})


def _arange(name: str, x: Shape = (2, 3, 4), **attrs: str) -> Net:
    return one(f"arange_like_{name}", "_contrib_arange_like", attrs, x=x)


DETECTIONS = [
    _ssd("default"),
    _ssd("one_class", classes=2),
    _ssd("strict", threshold="0.5", nms_threshold="0.2"),
    _ssd("none", threshold="2.0"),
    _ssd("topk", nms_topk="7"),
    _ssd("topk_of_few", nms_topk="30", threshold="0.5"),
    _ssd("forced", force_suppress="True", nms_threshold="0.3", nms_topk="20"),
    _ssd("all_kept", nms_threshold="0", threshold="0.4"),
    _ssd("identical", nms_threshold="1"),
    _ssd("free", clip="False", variances="(0.2, 0.1, 0.3, 0.1)"),
    _ssd("background", background_id="2"),
    _ssd("ties", scores="floor", nms_topk="9"),
    _ssd("raw", scores="_copy", threshold="-1.5"),
]
CONVERTED = [
    _prior("default"),
    _prior("many", sizes="(0.2, 0.35, 0.5)", ratios="(1, 2, 0.5, 3)"),
    _prior("first_ratio", sizes="[0.3,0.4]", ratios="[2,1]"),
    _prior("clipped", x=(1, 1, 7, 3), sizes="(0.9,)", clip="True"),
    _prior("steps", steps="(0.1, 0.2)", offsets="(0.25, 0.75)", sizes="0.5"),
    *DETECTIONS,
    _arange("all"),
    _arange("axis", axis="1"),
    _arange("last", axis="-1", start="0.5", step="-0.25"),
    _arange("repeated", repeat="2", start="1", step="2"),
    _arange("repeated_axis", axis="2", repeat="3"),
]  # fmt: skip
"""Each is run by MXNet and, converted, by ONNX Runtime."""

GROWS = {net.name: 46 for net in DETECTIONS}
GROWS |= dict.fromkeys(("ssd_topk", "ssd_topk_of_few", "ssd_forced", "ssd_ties"), 55)
GROWS |= {"ssd_all_kept": 32, "ssd_free": 45, "ssd_raw": 45}
"""Net -> how many nodes more than MXNet has operators."""
SINCE = {net.name: 11 for net in DETECTIONS}
"""Net -> the opset that brought an operator without which it cannot be written."""


def _bad(
    attrs: dict[str, str] | None = None, y: Shape = (2, 4, 6), z: Shape = (2, 24), a: Shape = (1, 6, 4)
) -> Net:
    return one("n", "_contrib_MultiBoxDetection", attrs or {}, y=y, z=z, a=a)


REFUSED = {
    "prior rank": (_prior("n", x=(2, 3, 4)), "on the input (2, 3, 4)"),
    "prior size": (_prior("n", sizes="(0.2, -1)"), "sizes=(0.2, -1.0), ratios=(1.0,) on the input"),
    "prior text": (_prior("n", sizes="(0.2; 1)"), "sizes='(0.2; 1)', expected a tuple of finite numbers"),
    "prior steps": (_prior("n", steps="(0.1, -1)"), "steps=(0.1, -1.0), offsets=(0.5, 0.5), expected two"),
    "detection scores": (_bad(y=(2, 1, 6)), "scores (2, 1, 6) and offsets (2, 24) do not go together"),
    "detection offsets": (_bad(z=(2, 20)), "scores (2, 4, 6) and offsets (2, 20) do not go together"),
    "detection anchors": (_bad(a=(1, 5, 4)), "anchors (1, 5, 4), expected (1, 6, 4)"),
    "detection variances": (_bad({"variances": "(1, 1)"}), "variances=(1.0, 1.0), expected four"),
    "detection target": (
        one("n", "_contrib_MultiBoxTarget", {}, x=(1, 6, 4), y=(1, 1, 5), z=(1, 4, 6)),
        "it makes the targets of training",
    ),
    "arange_like axis": (_arange("n", axis="3"), "axis=3, the tensor has 3 dimensions"),
    "arange_like repeat": (_arange("n", repeat="0"), "repeat=0, expected a number from 1 on"),
}
"""Each is refused with this text."""
