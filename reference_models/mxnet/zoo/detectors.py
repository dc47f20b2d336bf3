"""Face detection: the three networks of MTCNN, and RetinaFace on MobileNet 0.25.

Sources: Zhang et al., "Joint Face Detection and Alignment Using Multi-task Cascaded Convolutional
Networks" (2016), figure 2; Deng et al., "RetinaFace" (2019), and Najibi et al., "SSH" (2017),
figures 3 and 4, for its context modules. Names are those of insightface's files.
"""

from __future__ import annotations

from typing import Any

STRIDES = (32, 16, 8)
BACKBONE = {8: "mobilenet0_relu10_fwd", 16: "mobilenet0_relu22_fwd", 32: "mobilenet0_relu26_fwd"}
"""Stride -> the last activation of the backbone at that stride."""
NECK, CONTEXT, ANCHORS = 64, 16, 2
HEADS = {"bbox_pred": 4, "landmark_pred": 10}
"""Head -> values for each anchor; the scores come first and apart."""
RETINAFACE_OUTPUTS = tuple(
    f"face_rpn_{head}_stride{stride}_output" for stride in STRIDES for head in ("cls_prob_reshape", *HEADS)
)


def mtcnn_p(mx: Any, side: int, width: int = 1) -> Any:
    """Describe the proposal network, fully convolutional, at least 12 pixels wide."""
    x = _conv(mx, mx.sym.Variable("data"), 10 // width, 3, 1)
    x = _pool(mx, x, 2, 1)
    x = _conv(mx, x, 16 // width, 3, 2)
    x = _conv(mx, x, 32 // width, 3, 3)
    scores = mx.sym.Convolution(x, num_filter=2, kernel=(1, 1), name="conv4_1")
    boxes = mx.sym.Convolution(x, num_filter=4, kernel=(1, 1), name="conv4_2")
    return mx.sym.Group([boxes, mx.sym.SoftmaxActivation(scores, mode="channel", name="prob1")])


def mtcnn_r(mx: Any, side: int, width: int = 1) -> Any:
    """Describe the refining network, for 24 pixels; it ends as for training, with a label."""
    x = _pool(mx, _conv(mx, mx.sym.Variable("data"), 28 // width, 3, 1), 3, 1)
    x = _pool(mx, _conv(mx, x, 48 // width, 3, 2), 3, 2)
    x = _dense(mx, _conv(mx, x, 64 // width, 2, 3), 128 // width, 4)
    scores = mx.sym.FullyConnected(x, num_hidden=2, name="conv5_1")
    boxes = mx.sym.FullyConnected(x, num_hidden=4, name="conv5_2")
    return mx.sym.Group([boxes, mx.sym.SoftmaxOutput(scores, name="prob1")])


def mtcnn_o(mx: Any, side: int, width: int = 1) -> Any:
    """Describe the output network, for 48 pixels, with five landmarks."""
    x = _pool(mx, _conv(mx, mx.sym.Variable("data"), 32 // width, 3, 1), 3, 1)
    x = _pool(mx, _conv(mx, x, 64 // width, 3, 2), 3, 2)
    x = _pool(mx, _conv(mx, x, 64 // width, 3, 3), 2, 3)
    x = mx.sym.Dropout(_dense(mx, _conv(mx, x, 128 // width, 2, 4), 256 // width, 5), p=0.25)
    scores, boxes, landmarks = (
        mx.sym.FullyConnected(x, num_hidden=n, name=f"conv6_{i}") for i, n in enumerate((2, 4, 10), 1)
    )
    return mx.sym.Group([landmarks, boxes, mx.sym.SoftmaxActivation(scores, name="prob1")])


def retinaface(mx: Any, side: int, width: int = 1) -> Any:
    """Describe RetinaFace: 'data' (N, 3, side, side), RGB, 0..255 -> three maps at each of three strides.

    Where a map has an odd side the upsampled coarser one is a row and a column too large, and is cropped.
    """
    vision = mx.gluon.model_zoo.vision
    backbone = vision.MobileNet(0.25 / width, prefix="mobilenet0_")(mx.sym.Variable("data"))
    maps = {stride: backbone.get_internals()[f"{name}_output"] for stride, name in BACKBONE.items()}
    outputs = []
    for stride, x in _pyramid(mx, maps, NECK // width).items():
        outputs += _head(mx, _context(mx, x, CONTEXT // width, f"rf_c{STRIDES.index(stride)}_det"), stride)
    return mx.sym.Group(outputs)


def _pyramid(mx: Any, maps: dict[int, Any], filters: int) -> dict[int, Any]:
    """Return each map the next coarser one, upsampled and cropped to its size."""
    levels: dict[int, Any] = {}
    for stride in STRIDES:
        x = _block(mx, maps[stride], filters, 1, f"rf_s{stride}_lateral")
        if stride < STRIDES[0]:
            coarse = mx.sym.UpSampling(
                levels[2 * stride], scale=2, sample_type="nearest", workspace=512, name=f"rf_s{stride}_up"
            )
            x = x + mx.sym.Crop(coarse, x, name=f"rf_s{stride}_crop")
            x = _block(mx, x, filters, 3, f"rf_s{stride}_aggr")
        levels[stride] = x
    return levels


def _context(mx: Any, x: Any, filters: int, name: str) -> Any:
    """Join a 3x3 convolution with stacks of two and three, which see 5x5 and 7x7."""
    near = _block(mx, x, 2 * filters, 3, f"{name}_conv1", active=False)
    shared = _block(mx, x, filters, 3, f"{name}_context_conv1")
    middle = _block(mx, shared, filters, 3, f"{name}_context_conv2", active=False)
    far = _block(mx, shared, filters, 3, f"{name}_context_conv3_1")
    far = _block(mx, far, filters, 3, f"{name}_context_conv3_2", active=False)
    joined = mx.sym.concat(near, middle, far, dim=1, name=f"{name}_concat")
    return mx.sym.Activation(joined, act_type="relu", name=f"{name}_concat_relu")


def _head(mx: Any, x: Any, stride: int) -> list[Any]:
    """Scores of (background, face), a softmax over the two, then boxes and landmarks."""
    scores = mx.sym.Convolution(
        x, num_filter=2 * ANCHORS, kernel=(1, 1), name=f"face_rpn_cls_score_stride{stride}"
    )
    pairs = mx.sym.Reshape(scores, shape=(0, 2, -1, 0), name=f"face_rpn_cls_score_reshape_stride{stride}")
    softmax = mx.sym.SoftmaxActivation(pairs, mode="channel", name=f"face_rpn_cls_prob_stride{stride}")
    again = mx.sym.Reshape(
        softmax, shape=(0, 2 * ANCHORS, -1, 0), name=f"face_rpn_cls_prob_reshape_stride{stride}"
    )
    others = [
        mx.sym.Convolution(x, num_filter=n * ANCHORS, kernel=(1, 1), name=f"face_rpn_{head}_stride{stride}")
        for head, n in HEADS.items()
    ]
    return [again, *others]


def _block(mx: Any, x: Any, filters: int, kernel: int, name: str, *, active: bool = True) -> Any:
    pad = kernel // 2
    x = mx.sym.Convolution(x, num_filter=filters, kernel=(kernel, kernel), pad=(pad, pad), name=name)
    x = mx.sym.BatchNorm(x, fix_gamma=False, eps=2e-5, momentum=0.9, name=f"{name}_bn")
    return mx.sym.Activation(x, act_type="relu", name=f"{name}_relu") if active else x


def _conv(mx: Any, x: Any, filters: int, kernel: int, number: int) -> Any:
    x = mx.sym.Convolution(x, num_filter=filters, kernel=(kernel, kernel), name=f"conv{number}")
    return mx.sym.LeakyReLU(x, act_type="prelu", name=f"prelu{number}")


def _dense(mx: Any, x: Any, filters: int, number: int) -> Any:
    x = mx.sym.FullyConnected(mx.sym.Flatten(x), num_hidden=filters, name=f"conv{number}")
    return mx.sym.LeakyReLU(x, act_type="prelu", name=f"prelu{number}")


def _pool(mx: Any, x: Any, kernel: int, number: int) -> Any:
    return mx.sym.Pooling(
        x, kernel=(kernel, kernel), stride=(2, 2), pool_type="max", pooling_convention="full",
        name=f"pool{number}",
    )  # fmt: skip
