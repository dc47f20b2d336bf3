"""Classifiers that MXNet itself builds: Gluon's model zoo, without its trained weights.

Each gives a HybridBlock of 1000 classes. `width` divides the filters where Gluon lets it be chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Make = Callable[[Any, int, int], Any]
"""Takes MXNet, the side of the input in pixels and a divisor of the filters."""
FILTERS = (64, 64, 128, 256, 512)


def resnet18_v1(mx: Any, side: int, width: int = 1) -> Any:
    """Build ResNet-18 with the activation after the sum; any side."""
    vision = mx.gluon.model_zoo.vision
    filters = [n // width for n in FILTERS]
    return vision.ResNetV1(vision.BasicBlockV1, [2, 2, 2, 2], filters, prefix="resnetv10_")


def resnet18_v2(mx: Any, side: int, width: int = 1) -> Any:
    """Build ResNet-18 with the activation before the convolutions; any side."""
    vision = mx.gluon.model_zoo.vision
    filters = [n // width for n in FILTERS]
    return vision.ResNetV2(vision.BasicBlockV2, [2, 2, 2, 2], filters, prefix="resnetv20_")


def resnet50_v1(mx: Any, side: int, width: int = 1) -> Any:
    """Build ResNet-50; any side."""
    vision = mx.gluon.model_zoo.vision
    filters = [n // width for n in (64, 256, 512, 1024, 2048)]
    return vision.ResNetV1(vision.BottleneckV1, [3, 4, 6, 3], filters, prefix="resnetv10_")


def mobilenet(mx: Any, side: int, width: int = 1) -> Any:
    """Build MobileNet 1.0; any side."""
    return mx.gluon.model_zoo.vision.MobileNet(1 / width, prefix="mobilenet0_")


def mobilenet_v2(mx: Any, side: int, width: int = 1) -> Any:
    """Build MobileNetV2 1.0; any side."""
    return mx.gluon.model_zoo.vision.MobileNetV2(1 / width, prefix="mobilenetv20_")


def vgg11_bn(mx: Any, side: int, width: int = 1) -> Any:
    """Build VGG-11 with normalization; at least 32 pixels, and two dense layers of 4096 in any case."""
    filters = [n // width for n in (64, 128, 256, 512, 512)]
    vision = mx.gluon.model_zoo.vision
    return vision.VGG([1, 1, 2, 2, 2], filters, batch_norm=True, prefix="vgg0_")


def densenet121(mx: Any, side: int, width: int = 1) -> Any:
    """Build DenseNet-121; at least 221 pixels, for a last map of 7x7."""
    vision = mx.gluon.model_zoo.vision
    return vision.DenseNet(64 // width, 32 // width, [6, 12, 24, 16], prefix="densenet0_")


def fixed(kind: str, *arguments: str) -> Make:
    """Return what builds a network that Gluon has in one width; its last pooling wants the usual side."""

    def make(mx: Any, side: int, width: int = 1) -> Any:
        if width != 1:
            raise ValueError(f"{kind} comes in one width, not 1/{width} of it")
        return getattr(mx.gluon.model_zoo.vision, kind)(*arguments, prefix=f"{kind.lower()}0_")

    return make
