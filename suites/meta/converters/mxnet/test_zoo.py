"""The MXNet zoo: published sizes, sane outputs, and the traps of released files, all as MXNet builds them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.mxnet.params import Parameters
from fixtures.converters.mxnet.params import read as read_params
from reference_models import registry
from reference_models.mxnet import process
from reference_models.mxnet.zoo import gluon
from reference_models.mxnet.zoo.catalog import ZOO
from suites.meta.networks import mxnet_zoo_files
from suites.meta.networks.mxnet_zoo_files import WITHOUT_MXNET, Outputs, Small, small

pytestmark = WITHOUT_MXNET
PUBLISHED = {
    "mtcnn-p": 6_632, "resnet18_v1": 11_699_112, "resnet18_v2": 11_695_796, "resnet50_v1": 25_629_032,
    "mobilenet1.0": 4_253_864, "mobilenetv2_1.0": 3_539_136, "vgg11_bn": 132_874_344,
    "densenet121": 8_062_504, "squeezenet1.1": 1_235_496, "inceptionv3": 23_869_000, "alexnet": 61_100_840,
}  # fmt: skip
"""Parameters, statistics included: the table in the documentation of mxnet.gluon.model_zoo.vision (1.4);
mtcnn.readthedocs.io has the layers of P."""
MILLIONS = {"mtcnn-r": (0.1, 1), "mtcnn-o": (0.389, 3), "mobilefacenet": (1.0, 1), "arcface-r50": (43.6, 1)}
"""Where only a rounded number is published, and its digits: Open Model Zoo has R and O, papers the others."""
SLOPES = {"arcface-r50", "mobilefacenet", "mtcnn-p", "mtcnn-r", "mtcnn-o"}
FIXED = {"arcface-r50", "mobilefacenet", "resnet18_v2"}
ZEROED = {
    "arcface-r50", "mobilefacenet", "retinaface-mnet025", "resnet18_v1", "resnet18_v2", "resnet50_v1",
    "mobilenet1.0", "mobilenetv2_1.0", "vgg11_bn", "densenet121", "inceptionv3",
}  # fmt: skip
"""Networks with PReLU, with a BatchNorm that ignores its gamma, with variances of exactly 0."""
SLOW = {"vgg11_bn", "inceptionv3", "alexnet", "densenet121"}
"""Built once only."""


@pytest.fixture(scope="module", params=ZOO)
def net(request: pytest.FixtureRequest) -> Small:
    """Each network in its small form."""
    return small(request.param)


def stored(net: Small) -> Parameters:
    """Return what the .params file holds."""
    return read_params(net.source.files["params"])


def sane(samples: list[Outputs]) -> bool:
    """Outputs are of order 1 and differ between samples; probabilities are neither equal nor certain."""
    for name in samples[0]:
        first, second = (sample[name].astype(np.float64) for sample in samples)
        norm = float(np.sqrt(np.mean(first**2)))
        certain = "prob" in name and bool(((first < 1e-3) | (first > 1 - 1e-3)).any())
        apart = float(np.linalg.norm(first - second) / np.linalg.norm(first))
        if certain or not (0.1 < norm < 20 and 0.03 < apart < 10):
            return False
    return True


def test_outputs_are_sane(net: Small) -> None:
    """Neither vanished, overflown, saturated nor the same for every image."""
    assert sane(net.outputs)


@pytest.mark.parametrize(
    ("first", "second"), [(1.0, 1.0), (0.01, 0.02), (100.0, 50.0), (np.nan, 1.0), (0.5, np.nan)]
)
def test_outputs_that_are_not_sane_are_seen(first: float, second: float) -> None:
    """Constant, vanished, overflown and undefined outputs are not taken for sane ones."""
    assert not sane([{"y": np.full((1, 4), value)} for value in (first, second)])


def test_certain_probabilities_are_seen() -> None:
    """A softmax that is saturated anywhere is not sane."""
    certain, open_ = np.array([[0.9999, 0.0001]]), np.array([[0.7, 0.3]])
    assert sane([{"prob1": open_}, {"prob1": 1 - open_}])
    assert not sane([{"prob1": certain}, {"prob1": open_}])


def test_outputs_are_named_as_mxnet_names_them(net: Small) -> None:
    """The catalog's names are those that MXNet lists, in its order, with a batch of 1."""
    for outputs in net.outputs:
        assert tuple(outputs) == ZOO[net.name].outputs
        assert {len(array) for array in outputs.values()} == {1}


