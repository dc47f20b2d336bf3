"""Holds the MXNet converter to MXNet itself, operator by operator and on the gender-age network."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.commands.convert_mxnet import main
from fixtures.converters.dynamic_batch import with_dynamic_batch
from fixtures.converters.errors import ConversionError
from fixtures.converters.mxnet.convert import convert
from fixtures.converters.mxnet.params import read as read_params
from fixtures.converters.mxnet.symbol import read as read_symbol
from fixtures.runtimes import mxnet_process
from fixtures.verdicts import NotRun
from reference_models.model import Source, Tensors
from reference_models.mxnet.gender_age import MODEL
from suites.meta.networks.mxnet_files import DENSE, Net, list_bytes, symbol_of, write
from suites.meta.networks.mxnet_nets import CONVERTED, GROWS, IMAGE, SINCE

Outputs = Mapping[str, np.ndarray]
TOLERANCE = 1e-5  # greatest absolute difference by greatest reference value
OPSETS = (10, 11, 12, 13, 17, 21)
NODES_AT = 13
"""The opset at which the nodes of each net are counted."""
BATCHED = (
    "reshape_keep", "reshape_rest", "reshape_join_rest", "reshape_split", "reshape_mtcnn",
    "reshape_target", "ssd_transpose", "slice_axis", "split_squeeze", "broadcast_to", "flip", "stack",
    "tile_last", "repeat", "sum", "argmax", "topk_both", "sort", "cumsum", "batch_dot",
    "pick_axis", "squeeze_last", "ssd_default", "ssd_topk", "ssd_forced", "ssd_all_kept",
)  # fmt: skip


def source_of(symbol: Path, params: Path) -> Source:
    """Wrap two files."""
    return Source("", "seeded", {"symbol": symbol, "params": params})


def run_onnx(model: onnx.ModelProto, sample: Tensors) -> dict[str, np.ndarray]:
    """Check the model in full, run it in ONNX Runtime, give its outputs by name."""
    import onnxruntime

    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(sample)), strict=True))


def error(found: np.ndarray, reference: np.ndarray) -> float:
    """Greatest absolute difference by greatest reference value, if not 0; shape and type must be equal."""
    assert (found.shape, found.dtype) == (reference.shape, reference.dtype)
    found, reference = found.astype(np.float64), reference.astype(np.float64)
    return float(np.abs(found - reference).max() / (np.abs(reference).max() or 1.0))


def convert_net(net: Net, folder: Path, opset: int = 13) -> onnx.ModelProto:
    """Write one net's files and convert them."""
    shapes = {name: array.shape for name, array in net.inputs().items()}
    return convert(*write(folder, [net]), shapes, opset)


def hold_nodes(model: onnx.ModelProto, net: Net) -> None:
    """Fail where a net grows beyond its row, or a node does not say what it was made from."""
    assert max(0, len(model.graph.node) - len(net.ops)) == GROWS.get(net.name, 0)
    for node in model.graph.node:
        assert node.doc_string.startswith(f"mxnet node '{net.name}_")


