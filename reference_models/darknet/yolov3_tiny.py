"""YOLOv3-tiny, official weights (arXiv 1804.02767)."""

from reference_models.darknet.architectures import TINY_ANCHORS, yolov3_tiny
from reference_models.darknet.build import darknet_model
from reference_models.yolo import Head

MODEL = darknet_model(
    "yolov3-tiny",
    yolov3_tiny,
    [
        Head("yolo_16", TINY_ANCHORS[3:6], stride=32, classes=80, style="yolov3"),
        Head("yolo_23", TINY_ANCHORS[1:4], stride=16, classes=80, style="yolov3"),
    ],
    official=True,
)
