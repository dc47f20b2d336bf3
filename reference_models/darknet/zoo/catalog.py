"""The zoo by name: each entry takes the side of the input in pixels."""

from __future__ import annotations

from collections.abc import Callable

from reference_models.darknet import architectures
from reference_models.darknet.builder import Cfg
from reference_models.darknet.zoo import classic, csp, mixed, residual, tiny

ZOO: dict[str, Callable[[int], Cfg]] = {
    "yolov2": classic.yolov2,
    "yolov2-tiny": classic.yolov2_tiny,
    "yolov3": architectures.yolov3,
    "yolov3-spp": architectures.yolov3_spp,
    "yolov3-tiny": architectures.yolov3_tiny,
    "yolov4": csp.yolov4,
    "yolov4-tiny": architectures.yolov4_tiny,
    "yolov4-tiny-3l": tiny.yolov4_tiny_3l,
    "yolov4-csp": csp.yolov4_csp,
    "yolov4x-mish": csp.yolov4x_mish,
    "yolov4-p5": csp.yolov4_p5,
    "yolov7-tiny": tiny.yolov7_tiny,
    "enet-coco": mixed.enet_coco,
    "csresnext50-panet-spp": mixed.csresnext50_panet_spp,
    "darknet19": classic.darknet19,
    "darknet53": classic.darknet53,
    "resnet18": residual.resnet18,
    "resnet50": residual.resnet50,
    "densenet201": residual.densenet201,
    "yolo-fastest": tiny.yolo_fastest,
}
