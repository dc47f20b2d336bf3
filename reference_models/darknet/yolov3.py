"""YOLOv3, seeded weights (arXiv 1804.02767). The official 248 MB are on no package index."""

from reference_models.darknet.architectures import YOLOV3_ANCHORS, yolov3
from reference_models.darknet.build import darknet_model
from reference_models.yolo import Head

MODEL = darknet_model(
    "yolov3",
    yolov3,
    [
        Head("yolo_82", YOLOV3_ANCHORS[6:9], stride=32, classes=80, style="yolov3"),
        Head("yolo_94", YOLOV3_ANCHORS[3:6], stride=16, classes=80, style="yolov3"),
        Head("yolo_106", YOLOV3_ANCHORS[0:3], stride=8, classes=80, style="yolov3"),
    ],
    seed=3,
)
