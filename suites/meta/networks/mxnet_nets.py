"""Small MXNet networks, one or two operators each: those that convert and those that must not."""

from __future__ import annotations

from suites.meta.networks import mxnet_layer_nets as layers
from suites.meta.networks import mxnet_ssd_nets as ssd
from suites.meta.networks import mxnet_tensor_nets as tensors
from suites.meta.networks.mxnet_files import Net, Op, Shape, one
from suites.meta.networks.mxnet_tensor_refused import REFUSED as REFUSED_TENSORS

IMAGE = (2, 4, 11, 14)
STATISTICS: dict[str, Shape] = {
    "gamma": (4,),
    "beta": (4,),
    "moving_mean": (4,),
    "moving_var": (4,),
}
K3 = {"kernel": "(3, 3)", "num_filter": "4", "no_bias": "True"}
K1 = {"kernel": "(1, 1)", "num_filter": "4"}


def _pool(name: str, size: tuple[int, int] = (11, 14), **attrs: str) -> Net:
    return one(f"pool_{name}", "Pooling", attrs, x=(2, 3, *size))


def _leaky(name: str, **attrs: str) -> Net:
    return one(f"leaky_{name}", "LeakyReLU", {"act_type": name, **attrs}, x=IMAGE)


def _pair(op: str, first: tuple[int, ...] = IMAGE, second: tuple[int, ...] = IMAGE) -> Net:
    return one(op, op, {}, x=first, y=second)


def _scalar(op: str) -> Net:
    return one(op, op, {"scalar": "1.7"}, x=(2, 3))


def _norm(name: str, x: tuple[int, ...], **attrs: str) -> Net:
    return one(f"norm_{name}", "BatchNorm", attrs, x=x, **STATISTICS)


