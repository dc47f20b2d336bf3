"""Small MXNet networks of tensor operators that convert; `mxnet_tensor_refused` has those that must not."""

from __future__ import annotations

from collections.abc import Mapping

from suites.meta.networks.mxnet_files import Net, Op, Shape, many, one

CUBE = (2, 3, 4)
IMAGE = (2, 4, 6, 5)


def cube(name: str, op: str, shape: Shape = CUBE, /, **attrs: str) -> Net:
    """Apply an operator to one tensor."""
    return one(name, op, attrs, x=shape)


def pair(op: str, first: Shape = CUBE, second: Shape = CUBE, name: str = "") -> Net:
    """Apply an operator to two tensors."""
    return one(name or op, op, {}, x=first, y=second)


def reshape(name: str, shape: str, x: Shape = CUBE, **attrs: str) -> Net:
    """Reshape by MXNet's codes."""
    return one(f"reshape_{name}", "Reshape", {"shape": shape, **attrs}, x=x)


def _scalar(op: str, scalar: str = "0.7") -> Net:
    return one(op, op, {"scalar": scalar}, x=CUBE)


def _positive(op: str) -> Net:
    return one(op, op, {}, positive=CUBE)


def _floored(op: str, attrs: Mapping[str, str] | None = None, second: Shape = CUBE) -> Net:
    """Compare whole numbers, of which many are equal and many 0."""
    ops = [Op("floor", {}, ["x"]), Op("floor", {}, ["y"]), Op(op, attrs or {}, [0, 1])]
    return Net(op, ops, {"x": CUBE, "y": second})


def _floored_scalar(op: str, scalar: str) -> Net:
    return Net(op, [Op("floor", {}, ["x"]), Op(op, {"scalar": scalar}, [0])], {"x": CUBE})


def _after(name: str, before: tuple[str, str], op: str, attrs: Mapping[str, str] | None = None) -> Net:
    """Apply an operator to a tensor combined with a number before, -2..2 otherwise."""
    ops = [Op(before[0], {"scalar": before[1]}, ["x"]), Op(op, attrs or {}, [0])]
    return Net(name, ops, {"x": CUBE})


def _halves(op: str) -> Net:
    """Round multiples of a half from -4 to 4: half of them lie in the middle."""
    ops = [Op("_mul_scalar", {"scalar": "4"}, ["x"]), Op("floor", {}, [0]),
           Op("_mul_scalar", {"scalar": "0.5"}, [1]), Op(op, {}, [2])]  # fmt: skip
    return Net(op, ops, {"x": (4, 5, 6)})


def _places(name: str, op: str, attrs: Mapping[str, str], x: Shape, at: Shape, scale: str = "2") -> Net:
    """Pick from x at computed places, some of them outside and none of them whole."""
    ops = [Op("_mul_scalar", {"scalar": scale}, ["at"]), Op(op, attrs, ["x", 0])]
    return Net(name, ops, {"x": x, "at": at})


