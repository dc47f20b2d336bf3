"""The row 'yolov5n': YOLOv5 nano at 320x320, three raw heads."""

from __future__ import annotations

from reference_models.pytorch.yolov5_layers import Architecture
from reference_models.pytorch.yolov5_rows import Row, make

ROW = Row("yolov5n", Architecture("n"), 320)
samples = ROW.samples
MODEL = make(ROW, tier="default", converters=("torchscript", "dynamo"))
