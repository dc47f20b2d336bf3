"""Files that hold more than inference needs, or less; inputs without names or batches; broken parameters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from fixtures.commands.convert_mxnet import main
from fixtures.converters.errors import ConversionError
from fixtures.converters.mxnet.convert import convert, sole_input
from fixtures.converters.mxnet.writing import convert_to_file
from fixtures.converters.onnx_graph import note_of
from fixtures.runtimes import mxnet_process
from fixtures.verdicts import NotRun, StageError
from suites.meta.converters.mxnet.test_convert import error, run_onnx, source_of
from suites.meta.networks.mxnet_files import DENSE, Net, Op, Shape, list_bytes, one, write

IMAGE = (1, 3, 8, 8)
STATISTICS: dict[str, Shape] = {"gamma": (4,), "beta": (4,), "moving_mean": (4,), "moving_var": (4,)}
NETWORK = Net(
    "n",
    [
        Op("Convolution", {"kernel": "(3, 3)", "num_filter": "4"}, ["x", "weight", "bias"]),
        Op("BatchNorm", {"fix_gamma": "False"}, [0, *STATISTICS]),
        Op("Activation", {"act_type": "relu"}, [1]),
    ],
    {"x": IMAGE, "weight": (4, 3, 3, 3), "bias": (4,)} | STATISTICS,
)
SCORES, OFFSETS = (1, 3, 32), (1, 128)


def training() -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """An SSD as it is trained: scores, loss, targets and detections, of which two outputs need labels."""
    rows: list[tuple[str, str, dict[str, str], list[tuple[int, int]]]] = [
        ("null", "data", {}, []),
        ("null", "label", {}, []),
        ("null", "scores", {}, []),
        ("null", "offsets", {}, []),
        ("_contrib_MultiBoxPrior", "prior", {"sizes": "(0.3, 0.5)"}, [(0, 0)]),
        ("_contrib_MultiBoxTarget", "target", {}, [(4, 0), (1, 0), (2, 0)]),
        ("SoftmaxOutput", "cls_prob", {"multi_output": "True"}, [(2, 0), (5, 2)]),
        ("elemwise_sub", "difference", {}, [(3, 0), (5, 0)]),
        ("MakeLoss", "loc_loss", {}, [(7, 0)]),
        ("MakeLoss", "cls_label", {}, [(5, 2)]),
        ("_contrib_MultiBoxDetection", "detection", {}, [(6, 0), (3, 0), (4, 0)]),
    ]
    nodes = [
        {"op": op, "name": name, "attrs": attrs, "inputs": [[*edge, 0] for edge in edges]}
        for op, name, attrs, edges in rows
    ]
    random = np.random.RandomState(0)
    stored = {f"arg:{name}": random.randn(*shape).astype(np.float32)
              for name, shape in {"scores": SCORES, "offsets": OFFSETS}.items()}  # fmt: skip
    heads = [[6, 0, 0], [8, 0, 0], [9, 0, 0], [10, 0, 0]]
    return {"nodes": nodes, "arg_nodes": [0, 1, 2, 3], "heads": heads}, stored


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, Path]:
    """Files of the SSD as it is trained."""
    symbol, params = tmp_path / "ssd-symbol.json", tmp_path / "ssd-0000.params"
    document, stored = training()
    symbol.write_text(json.dumps(document))
    params.write_bytes(list_bytes(stored))
    return symbol, params


def with_arrays(folder: Path, net: Net, more: dict[str, np.ndarray]) -> tuple[Path, Path]:
    """Write a network whose parameter file holds other arrays too, or others instead."""
    symbol, params = write(folder, [net])
    params.write_bytes(list_bytes(net.stored() | more))
    return symbol, params


def test_arrays_that_no_output_needs_are_left_out_and_named(tmp_path: Path) -> None:
    """The model is that of the exact file; its metadata says what was left."""
    exact = convert(*write(tmp_path, [DENSE]), {"n_x": (3, 7)}, 13)
    more = {"arg:old_weight": np.ones((2, 2), np.float32), "aux:old_moving_var": np.ones(2, np.float32)}
    model = convert(*with_arrays(tmp_path, DENSE, more), {"n_x": (3, 7)}, 13)
    assert note_of(exact) == ""
    left = "net-0000.params: left out 2 arrays that the outputs do not need: old_moving_var, old_weight"
    assert note_of(model) == left
    assert model.graph == exact.graph


def test_many_arrays_are_counted(tmp_path: Path) -> None:
    """A note names the first and says how many more there are."""
    more = {f"arg:old_{k:03}": np.ones(1, np.float32) for k in range(300)}
    model = convert(*with_arrays(tmp_path, DENSE, more), {"n_x": (3, 7)}, 13)
    assert note_of(model).endswith("do not need: old_000, old_001, old_002, old_003, old_004 and 295 more")


def test_the_command_says_what_it_left_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One line on stderr, exit code 0, and the file says it too."""
    files = with_arrays(tmp_path, DENSE, {"arg:old": np.ones(1, np.float32)})
    call = [*map(str, files), "--input", "3x7", "-q", "-o", str(tmp_path / "a.onnx")]
    assert main(call) == 0
    said = capfd.readouterr().err
    assert said == "net-0000.params: left out 1 array that the outputs do not need: old\n"
    assert note_of(onnx.load(tmp_path / "a.onnx")) == said.strip()