SHAPES = [
    reshape("plain", "(4, 6)"), reshape("keep", "(0, -1)"), reshape("infer", "(-1, 4)"),
    reshape("rest", "(-2, 1, 1)"), reshape("join", "(-3, 0)"), reshape("join_rest", "(0, -3)"),
    reshape("split", "(0, -4, -1, 3, 0)"), reshape("split_first", "(-4, 1, -1, -2)"),
    reshape("middle", "(1, -1, 4)"), reshape("reverse", "(-1, 0)", reverse="True"),
    reshape("reverse_split", "(0, 0, 2, -1, -4)", reverse="1"),
    reshape("mtcnn", "(0, 2, -1, 0)", x=(2, 4, 3, 5)), reshape("long", "(0L, -1L)"),
    reshape("vector", "(-1,)"),
    cube("reshape_lower", "reshape", shape="[0, 0, 2, 2]"),
    cube("reshape_target", "Reshape", target_shape="(0, 12)"),
    cube("reshape_target_all", "Reshape", target_shape="(4, 6)"),
    cube("reshape_highest", "Reshape", target_shape="(0, 0)", keep_highest="True"),
    one("reshape_like", "reshape_like", {}, x=CUBE, y=(6, 4)),
    one("reshape_like_some", "reshape_like",
        {"lhs_begin": "-1", "lhs_end": "None", "rhs_begin": "1", "rhs_end": "3"}, x=CUBE, y=(6, 2, 2)),
    cube("flatten_lower", "flatten"),
    cube("transpose", "transpose", axes="(1, 0, 2)"), cube("transpose_default", "transpose"),
    cube("ssd_transpose", "transpose", IMAGE, axes="(0,2,3,1)"),
    cube("SwapAxis", "SwapAxis", dim1="0", dim2="-1"), cube("swapaxes", "swapaxes", dim1="1", dim2="2"),
    cube("expand_dims", "expand_dims", axis="1"), cube("expand_dims_last", "expand_dims", axis="-1"),
    cube("squeeze", "squeeze", (2, 1, 3, 1)), cube("squeeze_some", "squeeze", (2, 1, 1), axis="(1,)"),
    cube("squeeze_last", "squeeze", (2, 3, 1), axis="-1"), cube("squeeze_all", "squeeze", (1, 1, 1)),
    cube("squeeze_none", "squeeze", (1, 2), axis="()"),
    cube("depth_to_space", "depth_to_space", (2, 8, 2, 3), block_size="2"),
    cube("space_to_depth", "space_to_depth", (2, 2, 4, 6), block_size="2"),
]  # fmt: skip

PARTS = [
    cube("slice", "slice", begin="(None, 1)", end="(None, -1)"),
    cube("slice_step", "slice", begin="(1, 2, -1)", end="(None, 0, None)", step="(1, -1, -2)"),
    cube("slice_far", "slice", begin="(0, -2)", end="(9, 9)", step="()"),
    cube("slice_whole", "slice", begin="(0,)", end="(2,)"),
    cube("crop", "crop", IMAGE, begin="(0, 0, 1, 1)", end="(2, 4, 5, 4)"),
    cube("slice_axis", "slice_axis", axis="1", begin="1", end="None"),
    cube("slice_axis_end", "slice_axis", axis="-1", begin="-3", end="-1"),
    one("slice_like", "slice_like", {}, x=CUBE, y=(1, 2, 4)),
    one("slice_like_axes", "slice_like", {"axes": "(1, -1)"}, x=CUBE, y=(9, 2, 3)),
    cube("reverse", "reverse", axis="(0, 2)"), cube("flip", "flip", axis="1"),
    many("SliceChannel", 2, "SliceChannel", {"num_outputs": "2"}, x=IMAGE),
    many("split_squeeze", 3, "split", {"num_outputs": "3", "squeeze_axis": "True"}, x=CUBE),
    many("split_last", 2, "SliceChannel", {"num_outputs": "2", "axis": "-1"}, x=CUBE),
    many("split_one", 1, "SliceChannel", {"num_outputs": "1"}, x=CUBE),
    many("split_one_squeeze", 1, "split", {"num_outputs": "1", "squeeze_axis": "1"}, x=(2, 1, 3)),
    many("split_v2", 3, "_split_v2", {"indices": "(0, 1, 3)", "axis": "2"}, x=CUBE),
    many("split_v2_sections", 3, "_split_v2", {"indices": "()", "sections": "3", "axis": "0"}, x=(5, 2)),
    many("split_v2_squeeze", 3, "_split_v2", {"indices": "(0, 1, 2)", "squeeze_axis": "1"}, x=CUBE),
    Net("split_second", [Op("SliceChannel", {"num_outputs": "2"}, ["x"]),
                         Op("elemwise_sub", {}, [(0, 1), (0, 0)])], {"x": IMAGE}),
    one("concat_lower", "concat", {"num_args": "2", "dim": "2"}, x=CUBE, y=CUBE),
    one("concat_old", "Concat", {"num_args": "2", "dim": "-2"}, x=CUBE, y=(2, 5, 4)),
    one("stack", "stack", {"num_args": "2", "axis": "-1"}, x=CUBE, y=CUBE),
    one("stack_first", "stack", {"num_args": "3"}, x=CUBE, y=CUBE, z=CUBE),
    cube("tile", "tile", reps="(2, 1, 3)"), cube("tile_last", "tile", reps="(2,)"),
    cube("tile_more", "tile", reps="(2, 1, 1, 3)"),
    cube("repeat", "repeat", repeats="2", axis="-1"), cube("repeat_flat", "repeat", repeats="3"),
    cube("broadcast_to", "broadcast_to", (2, 1, 4), shape="(0, 5, 4)"),
    cube("broadcast_axis", "broadcast_axis", (1, 3, 1), axis="(0, 2)", size="(2, 5)"),
    cube("broadcast_axes", "broadcast_axes", (2, 1, 4), axis="1", size="3"),
    one("broadcast_like", "broadcast_like", {}, x=(2, 1, 4), y=CUBE),
    one("broadcast_like_axes", "broadcast_like", {"lhs_axes": "(1,)", "rhs_axes": "(-1,)"}, x=(2, 1, 4),
        y=(3, 5)),
    cube("pad", "Pad", IMAGE, mode="constant", pad_width="(0, 0, 0, 0, 1, 2, 0, 3)", constant_value="1.5"),
    cube("pad_edge", "pad", IMAGE, mode="edge", pad_width="(0,0,0,0,1,2,2,1)"),
    cube("pad_reflect", "Pad", IMAGE, mode="reflect", pad_width="(0,0,0,0,2,1,1,3)"),
    cube("pad_3d", "pad", (1, 2, 3, 3, 3), mode="constant", pad_width="(0,0,0,0,1,0,0,1,1,1)"),
]  # fmt: skip

