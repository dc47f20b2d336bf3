"""Small MXNet networks of layers, losses and normalizations: those that convert and those that must not."""

from __future__ import annotations

from suites.meta.networks.mxnet_files import Net, Op, Shape, one

IMAGE = (2, 4, 11, 14)
SMALL = (2, 4, 4, 5)
STATISTICS: dict[str, Shape] = {"gamma": (4,), "beta": (4,), "moving_mean": (4,), "moving_var": (4,)}
AFFINE: dict[str, Shape] = {"gamma": (4,), "beta": (4,)}
K3 = {"kernel": "(3, 3)", "num_filter": "4", "no_bias": "True"}
K1 = {"kernel": "(1, 1)", "num_filter": "4", "no_bias": "True"}
DENSE = {"num_hidden": "5"}
LAST = DENSE | {"flatten": "False"}


def _pool(name: str, x: Shape = (2, 3, 11, 14), op: str = "Pooling", **attrs: str) -> Net:
    """Name the rows alike; `kernel` and `stride` 3 stand for (3, 3)."""
    full = {
        k: f"({v}, {v})" if v.isdigit() and k in {"kernel", "stride", "pad"} else v for k, v in attrs.items()
    }
    return one(f"pool_{name}", op, full, x=x)


def _pool_positive(name: str, op: str = "Pooling", **attrs: str) -> Net:
    """The maximum of an empty window is the lowest float32, against which no error would show."""
    pool = _pool(name, (2, 3, 11, 14), op, **attrs)
    return Net(pool.name, [*pool.ops, Op("Activation", {"act_type": "relu"}, [0])], pool.shapes)


def _deconv(name: str, x: Shape = SMALL, weight: Shape = (4, 3, 3, 3), **attrs: str) -> Net:
    row = {"kernel": f"({', '.join(map(str, weight[2:]))},)", "num_filter": "3"} | attrs
    return one(f"deconv_{name}", "Deconvolution", row, x=x, weight=weight)


def _up(name: str, attrs: dict[str, str] | None = None, **shapes: Shape) -> Net:
    row = {"scale": "2", "sample_type": "nearest", "num_args": str(len(shapes))} | (attrs or {})
    return one(f"up_{name}", "UpSampling", row, **shapes)


def _resize(name: str, x: Shape = SMALL, **attrs: str) -> Net:
    return one(f"resize_{name}", "_contrib_BilinearResize2D", attrs, x=x)


def _adaptive(name: str, size: str) -> Net:
    return one(f"adaptive_{name}", "_contrib_AdaptiveAvgPooling2D", {"output_size": size}, x=(2, 3, 6, 8))


def _crop(name: str, attrs: dict[str, str], **shapes: Shape) -> Net:
    return one(f"crop_{name}", "Crop", {"num_args": str(len(shapes))} | attrs, **shapes)


def _roi(name: str, op: str, corners: tuple[int, ...], **attrs: str) -> Net:
    """Make nine regions from a number of 0.5 to 2: that, cut off, is the image, multiples are the corners."""
    columns = [Op("_mul_scalar", {"scalar": str(factor)}, ["positive"]) for factor in corners]
    regions = Op("Concat", {"num_args": "5", "dim": "1"}, ["positive", 0, 1, 2, 3])
    row = {"pooled_size": "(3, 3)", "spatial_scale": "0.9"} | attrs
    return Net(f"roi_{name}", [*columns, regions, Op(op, row, ["x", 4])],
               {"x": (2, 3, 12, 16), "positive": (9, 1)})  # fmt: skip


def _norm(name: str, x: Shape, op: str = "BatchNorm", **attrs: str) -> Net:
    return one(f"norm_{name}", op, attrs, x=x, **STATISTICS)