def run_mxnet(
    files: tuple[Path, Path], sample: dict[str, np.ndarray], outputs: list[str]
) -> dict[str, np.ndarray]:
    """Let MXNet run the network."""
    try:
        (found,) = mxnet_process.run(source_of(*files), [sample], outputs=outputs)
    except NotRun as reason:
        pytest.skip(str(reason))
    return found


def test_the_source_runtime_takes_what_the_network_needs(tmp_path: Path) -> None:
    """MXNet runs a cut network with the file of the whole one."""
    files = with_arrays(
        tmp_path, DENSE, {"arg:old": np.ones(1, np.float32), "aux:old": np.ones(1, np.float32)}
    )
    files[1].write_bytes(list_bytes(DENSE.stored() | {"arg:old": np.ones(1, np.float32)}))
    found = run_mxnet(files, DENSE.inputs(), DENSE.outputs)
    made = run_onnx(convert(*files, {"n_x": (3, 7)}, 13), DENSE.inputs())
    assert error(made["n_0_output"], found["n_0_output"]) <= 1e-5


def test_the_source_runtime_needs_every_value(tmp_path: Path) -> None:
    """A parameter without values fails, as it does in the converter: MXNet would run on what memory holds."""
    files = write(tmp_path, [DENSE])
    files[1].write_bytes(list_bytes({"arg:n_weight": DENSE.stored()["arg:n_weight"]}))
    with pytest.raises(StageError, match="1 parameters have no values: n_bias"):
        run_mxnet(files, DENSE.inputs(), DENSE.outputs)


def test_outputs_of_training_are_left_out(trained: tuple[Path, Path]) -> None:
    """Scores and detections of a training network convert to what MXNet computes; labels are not needed."""
    sample = {"data": np.zeros((1, 3, 4, 4), np.float32)}
    model = convert(*trained, {"data": (1, 3, 4, 4)}, 13)
    outputs = ["cls_prob_output", "detection_output"]
    assert [output.name for output in model.graph.output] == outputs
    assert "left out the outputs of loc_loss, cls_label, which depend on targets" in note_of(model)
    expected = run_mxnet(trained, sample, outputs)
    made = run_onnx(model, sample)
    assert max(error(made[name], expected[name]) for name in outputs) <= 1e-5


def test_a_network_of_training_alone_is_refused(trained: tuple[Path, Path]) -> None:
    """Where every output needs targets, the operator that makes them is named."""
    document = json.loads(trained[0].read_text())
    document["heads"] = document["heads"][1:3]
    trained[0].write_text(json.dumps(document))
    with pytest.raises(
        ConversionError, match=r"node 'target' \(_contrib_MultiBoxTarget\): it makes the targ"
    ):
        convert(*trained, {"data": (1, 3, 4, 4)}, 13)