CONSTANTS = [
    one("zeros", "_zeros", {"shape": "(2, 3)", "ctx": "cpu(0)"}),
    one("ones", "_ones", {"shape": "(2, 3)", "dtype": "int32"}),
    one("full", "_full", {"shape": "(4,)", "value": "1.5"}),
    one("arange", "_arange", {"start": "1", "stop": "3", "step": "0.5", "repeat": "2"}),
    one("arange_stop", "_arange", {"start": "5", "stop": "None", "dtype": "int32", "infer_range": "False"}),
    one("arange_down", "_arange", {"start": "3", "stop": "0", "step": "-1"}),
    cube("zeros_like", "zeros_like"), cube("ones_like", "ones_like"),
    cube("shape_array", "shape_array"), cube("size_array", "size_array"),
    Net("less_ones", [Op("_ones", {"shape": "(2, 3, 4)"}, []), Op("elemwise_sub", {}, ["x", 0])],
        {"x": CUBE}),
    Net("stored_root", [Op("square", {}, ["gamma"]), Op("_PlusScalar", {"scalar": "0.1"}, [0]),
                        Op("sqrt", {}, [1]), Op("broadcast_div", {}, ["x", 2])],
        {"x": (3, 4), "gamma": (1, 4)}),
    Net("stored_sum", [Op("elemwise_add", {}, ["gamma", "beta"])], {"gamma": (2, 3), "beta": (2, 3)}),
]  # fmt: skip