SOFTMAXES = [
    one("softout_3d", "SoftmaxOutput", {}, x=(2, 3, 5), label=(2, 3)),
    one("softout_4d", "SoftmaxOutput", {}, x=SMALL, label=(2, 4, 4)),
    one("softout_keep_4d", "SoftmaxOutput", {"preserve_shape": "True"}, x=SMALL, label=(2, 4, 4)),
    one("softout_both", "SoftmaxOutput", {"preserve_shape": "True", "multi_output": "True"}, x=SMALL,
        label=(2, 4, 5)),
    one("softout_old", "Softmax", {"multi_output": "1"}, x=(2, 3, 5), label=(2, 5)),
    one("softact", "SoftmaxActivation", {}, x=SMALL),
    one("softact_2d", "SoftmaxActivation", {"mode": "instance"}, x=(3, 5)),
    one("softact_channel", "SoftmaxActivation", {"mode": "channel"}, x=SMALL),
    one("softmax_last", "softmax", {}, x=SMALL),
    one("softmax_axis", "softmax", {"axis": "1", "dtype": "None", "use_length": "False"}, x=SMALL),
    one("softmax_warm", "softmax", {"axis": "-2", "temperature": "2.5"}, x=SMALL),
    one("log_softmax", "log_softmax", {}, x=SMALL),
    one("log_softmax_axis", "log_softmax", {"axis": "0", "temperature": "0.5"}, x=SMALL),
    one("softmin", "softmin", {"axis": "1"}, x=SMALL),
    one("softmin_warm", "softmin", {"temperature": "3"}, x=SMALL),
    one("logistic", "LogisticRegressionOutput", {"grad_scale": "2"}, x=(3, 5), label=(3, 5)),
    *[one(f"head_{op}", op, {}, x=(3, 5), label=(3, 5))
      for op in ("LinearRegressionOutput", "MAERegressionOutput")],
    one("head_svm", "SVMOutput", {"margin": "0.5", "use_linear": "True"}, x=(3, 5), label=(3,)),
    one("head_sparse", "IdentityAttachKLSparseReg", {"penalty": "0.1"}, x=(3, 5), label=(5,)),
    one("head_loss", "MakeLoss", {"normalization": "batch"}, x=SMALL),
    Net("head_behind", [Op("Activation", {"act_type": "tanh"}, ["x"]), Op("make_loss", {}, [0])],
        {"x": SMALL}, suffix="loss"),
    one("leaky_gelu", "LeakyReLU", {"act_type": "gelu"}, x=IMAGE),
    Net("prelu_computed", [Op("Activation", {"act_type": "tanh"}, ["gamma"]),
                           Op("LeakyReLU", {"act_type": "prelu"}, ["x", 0])], {"x": SMALL, "gamma": (4,)}),
    one("prelu_given", "LeakyReLU", {"act_type": "prelu"}, x=(3, 4), slope=(4,)),
    one("prelu_3d", "LeakyReLU", {"act_type": "prelu"}, x=(2, 4, 9), gamma=(4,)),
]  # fmt: skip

POOLING = [
    _pool_positive("max_beyond", kernel="3", stride="3", pad="1", pooling_convention="full"),
    _pool_positive("max_wide_pad", kernel="2", stride="2", pad="3"),
    _pool_positive("max_gap", kernel="1", stride="3", pooling_convention="full"),
    *[_pool(f"avg_beyond_{i}", kernel="3", stride="3", pad="1", pool_type="avg", count_include_pad=i,
            pooling_convention="full") for i in ("True", "False")],
    _pool("avg_cut", kernel="3", stride="2", pad="1", pool_type="avg", pooling_convention="full"),
    _pool("avg_cut_4", kernel="4", stride="3", pad="2", pool_type="avg", pooling_convention="full"),
    _pool("avg_wide_pad", kernel="2", pad="3", pool_type="avg", count_include_pad="False"),
    _pool("sum", kernel="3", stride="2", pad="1", pool_type="sum"),
    _pool("sum_full", kernel="(3, 2)", stride="3", pool_type="sum", pooling_convention="full"),
    _pool("sum_beyond", kernel="3", stride="3", pad="1", pool_type="sum", pooling_convention="full"),
    _pool("lp_1", kernel="3", pool_type="lp", p_value="1"),
    _pool("lp_2", kernel="3", stride="2", pad="1", pool_type="lp", p_value="2"),
    _pool("lp_full", kernel="3", stride="3", pad="1", pool_type="lp", p_value="2",
          pooling_convention="full"),
    _pool("same_max", (2, 3, 7), kernel="(3,)", pad="(0, 0, 0)", pooling_convention="same"),
    _pool("same_avg", (2, 3, 7), kernel="(3,)", stride="(2,)", pad="(0, 0, 0)", pool_type="avg",
          pooling_convention="same"),
    _pool("1d", (2, 3, 9), kernel="(3,)", stride="(2,)", pad="(1,)", layout="NCW"),
    _pool("3d", (1, 2, 5, 6, 7), kernel="(2, 3, 2)", stride="(2, 2, 2)", pad="(0, 1, 0)", pool_type="avg",
          pooling_convention="full"),
    *[_pool(f"global_{kind}_3d", (2, 3, 9), global_pool="True", pool_type=kind) for kind in ("avg", "max")],
    *[_pool(f"global_{kind}_5d", (1, 3, 4, 5, 6), global_pool="True", pool_type=kind, kernel="(9, 9, 9)")
      for kind in ("avg", "max", "sum")],
    _pool("global_sum", global_pool="True", pool_type="sum"),
    _pool("global_lp", global_pool="True", pool_type="lp", p_value="2"),
    *[_pool(f"v1_{kind}", op="Pooling_v1", kernel="3", stride="2", pad="1", pool_type=kind,
            pooling_convention="full") for kind in ("max", "avg", "sum")],
    *[_pool(f"v1_beyond_{kind}", op="Pooling_v1", kernel="3", stride="3", pad="1", pool_type=kind,
            pooling_convention="full") for kind in ("max", "avg")],
    _pool("v1_valid", op="Pooling_v1", kernel="2", stride="2"),
    _pool("v1_global", op="Pooling_v1", kernel="2", global_pool="True", pad="1", pool_type="avg"),
]  # fmt: skip