def test_every_network_is_a_reference_model() -> None:
    """Each is a row of the tier zoo, by its own name."""
    rows = {name: row for name, row in registry.models().items() if name in ZOO}
    assert rows.keys() == ZOO.keys()
    assert {(row.framework, row.tier) for row in rows.values()} == {("mxnet", "zoo")}


def test_networks_are_as_large_as_published() -> None:
    """At their published sizes they have as many parameters as their authors say."""
    sizes = mxnet_zoo_files.sizes()
    assert {name: sizes[name] for name in PUBLISHED} == PUBLISHED
    rounded = {name: round(sizes[name] / 1e6, digits) for name, (_, digits) in MILLIONS.items()}
    assert rounded == {name: millions for name, (millions, _) in MILLIONS.items()}
    assert sizes.keys() - PUBLISHED.keys() - MILLIONS.keys() == {"retinaface-mnet025"}


def test_retinaface_crops_what_it_upsamples() -> None:
    """Maps of odd sides, so that the Crop is no identity: 5 becomes 10, of which 9 are kept."""
    sides = {name: array.shape[2:] for name, array in small("retinaface-mnet025").outputs[0].items()}
    for stride, side in {32: 5, 16: 9, 8: 18}.items():
        of_stride = {shape for name, shape in sides.items() if f"stride{stride}_" in name}
        assert of_stride == {(side, side)}


@pytest.mark.parametrize("name", ["retinaface-mnet025", "mtcnn-p", "mtcnn-r", "mtcnn-o"])
def test_scores_are_probabilities(name: str) -> None:
    """Background and face sum to 1."""
    for outputs in small(name).outputs:
        for scores in (array for output, array in outputs.items() if "prob" in output):
            pairs = scores.reshape(1, 2, -1)
            assert np.allclose(pairs.sum(1), 1, atol=1e-6)


def test_prelu_slopes_differ(net: Small) -> None:
    """Each channel has a slope of its own between 0.1 and 0.4."""
    nodes, arrays = net.nodes, stored(net).arg
    leaky = [node for node in nodes if node["op"] == "LeakyReLU"]
    slopes = [arrays[nodes[node["inputs"][1][0]]["name"]] for node in leaky]
    assert bool(slopes) == (net.name in SLOPES)
    for slope in slopes:
        assert 0.1 <= slope.min() < slope.max() <= 0.4


def test_ignored_gammas_are_not_1(net: Small) -> None:
    """Wherever MXNet multiplies by 1 the file says something else, as released files do."""
    nodes, arrays = net.nodes, stored(net).arg
    norms = [node for node in nodes if node["op"] == "BatchNorm"]
    fixed = [node for node in norms if node["attrs"].get("fix_gamma", "True") == "True"]
    gammas = [arrays[nodes[node["inputs"][1][0]]["name"]] for node in fixed]
    assert bool(gammas) == (net.name in FIXED)
    assert not any(bool((gamma == 1).any()) for gamma in gammas)


def test_a_few_variances_are_exactly_0(net: Small) -> None:
    """As in trained networks whose channels died, so that epsilon counts."""
    variances = [array for name, array in stored(net).aux.items() if name.endswith("var")]
    zeros = sum(int((variance == 0).sum()) for variance in variances)
    assert zeros == (3 if net.name in ZEROED else 0)


def test_another_run_gives_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files depend neither on what was built before nor on the processor whose sums MXNet uses."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")  # any x86 can; its float32 products differ
    names = [name for name in reversed(ZOO) if name not in SLOW]
    process.run("reference_models.mxnet.zoo", *names, "--small", "--output", str(tmp_path))
    assert [process.source(tmp_path, name).digest for name in names] == [
        small(n).source.digest for n in names
    ]
    for file in tmp_path.iterdir():
        file.unlink()


def test_a_width_that_gluon_does_not_have_is_refused() -> None:
    """The error names the network."""
    with pytest.raises(ValueError, match="AlexNet comes in one width, not 1/2 of it"):
        gluon.fixed("AlexNet")(None, 224, 2)


def test_an_unknown_name_is_refused() -> None:
    """The child's usage reaches the one who asked."""
    with pytest.raises(ImportError, match="invalid choice: 'lenet'"):
        process.run("reference_models.mxnet.zoo", "lenet", "--output", ".")


def test_arcface_has_fifty_layers() -> None:
    """Convolutions outside of shortcuts, and the dense layer; four stages halve 112 to 7."""
    nodes = small("arcface-r50").nodes
    layers = [n for n in nodes if n["op"] in {"Convolution", "FullyConnected"} and "sc" not in n["name"]]
    assert len(layers) == 50
    assert sum(json.dumps(n["attrs"]).count('"stride": "(2, 2)"') for n in layers) == 4