REDUCTIONS = [
    cube("sum", "sum", axis="1"), cube("sum_all", "sum"),
    cube("sum_empty", "sum", axis="()", keepdims="1"),
    cube("sum_axis", "sum_axis", axis="(0, -1)", keepdims="True"),
    cube("sum_vector", "sum", (5,)), cube("sum_exclude_all", "sum", axis="(0, 1, 2)", exclude="1"),
    cube("mean", "mean", IMAGE, axis="(2, 3)"), cube("mean_exclude", "mean", axis="1", exclude="True"),
    cube("mean_all", "mean", axis="None"), cube("max", "max", axis="-1"),
    cube("max_axis", "max_axis", axis="0", keepdims="1"), cube("min", "min", axis="[1]"),
    cube("min_axis", "min_axis", axis="(0,1,2)"), cube("prod", "prod", axis="(1, 2)"),
    cube("prod_exclude", "prod", axis="-2", exclude="1", keepdims="1"),
    cube("norm", "norm"), cube("norm_1", "norm", ord="1", axis="-1"),
    cube("norm_2", "norm", ord="2", axis="(0, 2)", keepdims="True"),
    cube("argmax", "argmax", axis="1"), cube("argmax_keep", "argmax", axis="-2", keepdims="True"),
    cube("argmax_all", "argmax"), cube("argmax_all_keep", "argmax", axis="None", keepdims="1"),
    cube("argmax_vector", "argmax", (7,), axis="0"), cube("argmin", "argmin", axis="2"),
    cube("argmin_all", "argmin", (3, 5)), cube("argmax_channel", "argmax_channel", (3, 7)),
    cube("argmax_channel_4d", "argmax_channel", IMAGE),
    cube("topk", "topk", k="2"),
    many("topk_value", 1, "topk", {"k": "2", "ret_typ": "value", "axis": "1"}, x=CUBE),
    many("topk_both", 2, "topk", {"k": "3", "ret_typ": "both", "is_ascend": "True"}, x=CUBE),
    cube("topk_flat", "topk", k="5", axis="None"), cube("topk_all", "topk", k="0", dtype="int32"),
    many("topk_both_flat", 2, "topk", {"k": "3", "ret_typ": "both", "axis": "None", "is_ascend": "1"},
         x=CUBE),
    cube("topk_vector", "topk", (9,), k="2", is_ascend="1"), many("sort", 1, "sort", {}, x=CUBE),
    many("sort_down", 1, "sort", {"axis": "0", "is_ascend": "False"}, x=CUBE),
    many("sort_flat", 1, "sort", {"axis": "None"}, x=CUBE),
    cube("argsort", "argsort", axis="1"), cube("argsort_long", "argsort", is_ascend="0", dtype="int64"),
    cube("cumsum", "cumsum", axis="1"),  # MXNet fails at an axis of -1
    cube("cumsum_flat", "_np_cumsum"),
]  # fmt: skip

UNARY = [
    *[cube(op, op) for op in (
        "square", "exp", "abs", "sign", "negative", "floor", "ceil", "sin", "cos", "tan", "arctan", "sinh",
        "cosh", "tanh", "arcsinh", "relu", "sigmoid", "softsign", "erf", "cbrt", "expm1", "degrees",
        "radians", "hard_sigmoid", "smooth_l1", "_contrib_div_sqrt_dim",
    )],
    *[_positive(op) for op in ("sqrt", "rsqrt", "log", "log10", "log2", "log1p", "reciprocal")],
    *[_after(op, ("_mul_scalar", "0.45"), op) for op in ("arcsin", "arccos", "arctanh")],
    _after("arccosh", ("_plus_scalar", "3.5"), "arccosh"),
    *[_halves(op) for op in ("round", "rint", "trunc", "fix")],
    Net("logical_not", [Op("floor", {}, ["x"]), Op("logical_not", {}, [0])], {"x": CUBE}),
    cube("hard_sigmoid_steep", "hard_sigmoid", alpha="0.4", beta="0.3"),
    cube("clip", "clip", a_min="-0.5", a_max="1"), cube("clip_below", "clip", a_min="0", a_max="inf"),
    cube("smooth_l1_2", "smooth_l1", scalar="2.0"),
    Net("identity_like", [Op("tanh", {}, ["x"]), Op("_identity_with_attr_like_rhs", {}, [0, "x"])],
        {"x": CUBE}),
    *[cube(op, op) for op in ("stop_gradient", "identity")],
]  # fmt: skip

CASTS = [
    cube("cast", "Cast", dtype="float32"),
    Net("cast_back", [Op("cast", {"dtype": "float64"}, ["x"]), Op("exp", {}, [0]),
                      Op("Cast", {"dtype": "float32"}, [1])], {"x": CUBE}),
    *[_after(f"cast_{dtype}", ("_mul_scalar", "20"), "Cast", {"dtype": dtype})
      for dtype in ("int8", "int32", "int64")],
    _after("cast_uint8", ("_plus_scalar", "2"), "Cast", {"dtype": "uint8"}),
    Net("cast_bool", [Op("floor", {}, ["x"]), Op("Cast", {"dtype": "bool"}, [0])], {"x": CUBE}),
    Net("cast_truncates", [Op("Cast", {"dtype": "int32"}, ["x"]), Op("Cast", {"dtype": "int64"}, [0]),
                           Op("Cast", {"dtype": "float32"}, [1])], {"x": CUBE}),
    Net("cast_passed", [Op("Cast", {"dtype": "int32"}, ["x"]), Op("BlockGrad", {}, [0])], {"x": CUBE}),
    Net("amp_cast", [Op("floor", {}, ["x"]), Op("amp_cast", {"dtype": "float16"}, [0]),
                     Op("amp_cast", {"dtype": "float32"}, [1])], {"x": CUBE}),
    many("amp_multicast", 2, "amp_multicast", {"num_outputs": "2"}, x=CUBE, y=(2, 3)),
]  # fmt: skip

