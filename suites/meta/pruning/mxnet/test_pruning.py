"""MXNet networks: the pruned one is the masked one, in ONNX Runtime and in MXNet, at every opset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.mxnet import params
from fixtures.converters.mxnet.convert import convert
from fixtures.pruning.costs import Cost, of_onnx
from fixtures.pruning.distance import distance
from fixtures.pruning.mxnet import comparison, files, rules
from fixtures.pruning.mxnet.files import MXNetSource, planned, write_masked, write_pruned
from fixtures.pruning.plan import Plan, Settings
from fixtures.pruning.strategies import STRATEGIES
from fixtures.pruning.table import channels_in_all
from fixtures.runtimes import mxnet_process
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models.model import Source
from reference_models.mxnet import digits_mobilenet, gender_age
from reference_models.mxnet.zoo.catalog import ZOO
from suites.meta.networks import mxnet_files, mxnet_zoo_files
from suites.meta.networks.mxnet_files import Net, Op
from suites.meta.networks.prunable_mxnet import CHAIN, NORM, NORM_INPUTS

ROUNDING = 5e-6
"""Relative L2. Measured: at most 1.1e-6 (retinaface-mnet025)."""


def freed(symbol: Path, stored: params.Parameters, folder: Path) -> MXNetSource:
    """Write a network whose gammas count, differ and have both signs."""
    random, document = np.random.default_rng(0), json.loads(symbol.read_bytes())
    gammas = set()
    for node in document["nodes"]:
        if node["op"] == "BatchNorm":
            node.setdefault("attrs", {})["fix_gamma"] = "False"
            gammas.add(document["nodes"][node["inputs"][1][0]]["name"])
    made = MXNetSource(folder / "net-symbol.json", folder / "net-0000.params")
    made.symbol.write_text(json.dumps(document))
    arrays = {}
    for name, array in stored.all.items():
        size = random.uniform(0.05, 1.5, array.shape) * random.choice([-1, 1], array.shape)
        kind = "aux" if name in stored.aux else "arg"
        arrays[f"{kind}:{name}"] = size.astype(np.float32) if name in gammas else array
    made.params.write_bytes(mxnet_files.list_bytes(arrays))
    return made


def of_the_zoo(name: str, folder: Path) -> tuple[MXNetSource, dict[str, np.ndarray]]:
    """Return a network of the zoo in its small form, its gammas free, and a sample."""
    small = mxnet_zoo_files.small(name)
    stored = params.read(small.source.files["params"])
    return freed(small.source.files["symbol"], stored, folder), small.samples[0]


def error(source: MXNetSource, plan: Plan, sample: dict[str, np.ndarray], folder: Path) -> float:
    """Return how far the pruned network is from the masked one in ONNX Runtime."""
    folder.mkdir()
    networks = (comparison.pruned(source, plan, folder), comparison.masked(source, plan, folder))
    return distance(*(comparison.run(one, [sample]) for one in networks))


CASES = [(name, "all") for name in ZOO]
CASES += [(name, one) for name in ("resnet18_v1", "resnet18_v2") for one in STRATEGIES if one != "all"]


@mxnet_zoo_files.WITHOUT_MXNET
@pytest.mark.parametrize(("name", "strategy"), CASES)
def test_pruned_is_masked_on_the_zoo(name: str, strategy: str, tmp_path: Path) -> None:
    """With carriers the outputs are equal within rounding; something goes wherever there is a BatchNorm."""
    source, sample = of_the_zoo(name, tmp_path)
    plan = planned(source, Settings(0.5, strategy))
    whole, left = channels_in_all(plan)
    assert left < whole or not whole
    assert error(source, plan, sample, tmp_path / "made") < ROUNDING


@mxnet_zoo_files.WITHOUT_MXNET
def test_a_gender_age_network_goes_the_whole_road(tmp_path: Path) -> None:
    """Pruned by half and rounded to 8: MXNet, and ONNX at every opset, give what the masked network gives."""
    built, sample = gender_age.build(tmp_path), gender_age.samples()[0]
    source = freed(built.files["symbol"], params.read(built.files["params"]), tmp_path)
    plan = planned(source, Settings(0.5, multiple=8))
    small = comparison.pruned(source, plan, tmp_path / "made")
    (expected,) = comparison.run(comparison.masked(source, plan, tmp_path), [sample])
    built = Source("", "seeded", {"symbol": small.symbol, "params": small.params})
    assert distance(mxnet_process.run(built, [sample]), [expected]) < ROUNDING
    for opset in (10, 11, 12, 13, 17):
        model = convert(small.symbol, small.params, {"data": sample["data"].shape}, opset)
        onnx.save(model, path := tmp_path / "net.onnx")
        assert distance(OnnxRuntime(path).run([sample]), [expected]) < ROUNDING, opset
    whole, left = channels_in_all(plan)
    assert left < whole


def test_costs_of_the_rows_are_those_of_the_graphs(tmp_path: Path) -> None:
    """Multiply-adds of layers whose BatchNorm went into the convolution count, too, dense and pruned."""
    source = MXNetSource(*(digits_mobilenet.FOLDER / name for name in digits_mobilenet.FILES))
    plan, sample = planned(source, Settings(0.5)), digits_mobilenet.samples()[0]
    small = comparison.pruned(source, plan, tmp_path / "made")
    rows = comparison.rows(source, small, plan, sample)
    for one, network in (("before", source), ("after", small)):
        told = sum((getattr(row, one) for row in rows), Cost())
        assert told.macs == of_onnx(comparison.graph(network, sample)).macs > 1e6
        assert told.parameters == sum(array.size for array in network.stored.values())


def written(made: Net, folder: Path) -> MXNetSource:
    """Write a network."""
    folder.mkdir(exist_ok=True)
    return MXNetSource(*mxnet_files.write(folder, [made]))


def test_a_carrier_is_exact_and_folding_has_nowhere_to_go(tmp_path: Path) -> None:
    """A last convolution without a bias takes no shift: with carriers it needs none, folding is refused."""
    source, sample = written(CHAIN, tmp_path), CHAIN.inputs()
    assert error(source, planned(source, Settings(0.5)), sample, tmp_path / "made") < ROUNDING
    plan = planned(source, Settings(0.5, mode="fold"))
    with pytest.raises(Exception, match=r"node 'n_3' \(Convolution\): has no bias.*--mode carrier"):
        write_pruned(source, plan, tmp_path / "small-symbol.json", tmp_path / "small.params")


def test_keeping_all_is_the_identity(tmp_path: Path) -> None:
    """With ratio 0 both files are the same to the bit; the masked parameters hold the same values."""
    source, plan = written(CHAIN, tmp_path), planned(written(CHAIN, tmp_path), Settings(0.0))
    made = tmp_path / "made-symbol.json", tmp_path / "made.params"
    write_pruned(source, plan, *made)
    assert made[0].read_bytes() == source.symbol.read_bytes()
    assert made[1].read_bytes() == source.params.read_bytes()
    write_masked(source, plan, made[1])
    for name, array in params.read(made[1]).all.items():
        np.testing.assert_array_equal(array, source.stored[name], err_msg=name)


WHOLE = {
    "fix_gamma": (Op("BatchNorm", {}, [0, *NORM_INPUTS]), "n_1 has fix_gamma, which says nothing"),
    "an unknown operator": (Op("softmax", {}, [0]), "read by n_1 (softmax)"),
}


@pytest.mark.parametrize(("op", "why"), WHOLE.values(), ids=WHOLE)
def test_what_cannot_be_removed_is_kept_and_said(op: Op, why: str, tmp_path: Path) -> None:
    """Gammas that MXNet ignores say nothing, and of an unknown operator nothing is known."""
    ops = (CHAIN.ops[0], op, *CHAIN.ops[2:])
    shapes = {n: s for n, s in CHAIN.shapes.items() if op.op == "BatchNorm" or n not in NORM}
    source = written(Net("n", ops, shapes), tmp_path)
    plan = planned(source, Settings(0.5))
    rows = comparison.rows(source, comparison.pruned(source, plan, tmp_path / "made"), plan, CHAIN.inputs())
    assert all(row.channels == row.left for row in rows)
    assert any(why in row.why for row in rows)


def test_a_constant_that_is_forgotten_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: without compensation the outputs are others."""
    source = written(CHAIN, tmp_path)
    plan = planned(source, Settings(0.5))
    cut = files._read
    monkeypatch.setattr(files, "_read", lambda p, n, w: (cut(p, n, w)[0] * np.float32(0.5), np.zeros(len(w))))
    assert error(source, plan, CHAIN.inputs(), tmp_path / "made") > 100 * ROUNDING


def test_every_operator_with_a_rule_is_one_that_converts() -> None:
    """No rule is about a name that MXNet's reader does not know."""
    from fixtures.converters.mxnet.operators import OPERATORS

    assert set(rules.TRACES) <= set(OPERATORS)