def test_an_input_without_a_name_is_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where weights are missing: they are named, and not a list of all variables."""
    files = write(tmp_path, [NETWORK])
    assert sole_input(*files) == "n_x"
    files[1].write_bytes(list_bytes({}))
    assert sole_input(*files) == "n_x"
    assert main([*map(str, files), "--input", "1x3x8x8", "-o", str(tmp_path / "a.onnx")]) == 1
    said = capsys.readouterr().err
    assert "'n_weight' has no values in the .params file" in said
    assert len(said) < 300


def test_inputs_without_names_are_listed_in_short(tmp_path: Path) -> None:
    """Several data inputs: the first five are named, and how many more there are."""
    names = [f"x{k}" for k in range(200)]
    net = Net("n", [Op("add_n", {}, names)], dict.fromkeys(names, (2, 3)))
    with pytest.raises(
        ConversionError, match=r"there are 200: n_x0, .*n_x4 and 195 more\. Give --input"
    ) as caught:
        sole_input(*write(tmp_path, [net]))
    assert len(str(caught.value)) < 300


FLAT = one("n", "FullyConnected", {"num_hidden": "5"}, x=(1, 3, 4, 4), weight=(5, 48), bias=(5,))
POOL = one("n", "Pooling", {"kernel": "(2, 2)"}, x=IMAGE)


@pytest.mark.parametrize("net", [NETWORK, FLAT, POOL], ids=["conv", "dense", "pool"])
def test_a_missing_batch_axis_is_called_that(net: Net, tmp_path: Path) -> None:
    """Whatever operator trips on it first, the message gives the shape to give."""
    shape = net.shapes["x"]
    right = "x".join(map(str, shape))
    with pytest.raises(
        ConversionError, match=f"node 'n_0' .*The batch axis seems to be missing, .*: --input n_x:{right}"
    ):
        convert(*write(tmp_path, [net]), {"n_x": shape[1:]}, 13)


def test_another_error_stays_itself(tmp_path: Path) -> None:
    """A shape that a batch axis does not mend is told of as before."""
    with pytest.raises(ConversionError, match="does not go with the input"):
        convert(*write(tmp_path, [NETWORK]), {"n_x": (8, 8)}, 13)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", [name for name in NETWORK.shapes if name != "x"])
def test_a_broken_parameter_is_refused_by_node_and_name(name: str, value: float, tmp_path: Path) -> None:
    """NaN and infinite values of any parameter that the outputs need, before any warning of NumPy."""
    stored = NETWORK.stored()
    (key,) = [key for key in stored if key.endswith(f":n_{name}")]
    stored[key].flat[-1] = value
    with pytest.raises(
        ConversionError, match=rf"node 'n_[01]' \(\w+\): 'n_{name}': 1 of \d+ values are .*allow"
    ):
        convert(*with_arrays(tmp_path, NETWORK, stored), {"n_x": IMAGE}, 13)


@pytest.mark.parametrize("value", [-1e-9, -3.0])
def test_a_negative_variance_is_refused(value: float, tmp_path: Path) -> None:
    """Also one for which eps makes up."""
    stored = NETWORK.stored()
    stored["aux:n_moving_var"][1] = value
    with pytest.raises(ConversionError, match=r"'n_moving_var': 1 of 4 values are negative, .* at \(1,\)"):
        convert(*with_arrays(tmp_path, NETWORK, stored), {"n_x": IMAGE}, 13)


def test_broken_numbers_that_are_not_needed_do_no_harm(tmp_path: Path) -> None:
    """An array of a part that was cut off may hold anything."""
    more = {"arg:old": np.full(3, np.nan, np.float32)}
    assert convert(*with_arrays(tmp_path, NETWORK, more), {"n_x": IMAGE}, 13)


def test_float64_beyond_float32_is_refused(tmp_path: Path) -> None:
    """A value that is finite as it is stored, and infinite as MXNet binds it."""
    stored = {"arg:n_bias": np.full(5, 1e300)}
    with pytest.raises(ConversionError, match="'n_bias': 5 of 5 values are NaN or infinite"):
        convert(*with_arrays(tmp_path, DENSE, stored), {"n_x": (3, 7)}, 13)


def test_values_that_fold_beyond_float32_are_refused(tmp_path: Path) -> None:
    """Nothing is written, and the layer is named."""
    stored = NETWORK.stored()
    stored["arg:n_gamma"][:], stored["arg:n_weight"][:] = 1e30, 1e30
    files, target = with_arrays(tmp_path, NETWORK, stored), tmp_path / "a.onnx"
    with pytest.raises(ConversionError, match=r"'n_0' .*the weights with BatchNorm folded in: 108 of 108"):
        convert_to_file(*files, {"n_x": IMAGE}, 13, target)
    assert not target.exists()


def test_broken_parameters_are_converted_where_allowed(tmp_path: Path) -> None:
    """By the option of the command, which the message names; the values are as stored."""
    stored = NETWORK.stored()
    stored["arg:n_weight"][0], stored["aux:n_moving_var"][1] = np.nan, -3.0
    files, target = with_arrays(tmp_path, NETWORK, stored), tmp_path / "a.onnx"
    call = [*map(str, files), "--input", "1x3x8x8", "-q", "-o", str(target)]
    assert main(call) == 1
    assert main([*call, "--allow-nonfinite"]) == 0
    weight = next(t for t in onnx.load(target).graph.initializer if t.name.endswith("weight"))
    broken = np.isnan(numpy_helper.to_array(weight)).reshape(4, -1)
    assert broken.all(axis=1).tolist() == [True, True, False, False]
    assert broken.any(axis=1).tolist() == [True, True, False, False]