BINARY = [
    *[pair(op) for op in (
        "_plus", "_minus", "_Minus", "_mul", "_Mul", "_maximum", "_minimum", "_Maximum", "_Minimum",
        "_hypot", "_Hypot", "_mod", "_Mod", "_add", "_sub", "_grad_add",
    )],
    one("_div", "_div", {}, x=CUBE, positive=CUBE), one("_Div", "_Div", {}, x=CUBE, positive=CUBE),
    *[pair(op, CUBE, (2, 1, 4)) for op in (
        "broadcast_sub", "broadcast_minus", "broadcast_plus", "broadcast_maximum", "broadcast_minimum",
        "broadcast_mod", "broadcast_hypot",
    )],
    one("broadcast_div", "broadcast_div", {}, x=CUBE, positive=(2, 3, 1)),
    one("broadcast_power", "broadcast_power", {}, positive=CUBE, y=(1, 3, 1)),
    one("_power", "_power", {}, positive=CUBE, y=CUBE), one("_Power", "_Power", {}, positive=CUBE, y=CUBE),
    *[_floored(f"broadcast_{how}", second=(2, 3, 1)) for how in (
        "equal", "not_equal", "greater", "greater_equal", "lesser", "lesser_equal", "logical_and",
        "logical_or", "logical_xor",
    )],
    *[_floored(op) for op in (
        "_equal", "_Equal", "_not_equal", "_Not_Equal", "_greater", "_Greater", "_greater_equal",
        "_Greater_Equal", "_lesser", "_Lesser", "_lesser_equal", "_Lesser_Equal", "_logical_and",
        "_Logical_And", "_logical_or", "_Logical_Or", "_logical_xor", "_Logical_Xor",
    )],
    *[_scalar(f"_{kind}_scalar") for kind in ("maximum", "minimum", "mod", "rmod", "hypot", "rpower")],
    *[_scalar(op) for op in (
        "_MulScalar", "_PlusScalar", "_MinusScalar", "_RMinusScalar", "_DivScalar", "_MaximumScalar",
        "_MinimumScalar", "_RPowerScalar", "_HypotScalar",
    )],
    _scalar("_ModScalar", "-0.7"), _scalar("_RModScalar", "-0.7"),
    one("_power_scalar", "_power_scalar", {"scalar": "2.5"}, positive=CUBE),
    one("_PowerScalar", "_PowerScalar", {"scalar": "2"}, x=CUBE),
    one("_RDivScalar", "_RDivScalar", {"scalar": "2"}, positive=CUBE),
    one("scalar_default", "_plus_scalar", {}, x=CUBE),
    *[_floored_scalar(op, "1") for op in (
        "_equal_scalar", "_not_equal_scalar", "_greater_scalar", "_greater_equal_scalar", "_lesser_scalar",
        "_lesser_equal_scalar", "_EqualScalar", "_NotEqualScalar", "_GreaterScalar", "_GreaterEqualScalar",
        "_LesserScalar", "_LesserEqualScalar", "_logical_and_scalar", "_LogicalAndScalar",
        "_logical_or_scalar", "_LogicalXorScalar",
    )],
    *[_floored_scalar(op, "0") for op in ("_LogicalOrScalar", "_logical_xor_scalar")],
    one("add_n", "add_n", {"num_args": "3"}, x=CUBE, y=CUBE, z=CUBE),
    one("ElementWiseSum", "ElementWiseSum", {"num_args": "2"}, x=CUBE, y=CUBE),
    Net("where", [Op("floor", {}, ["x"]), Op("where", {}, [0, "y", "z"])], {"x": CUBE, "y": CUBE, "z": CUBE}),
    Net("where_rows", [Op("_greater_scalar", {"scalar": "0"}, ["x"]), Op("where", {}, [0, "y", "z"])],
        {"x": (5,), "y": (5, 3), "z": (5, 3)}),
]  # fmt: skip

