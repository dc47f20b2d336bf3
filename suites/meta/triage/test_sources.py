"""What each framework has inside is found under the ONNX model's names, and a planted error by it."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.triage import Bench, pipeline
from fixtures.triage.cells import worst_sample
from fixtures.triage.graph import Graph
from fixtures.triage.runs import InOnnxRuntime, apart
from fixtures.triage.sources import right_values
from reference_models.model import Source

if missing := [name for name in ("torch", "cv2", "mxnet") if find_spec(name) is None]:
    pytest.skip(f"{missing[0]} is not installed; run `tox run -e meta`", allow_module_level=True)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Plants errors into networks of all three frameworks."""
    return Bench(pipeline(tmp_path_factory.mktemp("triage")))


NETS = {"digits": 3, "digits-yolov3-tiny": 6, "gender-age": 2}


@pytest.mark.parametrize("net", NETS)
def test_every_tensor_of_a_sound_network_is_known_and_right(net: str, bench: Bench) -> None:
    """At the borders of layers, folded BatchNorms included; and planted errors are named."""
    graph, right, feed = bench.question(net, "source")
    assert [name for name in graph.variables if name not in right] == []
    values = InOnnxRuntime(graph.folder)(graph.part(feed, graph.variables), feed)
    assert max(apart(right[name], value) for name, value in values.items()) < 1e-5
    score = bench.score(net, "source", each=NETS[net], seed=1)
    assert score.seen > 0
    assert score.named == score.seen, score.wrong


def test_modules_that_are_called_twice_and_sums_in_forward_are_known() -> None:
    """The exporter numbers the calls; what a module is given that no module made is what its nodes read."""
    import torch

    from fixtures.converters.pytorch.convert import convert
    from suites.meta.triage.modules import Twice

    module = Twice().eval()
    feed = {"x": np.random.default_rng(0).standard_normal((1, 4, 6, 6)).astype(np.float32)}
    model = convert(module, feed, ["y"], 13, "torchscript", simplified=True)
    graph = Graph(model, Path())
    right = right_values("pytorch", _source(module), graph, feed)
    assert [name for name in graph.variables if name not in right] == []
    values = InOnnxRuntime(Path())(graph.part(feed, graph.variables), feed)
    assert max(apart(right[name], value) for name, value in values.items()) < 1e-5
    with torch.no_grad():
        assert np.allclose(right["y"], module(torch.from_numpy(feed["x"])).numpy())


def _source(module: object) -> Source:
    return Source("", "own", module=module)


def test_the_sample_that_differs_most_is_looked_into() -> None:
    """By its worst output."""
    right = [{"a": np.ones(3), "b": np.ones(3)} for _ in range(3)]
    actual = [{"a": np.ones(3), "b": np.ones(3) * factor} for factor in (1.1, 1.5, 1.0)]
    assert worst_sample(right, actual) == 1
