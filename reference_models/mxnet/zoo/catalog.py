"""The zoo by name: what describes each network, and what it is fed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference_models.mxnet.zoo import detectors, faces, gluon
from reference_models.mxnet.zoo.gluon import Make

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Network:
    """One network of the zoo.

    make: gives a Symbol or, from Gluon, a HybridBlock. side: of the input, as published. small: side and
        divisor of the filters for tests. outputs: as MXNet names them. mean, std: what each colour of an
        image of 0..255 is scaled by before it enters the graph.
    """

    make: Make
    side: int
    small: tuple[int, int]
    outputs: tuple[str, ...]
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)

    def prepare(self, images: np.ndarray) -> np.ndarray:
        """Scale RGB images (N, 3, H, W) of 0..255 as the network wants them, float32."""
        mean, std = (np.reshape(values, (3, 1, 1)) for values in (self.mean, self.std))
        return ((images - mean) / std).astype(np.float32)


def _face(make: Make, small: tuple[int, int]) -> Network:
    return Network(make, 112, small, ("fc1_output",))


def _mtcnn(make: Make, side: int, *outputs: str) -> Network:
    return Network(make, side, (side, 1), outputs, mean=(127.5,) * 3, std=(128.0,) * 3)


def _gluon(make: Make, small: tuple[int, int], output: str, side: int = 224) -> Network:
    """Photos scaled as ImageNet's statistics have it, which is what Gluon's trained weights take."""
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    return Network(make, side, small, (output,), mean, std)


ZOO = {
    "arcface-r50": _face(faces.arcface_r50, (64, 4)),
    "mobilefacenet": _face(faces.mobilefacenet, (64, 2)),
    "retinaface-mnet025": Network(detectors.retinaface, 400, (144, 1), detectors.RETINAFACE_OUTPUTS),
    "mtcnn-p": _mtcnn(detectors.mtcnn_p, 61, "conv4_2_output", "prob1_output"),
    "mtcnn-r": _mtcnn(detectors.mtcnn_r, 24, "conv5_2_output", "prob1_output"),
    "mtcnn-o": _mtcnn(detectors.mtcnn_o, 48, "conv6_3_output", "conv6_2_output", "prob1_output"),
    "resnet18_v1": _gluon(gluon.resnet18_v1, (64, 2), "resnetv10_dense0_fwd_output"),
    "resnet18_v2": _gluon(gluon.resnet18_v2, (64, 2), "resnetv20_dense0_fwd_output"),
    "resnet50_v1": _gluon(gluon.resnet50_v1, (64, 4), "resnetv10_dense0_fwd_output"),
    "mobilenet1.0": _gluon(gluon.mobilenet, (64, 2), "mobilenet0_dense0_fwd_output"),
    "mobilenetv2_1.0": _gluon(gluon.mobilenet_v2, (64, 2), "mobilenetv20_output_flatten0_flatten0_output"),
    "vgg11_bn": _gluon(gluon.vgg11_bn, (32, 4), "vgg0_dense2_fwd_output"),
    "densenet121": _gluon(gluon.densenet121, (224, 4), "densenet0_dense0_fwd_output"),
    "squeezenet1.1": _gluon(
        gluon.fixed("SqueezeNet", "1.1"), (224, 1), "squeezenet0_flatten0_flatten0_output"
    ),
    "inceptionv3": _gluon(gluon.fixed("Inception3"), (299, 1), "inception30_dense0_fwd_output", 299),
    "alexnet": _gluon(gluon.fixed("AlexNet"), (67, 1), "alexnet0_dense2_fwd_output"),
}