PRODUCTS = [
    pair("dot", (3, 4), (4, 5)),
    one("dot_a", "dot", {"transpose_a": "True"}, x=(4, 3), y=(4, 5)),
    one("dot_b", "dot", {"transpose_b": "1"}, x=(3, 4), y=(5, 4)),
    one("dot_both", "dot", {"transpose_a": "1", "transpose_b": "1"}, x=(4, 3), weight=(5, 4)),
    pair("dot", (2, 3, 4), (4, 3, 2), name="dot_3d"), pair("dot", (4,), (4,), name="dot_vectors"),
    pair("dot", (3, 4), (4,), name="dot_vector"),
    one("dot_3d_both", "dot", {"transpose_a": "1", "transpose_b": "1"}, x=(4, 2, 3), y=(5, 2, 4)),
    pair("batch_dot", (2, 3, 4), (2, 4, 5)),
    one("batch_dot_a", "batch_dot", {"transpose_a": "True"}, x=(2, 4, 3), y=(2, 4, 5)),
    one("batch_dot_both", "batch_dot", {"transpose_a": "1", "transpose_b": "1"}, x=(2, 4, 3), y=(2, 5, 4)),
    one("batch_dot_4d", "batch_dot", {"transpose_b": "1"}, x=(2, 3, 4, 5), y=(2, 3, 6, 5)),
    one("gemm2", "_linalg_gemm2", {"transpose_b": "1", "alpha": "0.5"}, x=(2, 3, 4), y=(2, 5, 4)),
    one("gemm2_plain", "linalg_gemm2", {"axis": "-2"}, x=(3, 4), y=(4, 5)),
]  # fmt: skip

INDEXING = [
    _places("take", "take", {}, (4, 5), (2, 6)),
    _places("take_axis", "take", {"axis": "-2", "mode": "clip"}, CUBE, (7,)),
    _places("take_wrap", "take", {"axis": "1", "mode": "wrap"}, CUBE, (9,), scale="3"),
    one("take_stored", "take", {"axis": "1"}, x=(2, 3, 4), weight=(2, 5)),
    one("take_stored_wrap", "take", {"axis": "2", "mode": "wrap"}, x=(2, 3, 4), weight=(6,)),
    Net("take_typed", [Op("Cast", {"dtype": "int32"}, ["at"]), Op("take", {}, ["x", 0])],
        {"x": (4, 5), "at": (6,)}),
    _places("pick", "pick", {}, (6, 3), (6,)), _places("pick_axis", "pick", {"axis": "1"}, CUBE, (2, 4)),
    _places("pick_keep", "pick", {"axis": "0", "keepdims": "True"}, CUBE, (3, 4)),
    _places("pick_wrap", "pick", {"mode": "wrap"}, CUBE, (2, 3, 1), scale="4"),
    one("pick_stored", "pick", {}, x=(5, 3), weight=(5,)), _places("pick_vector", "pick", {}, (3,), (1,)),
    _places("choose", "choose_element_0index", {}, (6, 3), (6,)),
    Net("gather_nd", [Op("_greater_scalar", {"scalar": "0"}, ["at"]), Op("gather_nd", {}, ["x", 0])],
        {"x": CUBE, "at": (2, 7)}),
    Net("one_hot", [Op("_mul_scalar", {"scalar": "2"}, ["at"]), Op("one_hot", {"depth": "3"}, [0])],
        {"at": (2, 6)}),
    Net("one_hot_typed",
        [Op("abs", {}, ["at"]),
         Op("one_hot", {"depth": "4", "on_value": "5", "off_value": "-1", "dtype": "int32"}, [0])],
        {"at": (5,)}),
]  # fmt: skip

CONVERTED = [
    *SHAPES, *PARTS, *CONSTANTS, *REDUCTIONS, *UNARY, *CASTS, *BINARY, *PRODUCTS, *INDEXING,
]  # fmt: skip
"""Each is run by MXNet and, converted, by ONNX Runtime."""