@pytest.fixture(scope="module")
def mxnet_outputs(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """Let MXNet run all nets side by side, once."""
    folder = tmp_path_factory.mktemp("nets")
    sample = {name: array for net in CONVERTED for name, array in net.inputs().items()}
    try:
        (outputs,) = mxnet_process.run(source_of(*write(folder, CONVERTED)), [sample])
    except NotRun as reason:
        pytest.skip(str(reason))
    return outputs


@pytest.fixture(scope="module")
def gender_age(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Build the network's files."""
    try:
        return MODEL.build(tmp_path_factory.mktemp("gender-age"))
    except ImportError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def samples() -> list[Tensors]:
    """Two seeded images, blocks and noise, 0..255: photos need more than MXNet."""
    random = np.random.RandomState(0)
    blocks = random.uniform(0, 255, (1, 3, 14, 14)).repeat(8, 2).repeat(8, 3)
    noise = random.uniform(0, 255, (1, 3, 112, 112))
    return [{"data": image.astype(np.float32)} for image in (blocks, noise)]


@pytest.fixture(scope="module")
def references(gender_age: Source, samples: list[Tensors]) -> list[dict[str, np.ndarray]]:
    """Let MXNet run the network."""
    return mxnet_process.run(gender_age, samples, outputs=MODEL.outputs)


@pytest.mark.parametrize("net", CONVERTED, ids=lambda net: net.name)
def test_operator(net: Net, mxnet_outputs: Outputs, tmp_path: Path) -> None:
    """It gives MXNet's values at every opset under MXNet's name, in no more nodes than said.

    All opsets of a net are one test: thousands would take longer to be managed than to be run.
    """
    files, inputs = write(tmp_path, [net]), net.inputs()
    shapes = {name: array.shape for name, array in inputs.items()}
    off: dict[int, float] = {}
    for opset in OPSETS[bisect_left(OPSETS, SINCE.get(net.name, 0)) :]:
        model = convert(*files, shapes, opset)
        if opset == NODES_AT:
            hold_nodes(model, net)
        found = run_onnx(model, inputs)
        assert list(found) == net.outputs, opset
        off[opset] = max(error(found[name], mxnet_outputs[name]) for name in net.outputs)
    assert NODES_AT in off
    assert {opset: by for opset, by in off.items() if not by <= TOLERANCE} == {}


@pytest.mark.parametrize("name", SINCE)
def test_older_opset(name: str, tmp_path: Path) -> None:
    """A net that needs a newer operator of ONNX is refused below its opset, by name."""
    net = next(net for net in CONVERTED if net.name == name)
    with pytest.raises(
        ConversionError, match=f"opset {SINCE[name] - 1} has no .*, it came with {SINCE[name]}"
    ):
        convert_net(net, tmp_path, SINCE[name] - 1)


@pytest.mark.parametrize("name", BATCHED)
def test_dynamic_batch(name: str, tmp_path: Path) -> None:
    """A net that keeps the batch can have a dynamic one, which gives what the static ones give."""
    net = next(net for net in CONVERTED if net.name == name)
    files = write(tmp_path, [net])
    shapes = {f"{name}_{variable}": shape[1:] for variable, shape in net.shapes.items()}
    random = np.random.RandomState(0)
    sample = {key: random.uniform(-2, 2, (5, *rest)).astype(np.float32) for key, rest in shapes.items()}

    def at(size: int) -> onnx.ModelProto:
        return convert(*files, {key: (size, *rest) for key, rest in shapes.items()}, 13)

    expected, found = run_onnx(at(5), sample), run_onnx(with_dynamic_batch(at), sample)
    assert all(np.array_equal(found[output], expected[output]) for output in net.outputs)


def test_deconvolution_3d(tmp_path: Path) -> None:
    """MXNet's CPU has no 3-D Deconvolution: with one plane and a flat kernel ours is the 2-D one."""
    flat = next(net for net in CONVERTED if net.name == "deconv_adj")
    sizes = {"kernel": "(1, 3, 3)", "stride": "(1, 2, 2)", "pad": "(0, 1, 1)", "adj": "(0, 1, 1)"}
    shapes = {name: (*shape[:2], 1, *shape[2:]) for name, shape in flat.shapes.items()}
    deep = replace(flat, ops=[replace(flat.ops[0], attrs=dict(flat.ops[0].attrs) | sizes)], shapes=shapes)
    (found,) = run_onnx(convert_net(deep, tmp_path), deep.inputs()).values()
    (expected,) = run_onnx(convert_net(flat, tmp_path), flat.inputs()).values()
    assert error(found[:, :, 0], expected) <= TOLERANCE


def test_norm_that_mxnet_dropped(tmp_path: Path) -> None:
    """CuDNNBatchNorm, which MXNet 1.9.1 lacks, is converted and folded as BatchNorm is."""
    old = replace(FOLD, ops=[FOLD.ops[0], replace(FOLD.ops[1], op="CuDNNBatchNorm")])
    first, second = convert_net(FOLD, tmp_path).graph, convert_net(old, tmp_path).graph
    assert list(first.initializer) == list(second.initializer)
    assert [node.op_type for node in second.node] == ["Conv"]


def test_side_by_side(mxnet_outputs: Outputs, tmp_path: Path) -> None:
    """All nets in one network, with an input and an output each, convert as they do alone."""
    symbol, params = write(tmp_path, CONVERTED)
    sample = {name: array for net in CONVERTED for name, array in net.inputs().items()}
    model = convert(symbol, params, {name: a.shape for name, a in sample.items()}, 13)
    found = run_onnx(model, sample)
    assert list(found) == [name for net in CONVERTED for name in net.outputs]
    assert max(error(found[name], mxnet_outputs[name]) for name in found) <= TOLERANCE


@pytest.mark.parametrize("opset", OPSETS)
def test_gender_age(
    opset: int,
    gender_age: Source,
    samples: list[Tensors],
    references: list[dict[str, np.ndarray]],
) -> None:
    """The whole network gives MXNet's values, gender and age at every opset."""
    model = convert(gender_age.files["symbol"], gender_age.files["params"], MODEL.inputs, opset)
    assert len(model.graph.node) <= read_symbol(gender_age.files["symbol"]).operators
    assert MODEL.decode is not None
    for sample, reference in zip(samples, references, strict=True):
        found = run_onnx(model, sample)
        assert tuple(found) == MODEL.outputs
        assert error(found["fc1_output"], reference["fc1_output"]) <= TOLERANCE
        decoded, expected = MODEL.decode(found), MODEL.decode(reference)
        assert {k: v.tolist() for k, v in decoded.items()} == {k: v.tolist() for k, v in expected.items()}


def test_gender_age_is_the_released_network(gender_age: Source) -> None:
    """The network has the released one's size, traps included."""
    stored = read_params(gender_age.files["params"])
    assert sum(array.size for array in stored.all.values()) == 272_546
    assert len(read_symbol(gender_age.files["symbol"]).nodes) == 236
    gammas = [a for name, a in stored.arg.items() if name.endswith("batchnorm_gamma")]
    assert len(gammas) == 27
    assert not any((gamma == 1).any() for gamma in gammas)
    variances = [a for name, a in stored.aux.items() if name.endswith("moving_var")]
    assert sum(int((variance == 0).sum()) for variance in variances) == 3


def test_gender_age_is_built_alike(gender_age: Source, tmp_path: Path) -> None:
    """A second build gives the same bits."""
    assert MODEL.build(tmp_path).digest == gender_age.digest


@pytest.mark.parametrize("trap", [{"fix_gamma": "False"}, {"eps": "1e-05"}], ids=str)
def test_batch_norm_trap(
    trap: Mapping[str, str],
    gender_age: Source,
    samples: list[Tensors],
    references: list[dict[str, np.ndarray]],
    tmp_path: Path,
) -> None:
    """A converter that used the stored gamma, or another default eps, would be far off."""
    document = json.loads(gender_age.files["symbol"].read_text())
    for node in document["nodes"]:
        if node["op"] == "BatchNorm":
            node["attrs"] = node.get("attrs", {}) | trap
    symbol = tmp_path / "trap-symbol.json"
    symbol.write_text(json.dumps(document))
    model = convert(symbol, gender_age.files["params"], MODEL.inputs, 13)
    found = run_onnx(model, samples[0])["fc1_output"]
    assert error(found, references[0]["fc1_output"]) > 100 * TOLERANCE


FOLD = next(net for net in CONVERTED if net.name == "fold")


@pytest.mark.parametrize("generation", ["param", "attr", "attrs"])
def test_generations(generation: str, tmp_path: Path) -> None:
    """The description of each MXNet generation gives the same model."""
    modern = convert_net(FOLD, tmp_path)
    document = symbol_of([FOLD])
    for node in document["nodes"]:
        node[generation] = node.pop("attrs", {}) | {"lr_mult": "2", "__shape__": "(0,)"}
        node["inputs"] = [edge[:2] for edge in node["inputs"]]
    document["heads"] = [edge[:2] for edge in document["heads"]]
    (tmp_path / "net-symbol.json").write_text(json.dumps(document))
    old = convert(tmp_path / "net-symbol.json", tmp_path / "net-0000.params", {"fold_x": IMAGE}, 13)
    assert old == modern


def test_statistics_that_are_no_nodes(tmp_path: Path) -> None:
    """Before MXNet 0.9 a BatchNorm had three inputs, and its statistics went by its own name."""
    modern = convert_net(FOLD, tmp_path)
    document = symbol_of([FOLD])
    del document["nodes"][-1]["inputs"][3:]
    (tmp_path / "net-symbol.json").write_text(json.dumps(document))
    arrays = {k.replace("fold_moving", "fold_1_moving"): v for k, v in FOLD.stored().items()}
    (tmp_path / "net-0000.params").write_bytes(list_bytes(arrays, "legacy"))
    old = convert(tmp_path / "net-symbol.json", tmp_path / "net-0000.params", {"fold_x": IMAGE}, 13)
    assert old == modern


def test_fp16_parameters(tmp_path: Path) -> None:
    """Parameters stored as float16 become float32, as MXNet makes them when it binds."""
    symbol, params = write(tmp_path, [DENSE])
    halves = {name: array.astype(np.float16) for name, array in DENSE.stored().items()}
    params.write_bytes(list_bytes(halves, "V1"))
    model = convert(symbol, params, {"n_x": (3, 7)}, 13)
    weight = onnx.numpy_helper.to_array(model.graph.initializer[0])
    assert weight.dtype == np.float32
    assert np.array_equal(weight, halves["arg:n_weight"].astype(np.float32))


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command names the single input by itself and writes the model."""
    symbol, params = write(tmp_path, [DENSE])
    output = tmp_path / "net.onnx"
    call = [str(symbol), str(params), "--input", "3x7", "--opset", "11", "-o", str(output)]
    assert main(call) == 0
    assert "net.onnx: opset 11, 1 nodes" in capsys.readouterr().out
    assert list(run_onnx(onnx.load(output), DENSE.inputs())) == ["n_0_output"]
