"""Small MXNet networks of tensor operators that must not convert."""

from __future__ import annotations

from suites.meta.networks.mxnet_files import Net, Op, many, one
from suites.meta.networks.mxnet_tensor_nets import CUBE, IMAGE, cube, pair, reshape

REFUSED = {
    "gamma": (cube("n", "gamma"), "the operator is unknown"),
    "diag": (cube("n", "diag", k="1"), "the operator is unknown; its attributes: k=1"),
    "nansum": (cube("n", "nansum"), "node 'n_0' (nansum): the operator is unknown"),
    "reshape infer": (reshape("n", "(-1, 5)"), "(2, 3, 4) cannot be reshaped to (-1, 5)"),
    "reshape size": (reshape("n", "(4, 5)"), "(2, 3, 4) cannot be reshaped to (4, 5)"),
    "reshape two": (reshape("n", "(-1, 0, -1)"), "cannot be reshaped to (-1, 0, -1)"),
    "reshape past the end": (reshape("n", "(2, 3, 4, 0)"), "cannot be reshaped to (2, 3, 4, 0)"),
    "reshape join": (reshape("n", "(0, 0, -3)"), "cannot be reshaped to (0, 0, -3)"),
    "reshape split": (reshape("n", "(0, -4, 2, 2, 0)"), "cannot be reshaped to (0, -4, 2, 2, 0)"),
    "reshape split open": (reshape("n", "(-4, -1, -1, -2)"), "cannot be reshaped to (-4, -1"),
    "reshape split end": (reshape("n", "(-2, -4, 1)"), "cannot be reshaped to (-2, -4, 1)"),
    "reshape code": (reshape("n", "(-5, 0)"), "cannot be reshaped to (-5, 0)"),
    "reshape nothing": (reshape("n", "()"), "cannot be reshaped to ()"),
    "reshape target": (cube("n", "Reshape", target_shape="(0, 0)"), "reshaped to (0, 0)"),
    "reshape_like": (pair("reshape_like", CUBE, (2, 5)), "(2, 3, 4) cannot be reshaped to (2, 5)"),
    "transpose": (cube("n", "transpose", axes="(0, 1)"), "axes=(0, 1) of the input (2, 3, 4)"),
    "transpose twice": (cube("n", "transpose", axes="(0, 1, 1)"), "axes=(0, 1, 1) names an axis twice"),
    "SwapAxis": (cube("n", "SwapAxis", dim1="3"), "dim1=3, the tensor has 3 dimensions"),
    "expand_dims": (cube("n", "expand_dims", axis="4"), "axis=4, the tensor has 4 dimensions"),
    "squeeze": (cube("n", "squeeze", axis="(1,)"), "axis=(1,) of the input (2, 3, 4), expected sizes of 1"),
    "depth_to_space": (cube("n", "depth_to_space", IMAGE, block_size="3"), "block_size=3 does not divide 4"),
    "space_to_depth": (cube("n", "space_to_depth", IMAGE, block_size="2"), "does not divide 6 x 5"),
    "space_to_depth 3-D": (
        cube("n", "space_to_depth", block_size="1"),
        "block_size=1 on the input (2, 3, 4)",
    ),
    "slice": (cube("n", "slice", begin="(0, 0)", end="(1,)"), "begin=(0, 0), end=(1,), step=() on the"),
    "slice step": (cube("n", "slice", begin="(0,)", end="(1,)", step="(0,)"), "step=(0,) on the input"),
    "slice empty": (
        cube("n", "slice", begin="(0, 2)", end="(2, 1)"),
        "nothing is left of the 3 values of axis 1",
    ),
    "slice text": (
        cube("n", "slice", begin="(0, x)", end="(1, 1)"),
        "begin='(0, x)', expected a tuple of whole",
    ),
    "slice_axis": (cube("n", "slice_axis", axis="1", begin="0", end="7"), "begin=0, end=7 on 3 values"),
    "slice_axis begin": (
        cube("n", "slice_axis", axis="1", begin="3", end="None"),
        "begin=3, end=None on 3 values",
    ),
    "slice_like": (pair("slice_like", CUBE, (2, 3, 5)), "(2, 3, 4) cannot be cut to (2, 3, 5) along"),
    "slice_like rank": (pair("slice_like", CUBE, (2, 3)), "(2, 3, 4) cannot be cut to (2, 3) along"),
    "split": (many("n", 2, "SliceChannel", {"num_outputs": "2"}, x=CUBE), "num_outputs=2 does not divide 3"),
    "split squeeze": (
        many("n", 2, "SliceChannel", {"num_outputs": "2", "axis": "2", "squeeze_axis": "1"}, x=CUBE),
        "squeeze_axis=True on parts of 2, expected 1",
    ),
    "split output": (
        Net("n", [Op("split", {"num_outputs": "3"}, ["x"]), Op("tanh", {}, [(0, 3)])], {"x": CUBE}),
        "output 3 is asked for, it has 3",
    ),
    "split 2**31": (many("n", 1, "split", {"num_outputs": "2000000000"}, x=CUBE), "has 2000000000 outputs"),
    "split_v2": (
        many("n", 1, "_split_v2", {"indices": "(1,)"}, x=CUBE),
        "indices=(1,), sections=0 do not cut 3 values",
    ),
    "split_v2 empty": (many("n", 2, "_split_v2", {"indices": "(0, 0)"}, x=CUBE), "do not cut 3 values"),
    "stack": (one("n", "stack", {}, x=CUBE, y=(2, 3)), "cannot stack (2, 3, 4), (2, 3)"),
    "tile": (cube("n", "tile", reps="(0,)"), "reps=(0,), expected numbers from 1 on"),
    "repeat": (cube("n", "repeat", repeats="0"), "repeats=0, expected a number from 1 on"),
    "repeat 2**31": (cube("n", "repeat", repeats="2000000000"), "asks for a constant of 48000000000 values"),
    "broadcast_to": (
        cube("n", "broadcast_to", shape="(2, 3, 8)"),
        "(2, 3, 4) cannot be broadcast to (2, 3, 8)",
    ),
    "broadcast_to rank": (
        cube("n", "broadcast_to", shape="(2, 2, 3, 4)"),
        "cannot be broadcast to (2, 2, 3, 4)",
    ),
    "broadcast_axis": (cube("n", "broadcast_axis", axis="(0, 1)", size="2"), "axis=(0, 1) with size=(2,)"),
    "broadcast_like": (pair("broadcast_like", CUBE, (2, 3)), "(2, 3, 4) cannot be broadcast like (2, 3)"),
    "pad": (cube("n", "pad", mode="edge", pad_width="(0, 0, 1, 1)"), "pad_width=(0, 0, 1, 1) on the input"),
    "pad negative": (
        cube("n", "pad", mode="edge", pad_width="(0, 0, 0, 0, -1, 0)"),
        "pad_width=(0, 0, 0, 0, -1, 0) on",
    ),
    "pad reflect": (
        cube("n", "pad", mode="reflect", pad_width="(0, 0, 0, 0, 4, 0)"),
        "reflects more than there is of (2, 3, 4)",
    ),
    "zeros": (one("n", "_zeros", {"shape": "(0, 3)"}), "shape=(0, 3), expected positive sizes"),
    "zeros 2**40": (
        one("n", "_zeros", {"shape": "(1048576, 1048576)"}),
        "a constant of 1099511627776 values",
    ),
    "arange": (
        one("n", "_arange", {"start": "3", "stop": "1"}),
        "start=3.0, stop=1.0, step=1.0, repeat=1 give no",
    ),
    "arange length": (one("n", "_arange", {"start": "1e12"}), "a constant of 1000000000000 values"),
    "arange range": (
        one("n", "_arange", {"start": "3", "infer_range": "True"}),
        "infer_range='True', expected",
    ),
    "sum axis": (cube("n", "sum", axis="3"), "axis=3, the tensor has 3 dimensions"),
    "sum twice": (cube("n", "sum", axis="(1, -2)"), "axis=(1, -2) names an axis twice"),
    "norm": (cube("n", "norm", ord="3"), "ord=3, expected 1 or 2"),
    "argmax": (
        cube("n", "argmax", axis="-1"),
        "axis=-1 is all axes to MXNet 1.9.1, not the last. Write axis=2 for the last, or no axis for all",
    ),
    "topk": (cube("n", "topk", k="5"), "k=5 of 4 values"),
    "topk mask": (cube("n", "topk", ret_typ="mask"), "ret_typ='mask', expected indices or value or both"),
    "topk second": (
        Net("n", [Op("topk", {"ret_typ": "value"}, ["x"]), Op("tanh", {}, [(0, 1)])], {"x": CUBE}),
        "output 1 is asked for, it has 1",
    ),
    "cumsum": (cube("n", "cumsum", dtype="int32"), "dtype='int32', expected float32"),
    "clip": (cube("n", "clip", a_min="nan", a_max="1"), "a_min='nan', expected a number"),
    "smooth_l1": (cube("n", "smooth_l1", scalar="0"), "scalar=0, expected another number"),
    "mod": (cube("n", "_mod_scalar", scalar="0"), "scalar=0, expected another number"),
    "integers": (
        Net("n", [Op("Cast", {"dtype": "int32"}, ["x"]), Op("sqrt", {}, [0])], {"x": CUBE}),
        "node 'n_1' (sqrt): input 0 is int32, expected float32",
    ),
    "integers added": (
        Net("n", [Op("shape_array", {}, ["x"]), Op("elemwise_add", {}, [0, "y"])], {"x": CUBE, "y": (3,)}),
        "node 'n_1' (elemwise_add): input 0 is int64, expected float32",
    ),
    "cast": (cube("n", "Cast", dtype="complex64"), "dtype='complex64', expected float32 or float16 or"),
    "amp_multicast": (
        many("n", 3, "amp_multicast", {"num_outputs": "3"}, x=CUBE, y=CUBE),
        "num_outputs=3 with 2 inputs",
    ),
    "elementwise shapes": (pair("_maximum", CUBE, (2, 1, 4)), "(2, 3, 4) and (2, 1, 4) do not go together"),
    "broadcast shapes": (pair("broadcast_equal", CUBE, (3, 4)), "(2, 3, 4) and (3, 4) do not go together"),
    "add_n": (pair("add_n", CUBE, (2, 3)), "cannot add (2, 3, 4), (2, 3)"),
    "where": (
        one("n", "where", {}, x=(2, 1, 4), y=CUBE, z=CUBE),
        "the shapes (2, 1, 4), (2, 3, 4) and (2, 3, 4)",
    ),
    "dot": (pair("dot", (3, 4), (3, 5)), "the shapes (3, 4) and (3, 5) do not go together"),
    "batch_dot": (pair("batch_dot", (2, 3, 4), (1, 4, 5)), "(2, 3, 4) and (1, 4, 5) do not go together"),
    "batch_dot rank": (pair("batch_dot", (3,), (3,)), "input 0 has the shape (3,), expected two dimensions"),
    "gemm2": (one("n", "_linalg_gemm2", {"axis": "0"}, x=CUBE, y=CUBE), "axis=0, expected -2"),
    "take": (one("n", "take", {"axis": "3"}, x=CUBE, y=(2,)), "axis=3, the tensor has 3 dimensions"),
    "embedding": (
        one("n", "Embedding", {"input_dim": "4", "output_dim": "5"}, x=(2,), weight=(5, 4)),
        "the weight has the shape (5, 4), expected (4, 5)",
    ),
    "pick": (pair("pick", CUBE, (3, 2)), "(3, 2) places in (2, 3, 4) along axis 2, expected (2, 3, 1)"),
    "gather_nd": (pair("gather_nd", CUBE, (4, 2)), "4 numbers for each place in (2, 3, 4)"),
    "one_hot": (cube("n", "one_hot", depth="0"), "depth=0, expected a number from 1 on"),
}
"""Each is refused with this text."""
