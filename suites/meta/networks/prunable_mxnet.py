"""A small MXNet network to prune: two convolutions, BatchNorm with gammas that count between them."""

from __future__ import annotations

from suites.meta.networks.mxnet_files import Net, Op, Shape

FREE = {"fix_gamma": "False"}
CONV = {"kernel": "(3, 3)", "pad": "(1, 1)", "no_bias": "True"}
NORM: dict[str, Shape] = {"gamma": (6,), "beta": (6,), "moving_mean": (6,), "moving_var": (6,)}
NORM_INPUTS = tuple(NORM)
CHAIN = Net(
    "n",
    [
        Op("Convolution", CONV | {"num_filter": "6"}, ["x", "weight"]),
        Op("BatchNorm", FREE, [0, *NORM_INPUTS]),
        Op("Activation", {"act_type": "softrelu"}, [1]),
        Op("Convolution", CONV | {"num_filter": "4"}, [2, "b_weight"]),
    ],
    {"x": (1, 3, 8, 8), "weight": (6, 3, 3, 3), "b_weight": (4, 6, 3, 3), **NORM},
)