NORMALIZATION = [
    one("instance", "InstanceNorm", {}, x=SMALL, **AFFINE),
    one("instance_3d", "InstanceNorm", {"eps": "1e-05"}, x=(2, 4, 9), **AFFINE),
    *[one(f"l2_{mode}", "L2Normalization", {"mode": mode}, x=SMALL)
      for mode in ("channel", "instance", "spatial")],
    one("l2_2d", "L2Normalization", {"eps": "0.5"}, x=(3, 5)),
    one("l2_3d", "L2Normalization", {"mode": "spatial", "eps": "0.1"}, x=(3, 4, 5)),
    one("layer", "LayerNorm", {}, x=(2, 3, 4), **AFFINE),
    one("layer_1", "LayerNorm", {"axis": "1", "eps": "0.01"}, x=SMALL, **AFFINE),
    one("layer_2", "LayerNorm", {"axis": "-2", "output_mean_var": "False"}, x=SMALL, **AFFINE),
    one("group", "GroupNorm", {"num_groups": "2"}, x=SMALL, gamma=(2,), beta=(2,)),
    one("group_one", "GroupNorm", {"eps": "0.1"}, x=(2, 4, 9), gamma=(1,), beta=(1,)),
    one("group_each", "GroupNorm", {"num_groups": "4"}, x=SMALL, **AFFINE),
    one("lrn", "LRN", {"nsize": "5", "alpha": "0.3"}, x=(2, 7, 4, 5)),
    one("lrn_3", "LRN", {"nsize": "3", "alpha": "0.5", "beta": "0.5", "knorm": "1"}, x=IMAGE),
    _norm("axis_last", (2, 5, 3, 4), axis="-1", fix_gamma="False"),
    _norm("axis_3", (2, 5, 3, 4), axis="3"),
    _norm("axis_2", (2, 5, 4, 3), axis="2", fix_gamma="False"),
    _norm("axis_0", (4, 3), axis="0", fix_gamma="False"),
    _norm("1d", (4,), axis="0"),
    _norm("3d", (2, 4, 9), fix_gamma="False"),
    _norm("5d", (1, 4, 2, 3, 3)),
    _norm("v1", SMALL, "BatchNorm_v1", fix_gamma="False", eps="0.01"),
    _norm("sync", SMALL, "_contrib_SyncBatchNorm", fix_gamma="False", ndev="2", key="k"),
    Net("norm_outputs", [Op("BatchNorm", {"output_mean_var": "True"}, ["x", *STATISTICS]),
                         Op("Activation", {"act_type": "relu"}, [0])], {"x": SMALL} | STATISTICS),
    Net("fold_v1", [Op("Convolution", K3, ["x", "weight"]),
                    Op("BatchNorm_v1", {"fix_gamma": "False"}, [0, *STATISTICS])],
        {"x": IMAGE, "weight": (4, 4, 3, 3)} | STATISTICS),
    # Neither BatchNorm is along the rows of the weight, so neither may be folded.
    Net("unfolded_axis", [Op("Convolution", K1, ["x", "weight"]),
                          Op("BatchNorm", {"axis": "2", "fix_gamma": "False"}, [0, *STATISTICS])],
        {"x": (2, 3, 4, 5), "weight": (4, 3, 1, 1)} | STATISTICS),
    Net("unfolded_dense", [Op("FullyConnected", LAST | {"no_bias": "True"}, ["x", "weight"]),
                           Op("BatchNorm", {"fix_gamma": "False"}, [0, *STATISTICS])],
        {"x": (2, 4, 7), "weight": (5, 7)} | STATISTICS),
    Net("unfolded_computed", [Op("Activation", {"act_type": "tanh"}, ["weight"]),
                              Op("Convolution", K3, ["x", 0]),
                              Op("BatchNorm", {"fix_gamma": "False"}, [1, *STATISTICS])],
        {"x": IMAGE, "weight": (4, 4, 3, 3)} | STATISTICS),
]  # fmt: skip

