"""YOLOv4-tiny, official weights (arXiv 2011.08036)."""

from reference_models.darknet.architectures import TINY_ANCHORS, yolov4_tiny
from reference_models.darknet.build import darknet_model
from reference_models.yolo import Head

MODEL = darknet_model(
    "yolov4-tiny",
    yolov4_tiny,
    [
        Head("yolo_30", TINY_ANCHORS[3:6], 32, classes=80, style="yolov3", scale_x_y=1.05),
        Head("yolo_37", TINY_ANCHORS[1:4], 16, classes=80, style="yolov3", scale_x_y=1.05),
    ],
    official=True,
)