CONVERTED = [
    one("conv", "Convolution", K1, x=IMAGE, weight=(4, 4, 1, 1), bias=(4,)),
    one("conv_3", "Convolution", K3 | {"pad": "(1, 1)", "stride": "(2, 1)", "layout": "NCHW"},
        x=IMAGE, weight=(4, 4, 3, 3)),
    one("conv_group", "Convolution", K3 | {"num_group": "2", "dilate": "(2, 2)"},
        x=IMAGE, weight=(4, 2, 3, 3)),
    one("conv_depthwise", "Convolution", K3 | {"num_group": "4", "workspace": "256"},
        x=IMAGE, weight=(4, 1, 3, 3)),
    one("conv_1d", "Convolution", K3 | {"kernel": "(3,)", "pad": "(1,)"}, x=(2, 4, 9),
        weight=(4, 4, 3)),
    one("conv_3d", "Convolution", K3 | {"kernel": "(2, 2, 2)"}, x=(1, 4, 4, 5, 6),
        weight=(4, 4, 2, 2, 2)),
    one("dense", "FullyConnected", {"num_hidden": "5"}, x=(3, 7), weight=(5, 7), bias=(5,)),
    one("dense_4d", "FullyConnected", {"num_hidden": "5", "no_bias": "True"}, x=(2, 3, 2, 2),
        weight=(5, 12)),
    one("dense_2d", "FullyConnected", {"num_hidden": "5", "flatten": "False"}, x=(2, 3),
        weight=(5, 3), bias=(5,)),
    _norm("default", IMAGE),
    _norm("2d", (3, 4)),
    _norm("free", IMAGE, fix_gamma="False", eps="1e-05", axis="1", momentum="0.9"),
    _norm("global", IMAGE, fix_gamma="0", use_global_stats="True"),
    *[one(f"act_{kind}", "Activation", {"act_type": kind}, x=IMAGE)
      for kind in ("relu", "sigmoid", "tanh", "softrelu", "softsign")],
    _leaky("leaky", slope="0.1"), _leaky("elu", slope="0.7"), _leaky("selu"), _leaky("rrelu"),
    one("leaky_default", "LeakyReLU", {}, x=IMAGE),
    one("prelu", "LeakyReLU", {"act_type": "prelu"}, x=IMAGE, gamma=(4,)),
    one("prelu_one", "LeakyReLU", {"act_type": "prelu"}, x=IMAGE, gamma=(1,)),
    one("prelu_2d", "LeakyReLU", {"act_type": "prelu"}, x=(3, 4), gamma=(4,)),
    _pool("max", kernel="(2, 2)", stride="(2, 2)"),
    _pool("max_pad", kernel="(3, 3)", stride="(2, 2)", pad="(1, 1)", pool_type="max"),
    _pool("max_full", kernel="(3, 3)", stride="(2, 2)", pooling_convention="full"),
    _pool("max_full_pad", kernel="(3, 3)", stride="(2, 2)", pad="(1, 1)",
          pooling_convention="full"),
    _pool("avg", kernel="(2, 2)", stride="(2, 2)", pool_type="avg"),
    _pool("avg_pad", kernel="(3, 3)", pad="(1, 1)", pool_type="avg"),
    _pool("avg_exclude", kernel="(3, 3)", pad="(1, 1)", pool_type="avg",
          count_include_pad="False"),
    _pool("avg_full", kernel="(3, 3)", stride="(2, 2)", pool_type="avg",
          pooling_convention="full"),
    _pool("avg_full_exclude", kernel="(3, 3)", stride="(2, 2)", pad="(1, 1)", pool_type="avg",
          pooling_convention="full", count_include_pad="False"),
    _pool("global_avg", kernel="(7, 7)", global_pool="True", pool_type="avg"),
    _pool("global_max", global_pool="True", kernel="(40, 40)", stride="(3, 3)"),
    one("flatten", "Flatten", {}, x=IMAGE),
    *[_pair(op) for op in ("elemwise_add", "_Plus", "elemwise_sub", "elemwise_mul")],
    one("elemwise_div", "elemwise_div", {}, x=(2, 3), positive=(2, 3)),
    _pair("broadcast_add", IMAGE, (1, 4, 1, 1)), _pair("broadcast_mul", (2, 4, 1, 1), IMAGE),
    one("add_stored", "broadcast_add", {}, x=IMAGE, bias=(1, 4, 1, 1)),
    one("concat", "Concat", {"dim": "1", "num_args": "3"}, x=IMAGE, y=(2, 2, 11, 14), z=IMAGE),
    one("concat_last", "Concat", {"dim": "-1", "num_args": "2"}, x=(2, 3), y=(2, 5)),
    *[_scalar(f"_{kind}_scalar") for kind in ("plus", "minus", "rminus", "mul", "div")],
    one("_rdiv_scalar", "_rdiv_scalar", {"scalar": "2", "is_int": "True"}, positive=(2, 3)),
    one("dropout", "Dropout", {"p": "0.5"}, x=IMAGE),
    one("copy", "_copy", {}, x=IMAGE),
    one("softmax", "SoftmaxOutput", {"grad_scale": "2"}, x=(3, 5), label=(3,)),
    one("softmax_multi", "SoftmaxOutput", {"multi_output": "True"}, x=IMAGE, label=(2, 11, 14)),
    one("softmax_keep", "SoftmaxOutput", {"preserve_shape": "True"}, x=(2, 3, 5), label=(2, 3)),
    Net("fold", [Op("Convolution", K3, ["x", "weight"]),
                 Op("BatchNorm", {}, [0, *STATISTICS])],
        {"x": IMAGE, "weight": (4, 4, 3, 3)} | STATISTICS),
    Net("fold_bias", [Op("Convolution", K1, ["x", "weight", "bias"]), Op("Dropout", {}, [0]),
                      Op("BatchNorm", {"fix_gamma": "False"}, [1, *STATISTICS])],
        {"x": IMAGE, "weight": (4, 4, 1, 1), "bias": (4,)} | STATISTICS),
    Net("fold_dense", [Op("FullyConnected", {"num_hidden": "4"}, ["x", "weight", "bias"]),
                       Op("BatchNorm", {"eps": "2e-05"}, [0, *STATISTICS])],
        {"x": (3, 7), "weight": (4, 7), "bias": (4,)} | STATISTICS),
    Net("two_readers", [Op("Convolution", K3, ["x", "weight"]),
                        Op("BatchNorm", {}, [0, *STATISTICS]),
                        Op("elemwise_add", {}, [0, 1])],
        {"x": IMAGE, "weight": (4, 4, 3, 3)} | STATISTICS),
    Net("blocked", [Op("Activation", {"act_type": "tanh"}, ["x"]), Op("_copy", {}, [0]),
                    Op("BlockGrad", {}, [1])], {"x": IMAGE}),
    *layers.CONVERTED,
    *tensors.CONVERTED,
    *ssd.CONVERTED,
]  # fmt: skip
"""Each is run by MXNet and, converted, by ONNX Runtime."""