WEIGHTS = [
    one("conv_v1", "Convolution_v1", K3 | {"pad": "(1, 1)"}, x=IMAGE, weight=(4, 4, 3, 3)),
    one("conv_given", "Convolution", K3, x=IMAGE, filters=(4, 4, 3, 3)),
    one("dense_last", "FullyConnected", LAST, x=(2, 3, 7), weight=(5, 7), bias=(5,)),
    one("dense_last_4d", "FullyConnected", LAST | {"no_bias": "True"}, x=SMALL, weight=(5, 5)),
    one("dense_last_1d", "FullyConnected", LAST, x=(7,), weight=(5, 7), bias=(5,)),
    Net("dense_normal", [Op("L2Normalization", {}, ["weight"]),
                         Op("FullyConnected", DENSE | {"no_bias": "True"}, ["x", 0])],
        {"x": (3, 7), "weight": (5, 7)}),
    one("dense_given", "FullyConnected", LAST, x=(2, 3, 7), matrix=(5, 7), bias=(5,)),
    one("embedding", "Embedding", {"input_dim": "3", "output_dim": "4", "sparse_grad": "False"}, x=(2, 7),
        weight=(3, 4)),
    one("embedding_1d", "Embedding", {"input_dim": "2", "output_dim": "4"}, x=(7,), weight=(2, 4)),
    _deconv("plain"), _deconv("stride", stride="(2, 2)"),
    _deconv("pad", stride="(2, 3)", pad="(1, 0)", no_bias="True", layout="NCHW"),
    _deconv("adj", stride="(2, 2)", pad="(1, 1)", adj="(1, 1)"),
    _deconv("adj_one_axis", stride="(3, 2)", adj="(2, 0)"),
    _deconv("target", stride="(2, 2)", target_shape="(8, 10)"),
    _deconv("target_odd", stride="(2, 2)", target_shape="(6, 7)", pad="(9, 9)", adj="(1, 1)"),
    _deconv("target_zero", target_shape="(0, 0)"),
    _deconv("dilate", dilate="(2, 2)"), _deconv("dilate_stride", dilate="(2, 1)", stride="(1, 2)"),
    _deconv("group", num_group="2", num_filter="6"),
    _deconv("depthwise", weight=(4, 1, 4, 4), num_group="4", num_filter="4", stride="(2, 2)", pad="(1, 1)"),
    _deconv("1d", x=(2, 4, 7), weight=(4, 3, 3), stride="(2,)"),
    one("deconv_bias", "Deconvolution", {"kernel": "(2, 2)", "num_filter": "3", "no_bias": "False"},
        x=SMALL, weight=(4, 3, 2, 2), bias=(3,)),
    one("deconv_given", "Deconvolution", {"kernel": "(2, 2)", "num_filter": "3"}, x=SMALL,
        filters=(4, 3, 2, 2)),
    Net("fold_deconv", [Op("Deconvolution", {"kernel": "(2, 2)", "num_filter": "4", "num_group": "2",
                                             "no_bias": "False"}, ["x", "weight", "bias"]),
                        Op("BatchNorm", {"fix_gamma": "False"}, [0, *STATISTICS])],
        {"x": (1, 6, 4, 5), "weight": (6, 2, 2, 2), "bias": (4,)} | STATISTICS),
]  # fmt: skip