SINCE = dict.fromkeys(
    ["cumsum", "cumsum_flat", "pick", "pick_axis", "pick_keep", "pick_wrap", "pick_stored", "pick_vector",
     "choose", "gather_nd"],
    11,
)  # fmt: skip
"""Net -> the opset that brought an operator without which it cannot be written."""

GROWS = (
    # A comparison gives bool and MXNet float32; logic asks for bool first.
    dict.fromkeys(
        ["broadcast_equal", "broadcast_greater", "broadcast_greater_equal", "broadcast_lesser",
         "broadcast_lesser_equal", "_equal", "_Equal", "_greater", "_Greater", "_greater_equal",
         "_Greater_Equal", "_lesser", "_Lesser", "_lesser_equal", "_Lesser_Equal", "_equal_scalar",
         "_greater_scalar", "_greater_equal_scalar", "_lesser_scalar", "_lesser_equal_scalar",
         "_EqualScalar", "_GreaterScalar", "_GreaterEqualScalar", "_LesserScalar", "_LesserEqualScalar"], 1)
    | dict.fromkeys(
        ["broadcast_not_equal", "_not_equal", "_Not_Equal", "_not_equal_scalar", "_NotEqualScalar",
         "logical_not", "_logical_and_scalar", "_LogicalAndScalar", "_logical_or_scalar",
         "_LogicalOrScalar", "_logical_xor_scalar", "_LogicalXorScalar"], 2)
    | dict.fromkeys(
        ["broadcast_logical_and", "broadcast_logical_or", "broadcast_logical_xor", "_logical_and",
         "_Logical_And", "_logical_or", "_Logical_Or", "_logical_xor", "_Logical_Xor"], 3)
    | {"where": 1, "where_rows": 3, "gather_nd": 1 + 2, "one_hot": 3, "one_hot_typed": 4}
    # ONNX has no such function.
    | dict.fromkeys(["expm1", "rsqrt", "log10", "log2", "log1p"], 1)
    | dict.fromkeys(["cbrt", "rint", "trunc", "fix"], 3)
    | dict.fromkeys(["_hypot", "_Hypot", "broadcast_hypot", "_hypot_scalar", "_HypotScalar"], 3)
    | dict.fromkeys(
        ["_mod", "_Mod", "broadcast_mod", "_mod_scalar", "_rmod_scalar", "_ModScalar", "_RModScalar"], 5)
    | {"round": 6, "smooth_l1": 5, "smooth_l1_2": 5}
    # Places are int64 and MXNet's float32; a tensor of one dimension is compared as a row.
    | dict.fromkeys(
        ["argmax", "argmax_keep", "argmin", "argmax_channel", "argmax_channel_4d", "topk", "topk_both",
         "topk_all", "argsort", "argsort_long"], 1)
    | {"argmax_all": 2, "argmax_all_keep": 3, "argmax_vector": 2, "argmin_all": 2, "sort_flat": 2,
       "topk_flat": 3, "topk_vector": 3, "topk_both_flat": 4}
    | {"take": 2, "take_axis": 2, "take_wrap": 2, "take_typed": 3}
    | {"pick": 4, "pick_axis": 4, "choose": 4, "pick_keep": 3, "pick_wrap": 3, "pick_vector": 2,
       "pick_stored": 2}
    # Reductions of everything leave (1,); the flattened tensor comes first; each part is squeezed.
    | dict.fromkeys(["sum_all", "mean_all", "min_axis", "norm"], 1)
    | {"tile_more": 1, "repeat_flat": 1, "cumsum_flat": 1, "split_squeeze": 3, "split_v2_squeeze": 3,
       "stack": 2, "stack_first": 3}
    # Matrices are transposed or made of other tensors first, and scaled last.
    | {"batch_dot_a": 1, "batch_dot_4d": 1, "batch_dot_both": 2, "gemm2": 2, "dot_vector": 2}
    | {"dot_3d": 3, "dot_vectors": 3, "dot_3d_both": 3}
    # Two outputs that are inputs passed on.
    | {"amp_multicast": 1}
)  # fmt: skip
"""Net -> how many nodes more than MXNet has operators, and why."""