GROWS = {"dense_4d": 1} | layers.GROWS | tensors.GROWS | ssd.GROWS
"""Net -> how many nodes more than MXNet has operators; dense_4d flattens its input."""

SINCE = tensors.SINCE | ssd.SINCE
"""Net -> the opset that brought an operator without which it cannot be written."""

REFUSED = {
    "unknown operator": (
        one("n", "Warp", {"mode": "roi", "k": "7"}, x=IMAGE),
        "node 'n_0' (Warp): the operator is unknown; its attributes: mode=roi, k=7",
    ),
    "unknown attribute": (
        one("n", "Flatten", {"sideways": "1"}, x=IMAGE),
        "node 'n_0' (Flatten): the attribute 'sideways' ('1') is unknown",
    ),
    "activation": (
        one("n", "Activation", {"act_type": "swish"}, x=IMAGE),
        "act_type='swish', expected relu or sigmoid or tanh",
    ),
    "no activation": (one("n", "Activation", {}, x=IMAGE), "'act_type' is missing"),
    "mish": (_leaky("mish"), "act_type='mish', expected leaky or"),
    "prelu without slope": (_leaky("prelu"), "act_type=prelu with 1 inputs"),
    "slope": (
        one("n", "LeakyReLU", {"act_type": "prelu"}, x=IMAGE, gamma=(3,)),
        "the slope has the shape (3,)",
    ),
    "layout": (
        one("n", "Convolution", K1 | {"layout": "NHWC"}, x=IMAGE, weight=(4, 4, 1, 1), bias=(4,)),
        "layout='NHWC', expected",
    ),
    "kernel text": (_pool("n", kernel="three"), "kernel='three', expected a tuple of whole"),
    "pad 2**40": (_pool("n", kernel="(3, 3)", pad=f"(0, {2**40})"), "whole numbers of 32 bits"),
    "no number": (one("n", "_mul_scalar", {"scalar": "nan"}, x=IMAGE), "='nan', expected a finite"),
    "kernel rank": (_pool("n", kernel="(3,)"), "kernel=(3,) does not go with the input"),
    "stride 0": (_pool("n", kernel="(3, 3)", stride="(0, 0)"), "stride=(0, 0), expected"),
    "kernel too large": (_pool("n", kernel="(30, 3)"), "kernel 30 with pad 0 does not fit 11"),
    "pool type": (_pool("n", kernel="(3, 3)", pool_type="med"), "pool_type='med', expected max or"),
    "dropout": (one("n", "Dropout", {"mode": "always"}, x=IMAGE), "mode='always', expected"),
    "statistics": (_norm("n", (2, 5, 3, 3)), "'norm_n_gamma' has the shape (4,), expected (5,)"),
    "weight shape": (
        one("n", "Convolution", K3, x=IMAGE, weight=(4, 3, 3, 3)),
        "'n_weight' has the shape (4, 3, 3, 3), expected (4, 4, 3, 3)",
    ),
    "groups": (
        one("n", "Convolution", K3 | {"num_group": "3"}, x=IMAGE, weight=(4, 1, 3, 3)),
        "num_group=3 does not divide 4 and 4 channels",
    ),
    "bias not stored": (
        one("n", "FullyConnected", {"num_hidden": "5"}, x=(3, 7), weight=(5, 7)),
        "no_bias=False with 2 inputs",
    ),
    "dense 3-D": (
        one("n", "FullyConnected", {"num_hidden": "5", "flatten": "False", "no_bias": "1"},
            x=(2, 3, 7), weight=(5, 21)),
        "'n_weight' has the shape (5, 21), expected (5, 7)",
    ),
    "no inputs": (one("n", "BatchNorm", {}), "node 'n_0' (BatchNorm): has 0 inputs, expected 3"),
    "shapes": (_pair("elemwise_add", IMAGE, (1, 4, 1, 1)), "do not go together"),
    "concat": (one("n", "Concat", {}, x=(2, 3), y=(1, 3)), "dim=1 cannot join (2, 3), (1, 3)"),
} | layers.REFUSED | REFUSED_TENSORS | ssd.REFUSED  # fmt: skip
"""Each is refused with this text."""