RESAMPLING = [
    _up("nearest", x=SMALL), _up("three", {"scale": "3"}, x=SMALL),
    _up("concat", x=(1, 2, 4, 4), y=(1, 3, 8, 8), z=(1, 1, 2, 2)),
    _up("sum", {"multi_input_mode": "sum"}, x=SMALL, y=SMALL, z=(2, 4, 8, 10)),
    *[_up(f"bilinear_{scale}", {"sample_type": "bilinear", "scale": f"{scale}", "num_filter": "4"}, x=SMALL,
          weight=(4, 1, kernel, kernel)) for scale, kernel in ((2, 4), (3, 5), (4, 8))],
    _resize("size", height="8", width="10"), _resize("smaller", height="3", width="2"),
    _resize("one", height="1", width="9"), _resize("scale", scale_height="2", scale_width="1.5"),
    _resize("area", height="7", width="9", align_corners="False"),
    _resize("area_smaller", height="3", width="1", align_corners="False"),
    _resize("area_scale", (1, 2, 7, 9), scale_height="0.7", scale_width="3", align_corners="False"),
    _resize("odd_scale", scale_height="2", scale_width="1.5", mode="odd_scale"),
    *[_resize(mode, mode=mode) for mode in ("to_even_down", "to_even_up", "to_odd_down", "to_odd_up")],
    one("resize_like", "_contrib_BilinearResize2D", {"mode": "like"}, x=SMALL, y=(1, 1, 7, 9)),
    _adaptive("none", "()"), _adaptive("divides", "(3, 4)"), _adaptive("one", "2"),
    _adaptive("shares", "(4, 3)"), _adaptive("larger", "(7, 16)"),
    _crop("size", {"h_w": "(2, 3)", "offset": "(1, 1)"}, x=SMALL),
    _crop("center", {"h_w": "(3, 2)", "center_crop": "True"}, x=SMALL),
    _crop("like", {"offset": "(1, 2)"}, x=SMALL, y=(1, 9, 3, 2)),
    _crop("like_center", {"center_crop": "1"}, x=IMAGE, y=(1, 9, 5, 7)),
    _roi("pooling", "ROIPooling", (3, 2, 7, 5)), _roi("pooling_reversed", "ROIPooling", (3, 5, 7, 2)),
    _roi("align", "_contrib_ROIAlign", (3, 2, 7, 5), sample_ratio="2"),
    _roi("align_any", "_contrib_ROIAlign", (3, 5, 7, 2)),
]  # fmt: skip

CONVERTED = [*SOFTMAXES, *POOLING, *NORMALIZATION, *WEIGHTS, *RESAMPLING]
"""Each is run by MXNet and, converted, by ONNX Runtime."""

GROWS = {
    **dict.fromkeys(("softout_3d", "softout_4d"), 2),  # Flatten and Reshape around a Softmax of one axis
    **dict.fromkeys(("softmax_warm", "log_softmax_axis", "softmin", "softmin_warm"), 1),  # / temperature
    "leaky_gelu": 4,  # Gelu came with opset 20
    "prelu_computed": 1,  # the slope's axis of channels is moved
    # A window that lies in the padding altogether needs a Pad, so does a maximum that sees zeros there.
    **dict.fromkeys(("pool_max_beyond", "pool_max_wide_pad", "pool_max_gap", "pool_lp_full"), 1),
    **dict.fromkeys(("pool_v1_max", "pool_v1_beyond_max", "pool_v1_beyond_avg"), 1),
    # ONNX has no sum, nor MXNet's divisors where a window is cut off: a factor mends the average.
    **dict.fromkeys(("pool_sum", "pool_sum_full", "pool_lp_1", "pool_v1_sum"), 1),
    **dict.fromkeys(("pool_avg_cut", "pool_avg_cut_4", "pool_3d"), 1),
    **dict.fromkeys(("pool_avg_beyond_True", "pool_avg_beyond_False", "pool_avg_wide_pad"), 2),
    "pool_sum_beyond": 2,
    # Norms are written out: LpNormalization has no eps, LayerNormalization came with opset 17.
    **dict.fromkeys(("l2_channel", "l2_instance", "l2_spatial", "l2_2d", "l2_3d", "dense_normal"), 3),
    **dict.fromkeys(("layer", "layer_1", "layer_2"), 8),
    **dict.fromkeys(("group", "group_one", "group_each"), 2),  # Reshape there and back
    # A BatchNorm that is not along axis 1 is Mul and Add.
    **dict.fromkeys(("norm_axis_last", "norm_axis_3", "norm_axis_2", "norm_axis_0", "norm_1d"), 1),
    "unfolded_axis": 1,
    **dict.fromkeys(("dense_last", "dense_last_1d"), 1),  # MatMul and Add
    "dense_given": 2,  # the weight is turned, too
    **dict.fromkeys(("embedding", "embedding_1d"), 2),  # indices come as float32
    **dict.fromkeys(("up_concat", "up_sum"), 2),  # two of three inputs are resized
    **dict.fromkeys(("adaptive_shares", "adaptive_larger"), 1),  # a MatMul each for H and W
    **dict.fromkeys(("roi_align", "roi_align_any"), 4),  # the column of images is cut off the regions
}
"""How many nodes a net has beyond its operators, because ONNX has no one operator for one of them."""

