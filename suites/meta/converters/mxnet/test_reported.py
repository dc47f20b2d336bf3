"""Networks of public reports convert to values that are worked out here, without MXNet."""

import json
from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.mxnet.convert import convert
from suites.meta.networks.mxnet_files import Net, Op, list_bytes, symbol_of

SIDE, BEST = 8, 10
CENTERNET = Net(
    "n",
    [
        Op("broadcast_mul", {}, ["data", "weight"]),
        Op("sigmoid", {}, [0]),
        Op("Pooling", {"kernel": "(3, 3)", "pad": "(1, 1)", "pool_type": "max", "stride": "(1, 1)"}, [1]),
        Op("broadcast_equal", {}, [1, 2]),
        Op("elemwise_mul", {}, [1, 3]),
        Op("Reshape", {"shape": "(0, -1)"}, [4]),
        Op("topk", {"axis": "1", "k": str(BEST), "ret_typ": "both"}, [5]),
        Op("_div_scalar", {"scalar": str(SIDE**2)}, [(6, 1)]),
        Op("floor", {}, [7]),
        Op("_mul_scalar", {"scalar": str(SIDE**2)}, [8]),
        Op("elemwise_sub", {}, [(6, 1), 9]),
    ],
    {"data": (1, 3, SIDE, SIDE), "weight": (1, 1, 1, 1)},
)
"""CenterNet's decoding: peaks of a heat map by max pooling, the best of them, their classes and cells."""


def decoded(data: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return scores, classes and cells of the best peaks of a heat map, (1, C, H, W)."""
    heat = 1 / (1 + np.exp(-data[0].astype(np.float64)))
    padded = np.pad(heat, [(0, 0), (1, 1), (1, 1)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (1, 3, 3))
    peaks = np.where(heat == windows.max(axis=(3, 4, 5)), heat, 0).ravel()
    best = np.argsort(-peaks, kind="stable")[:BEST]
    return peaks[best], best // SIDE**2, best % SIDE**2


@pytest.mark.parametrize("opset", [10, 13, 17])
def test_the_decoding_of_centernet(opset: int, tmp_path: Path) -> None:
    """Topk with both results, floor and a remainder of indices: ten scores, their classes and their cells."""
    symbol, params = tmp_path / "net-symbol.json", tmp_path / "net-0000.params"
    text = symbol_of([CENTERNET])
    names = [node["name"] for node in text["nodes"]]
    text["heads"] = [[names.index(name), 0, 0] for name in ("n_6", "n_8", "n_10")]
    symbol.write_text(json.dumps(text))
    params.write_bytes(list_bytes({"arg:n_weight": np.ones((1, 1, 1, 1), np.float32)}))
    import onnxruntime

    data = np.random.default_rng(0).standard_normal((1, 3, SIDE, SIDE)).astype(np.float32)
    model = convert(symbol, params, {"n_data": data.shape}, opset)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    scores, classes, cells = session.run(None, {"n_data": data})
    right = decoded(data)
    np.testing.assert_allclose(scores[0], right[0], rtol=0, atol=1e-6)
    np.testing.assert_array_equal([classes[0], cells[0]], right[1:])
    assert len(set(right[1])) > 1
