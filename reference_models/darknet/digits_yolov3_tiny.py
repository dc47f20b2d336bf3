"""A slim YOLOv3-tiny, trained on scenes of digits; see PROVENANCE.md."""

from reference_models.darknet.digit_detectors import digit_detector
from reference_models.darknet.slim import digits_yolov3_tiny

MODEL = digit_detector("digits-yolov3-tiny", digits_yolov3_tiny)