REFUSED = {
    "softmax length": (one("n", "softmax", {"use_length": "True"}, x=SMALL, y=(2,)), "expected False"),
    "softmax axis": (one("n", "softmax", {"axis": "4"}, x=SMALL), "along axis 4 of the input (2, 4, 4, 5)"),
    "softmax half": (one("n", "log_softmax", {"dtype": "float16"}, x=SMALL), "expected float32"),
    "softmax cold": (one("n", "softmin", {"temperature": "0"}, x=SMALL), "temperature=0, expected another"),
    "softmax 1-D": (one("n", "SoftmaxOutput", {}, x=(3,), label=(3,)), "a softmax of the input (3,)"),
    "softmax channel": (
        one("n", "SoftmaxActivation", {"mode": "channel"}, x=(3,)), "along axis 1 of the input (3,)"),
    "global lp 3": (_pool("n", kernel="2", pool_type="lp", p_value="3"), "p_value=3, expected 1 or 2"),
    "lp": (_pool("n", kernel="3", pool_type="lp"), "pool_type=lp with p_value=0, expected 1 or 2"),
    "same 2-D": (
        _pool("n", kernel="3", pooling_convention="same"), "kernel=(3, 3), pad=(): MXNet has it in 1-D"),
    "global 2-D": (_pool("n", (2, 3), global_pool="1"), "global_pool on the input (2, 3)"),
    "global layout": (_pool("n", global_pool="1", layout="NHWC"), "layout='NHWC', expected NCHW. Write the"),
    "empty window": (
        _pool("n", op="Pooling_v1", kernel="1", stride="3", pooling_convention="full"),
        "leaves a window empty",
    ),
    "instance 2-D": (one("n", "InstanceNorm", {}, x=(2, 4), **AFFINE), "has 2 dimensions, expected at least"),
    "l2 2-D": (one("n", "L2Normalization", {"mode": "channel"}, x=(2, 4)), "mode=channel on the input"),
    "layer axis": (one("n", "LayerNorm", {"axis": "3"}, x=(2, 3, 4), **AFFINE), "axis=3 on the input"),
    "layer gamma": (one("n", "LayerNorm", {}, x=(2, 3), **AFFINE), "the shape (4,), expected (3,)"),
    "group count": (one("n", "GroupNorm", {"num_groups": "3"}, x=SMALL, **AFFINE), "num_groups=3 does not"),
    "group gamma": (
        one("n", "GroupNorm", {"num_groups": "2"}, x=SMALL, **AFFINE), "the shape (4,), expected (2,)"),
    "lrn even": (one("n", "LRN", {"nsize": "4"}, x=SMALL), "nsize=4 on the input (2, 4, 4, 5)"),
    "norm axis": (_norm("n", SMALL, axis="4"), "axis=4 on the input (2, 4, 4, 5)"),
    "norm computed": (
        Net("n", [Op("Activation", {"act_type": "tanh"}, ["gamma"]),
                  Op("BatchNorm", {}, ["x", 0, "beta", "moving_mean", "moving_var"])],
            {"x": SMALL} | STATISTICS),
        "input 1 is 'n_0', computed, expected a stored parameter",
    ),
    "norm outputs": (
        Net("n", [Op("BatchNorm", {"output_mean_var": "True"}, ["x", *STATISTICS]),
                  Op("Flatten", {}, [(0, 1)])], {"x": SMALL} | STATISTICS),
        "node 'n_0' (BatchNorm): output 1 is asked for, it has 1",
    ),
    "computed shape": (
        one("n", "Convolution", K3, x=IMAGE, filters=(4, 3, 3, 3)),
        "'n_filters' has the shape (4, 3, 3, 3), expected (4, 4, 3, 3)",
    ),
    "deconv target": (_deconv("n", target_shape="(9, 9)"), "target_shape=(9, 9), expected sizes of at most"),
    "deconv half target": (_deconv("n", target_shape="(5, 0)"), "target_shape=(5, 0), expected sizes"),
    "deconv adj": (_deconv("n", stride="(2, 2)", adj="(2, 0)"), "adj=(2, 0), expected numbers from 0"),
    "deconv pad": (_deconv("n", pad="(3, 3)"), "pad=(3, 3) leaves nothing of (6, 7) values"),
    "deconv bias": (_deconv("n", no_bias="False"), "no_bias=False with 2 inputs"),
    "deconv groups": (_deconv("n", num_group="3"), "num_group=3 does not divide 4 and 3 channels"),
    "deconv layout": (_deconv("n", layout="NHWC"), "layout='NHWC', expected NCHW. Write the network"),
    "up 3-D": (_up("n", x=(2, 3, 4)), "input 0 has the shape (2, 3, 4), expected 4 dimensions"),
    "up scale": (_up("n", {"scale": "0"}, x=SMALL), "scale=0, expected a number from 1"),
    "up sizes": (_up("n", x=SMALL, y=(2, 4, 3, 5)), "input 1 of the shape (2, 4, 3, 5) does not divide 8x10"),
    "up sum": (
        _up("n", {"multi_input_mode": "sum"}, x=SMALL, y=(2, 3, 4, 5)), "=sum of (2, 4, 8, 10), (2, 3, 8"),
    # MXNet dies of a division by zero here.
    "up filters": (
        _up("n", {"sample_type": "bilinear"}, x=SMALL, weight=(4, 1, 4, 4)), "num_filter=0, expected 2"),
    "up weight": (
        _up("n", {"sample_type": "bilinear", "num_filter": "4"}, x=SMALL, weight=(4, 1, 3, 3)),
        "the weight has the shape (4, 1, 3, 3), expected (4, 1, 4, 4)",
    ),
    "resize scale": (_resize("n", scale_height="2"), "only one of scale_height and scale_width"),
    "resize mode": (_resize("n", mode="like"), "mode=like with 1 inputs"),
    "resize none": (_resize("n", scale_height="0.1", scale_width="1"), "the new size 0x5 is not positive"),
    "adaptive size": (
        _adaptive("n", "(4, 2000000000)"), "the output (2, 3, 4, 2000000000) has 2**31 values or more"),
    "adaptive": (_adaptive("n", "(1, 2, 3)"), "output_size=(1, 2, 3), expected one or two"),
    "crop size": (_crop("n", {}, x=SMALL), "h_w=() and offset=(), expected two sizes"),
    "crop outside": (
        _crop("n", {"h_w": "(4, 4)", "offset": "(1, 1)"}, x=SMALL), "a crop of 4x4 at (1, 1) leaves"),
    "roi columns": (
        one("n", "ROIPooling", {"pooled_size": "(2, 2)", "spatial_scale": "1"}, x=SMALL, y=(3, 4)),
        "inputs of (2, 4, 4, 5) and (3, 4)",
    ),
    "roi size": (
        one("n", "ROIPooling", {"pooled_size": "2", "spatial_scale": "1"}, x=SMALL, y=(3, 5)),
        "pooled_size=(2,), expected two",
    ),
    # MXNet aborts on a region that ends before it begins.
    "roi aligned": (
        _roi("n", "_contrib_ROIAlign", (3, 2, 7, 5), aligned="True"), "aligned='True', expected False"),
    "embedding": (
        one("n", "Embedding", {"input_dim": "3", "output_dim": "4"}, x=(2,), weight=(4, 3)),
        "'n_weight' has the shape (4, 3), expected (3, 4)",
    ),
    **{op: (one("n", op, {"any": "1"}, x=SMALL), f"node 'n_0' ({op}): {text}")
       for op, text in (("Custom", "its code is not in"), ("RNN", "a fused recurrent layer"),
                        ("_contrib_Proposal", "boxes are decoded and selected"),
                        ("BilinearSampler", "samples at places that"), ("Correlation", "compares patches"))},
}  # fmt: skip
"""Each is refused with this text."""
