"""Models that a rewrite is for, of situations of `importer_cases`."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility.specimens.sketch import Sketch
from suites.meta.networks.importer_models import IMAGE, F, attention, blocks, columns, made, quantized, sliced
from suites.meta.networks.rewrite_models import resize, single


def dropped() -> ModelProto:
    """Make a Dropout whose mask has no name."""
    sketch = Sketch(13)
    node = helper.make_node("Dropout", [sketch.feed("FLOAT", 4, 8)], ["y", ""], name="node")
    sketch.nodes, sketch.outputs = [node], ["y"]
    return sketch.model()


def windowed() -> ModelProto:
    """Make a window of a length that is found in the shape of the input, of half as many bits."""
    sketch = Sketch(17)
    length = sketch.add("Squeeze", sketch.add("Shape", sketch.feed("FLOAT", "n")))
    sketch.end("HannWindow", length, output_datatype=TensorProto.FLOAT16)
    return sketch.model()


REWRITES: list[tuple[str, str, ModelProto]] = [
    ("outputs named", "trt10.6", dropped()),
    ("outputs named", "rtx1.5", dropped()),
    ("bounds as INT64", "rtx1.7", sliced(axes=True, steps=False)),
    ("bounds as INT64", "rtx1.7", sliced(axes=False, steps=False)),
    ("sliced axes", "trt8.0", sliced(axes=False, steps=False)),
    ("pads left out", "trt10.1", single("MaxPool", kernel_shape=[3, 3], auto_pad="SAME_UPPER", pads=[0] * 4)),
    ("in FLOAT", "trt9.3", made("Mean", [("FLOAT16", (2, 4))] * 3, opset=13)),
    ("in FLOAT", "rtx1.7", made("Mean", [("FLOAT16", (2, 4))] * 2, opset=13)),
    ("in FLOAT", "trt8.5", made("GridSample", [("FLOAT16", IMAGE), ("FLOAT", (1, 5, 5, 2))], opset=16)),
    ("window of FLOAT", "trt10.4", windowed()),
    ("flatten as reshape", "trt7.2", single("Flatten", axis=4, opset=11)),
    ("resize by Gather", "trt8.5",
     resize(sizes=[1, 4, 16, 16], opset=11, coordinate_transformation_mode="tf_half_pixel_for_nn")),
    ("asymmetric in floats", "trt8.4", quantized("UINT8")),
    ("asymmetric in floats", "rtx1.7", quantized()),
    ("weights as floats", "trt10.6", blocks(8, 16, 3)),
    ("weights as floats", "rtx1.5", columns("INT4", 5)),
    ("finite clip", "rtx1.5", single("Clip", [F(0), F(np.inf)], opset=13)),
    ("finite clip", "trt10.3", single("Clip", [F(-np.inf), F(1)], opset=13)),
    ("function body", "trt10.14", attention("FLOAT")),
    ("function body", "rtx1.7", attention("FLOAT", more=[("BOOL", (8, 8))], is_causal=1)),
]  # fmt: skip
"""Rewrite, release, a model that it is for."""
