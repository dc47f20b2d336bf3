"""The keys of a table in a model file: which framework has them, and what their values must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FRAMEWORKS: dict[str, tuple[str, ...]] = {
    "pytorch": ("factory", "inputs"),
    "darknet": ("cfg", "weights"),
    "mxnet": ("symbol", "params", "inputs"),
    "onnx": ("file",),
}
"""Framework -> keys that its tables must have."""
CONVERTERS = {"pytorch": ("torchscript", "dynamo"), "darknet": ("darknet",), "mxnet": ("mxnet",),
              "onnx": ("onnx",)}  # fmt: skip
OPTIONAL = (
    "outputs", "samples", "mean", "scale", "converters", "decode", "exact", "calibration", "evaluation",
    "metric", "dense",
)  # fmt: skip
FLAGS: dict[str, tuple[str, ...]] = {
    "allow_nonfinite": ("pytorch", "darknet", "mxnet"),
    "lenient": ("darknet",),
    "allow_trailing": ("darknet",),
}
"""What a converter lets pass where the flag is true -> the frameworks whose converter knows it."""
FUNCTIONS = ("factory", "decode")
FLOAT32_MAX = 3.4028234663852886e38


def keys_of(framework: str) -> tuple[str, ...]:
    """Return the keys that a table of a framework may have."""
    optional = (key for key in OPTIONAL if framework == "pytorch" or key != "outputs")
    flags = (flag for flag, frameworks in FLAGS.items() if framework in frameworks)
    inputs = ("inputs",) if framework == "onnx" else ()
    return ("framework", *FRAMEWORKS[framework], *inputs, *optional, *flags)


def is_text(value: Any) -> bool:
    """Say whether a value is a text that can be a path or a name."""
    return isinstance(value, str) and bool(value) and "\0" not in value


def are_texts(value: Any) -> bool:
    """Say whether a value is a list of texts."""
    return isinstance(value, list) and all(map(is_text, value))


def is_finite(value: Any) -> bool:
    """Say whether a value is a number that float32 holds."""
    return type(value) in (int, float) and abs(value) <= FLOAT32_MAX


def are_channels(value: Any) -> bool:
    """Say whether a value is a number, or one for each of three channels."""
    values = value if isinstance(value, list) else [value]
    return len(values) in (1, 3) and all(map(is_finite, values))


VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("factory", "cfg", "weights", "symbol", "params", "file", "samples", "decode", "calibration",
         "evaluation"),
        (is_text, "a text"),
    ),
    "dense": (is_text, "the name of the model that this one was pruned from"),
    "metric": (is_text, "top1, top5, map, or a function such as my_nets.py:score"),
    **dict.fromkeys(("outputs", "exact"), (are_texts, "a list of texts")),
    "converters": (lambda value: are_texts(value) and bool(value), "a list of one text or more"),
    "inputs": (
        lambda value: isinstance(value, dict) and bool(value), "a table such as { image = [1, 3, 224, 224] }",
    ),
    **dict.fromkeys(("mean", "scale"), (are_channels, "a number, or one for each of three channels")),
    **dict.fromkeys(FLAGS, (lambda value: isinstance(value, bool), "true or false")),
}  # fmt: skip
"""Key -> whether a value is of its kind, and the kind in words."""
