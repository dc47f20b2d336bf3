"""Parameters and FLOPs that are reported are those counted in the ONNX graph, before and after."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.pruning.costs import of_onnx
from fixtures.pruning.darknet.costs import of_network
from fixtures.pruning.darknet.files import Source, planned, write_pruned
from fixtures.pruning.darknet.layers import pruned_network, rows
from fixtures.pruning.plan import Settings
from fixtures.pruning.table import summary, text
from reference_models.darknet.zoo.catalog import ZOO
from suites.meta.networks import prunable_nets
from suites.meta.networks.darknet_layers import random, write

NAMES = ("yolov3-tiny", "yolov4-tiny", "yolov2", "yolov7-tiny", "enet-coco", "yolo-fastest", "darknet19")


def graph(cfg: Path, weights: Path) -> onnx.ModelProto:
    """Convert with BatchNorm as nodes, whose numbers are then those of the weight file."""
    return convert(cfg, weights, 13, keep_batchnorm=True)


@pytest.mark.parametrize("name", NAMES)
def test_costs_are_those_of_the_graph(name: str, tmp_path: Path) -> None:
    """Both networks, counted from cfg and from ONNX; the pruned one is the smaller."""
    source = prunable_nets.write(tmp_path, prunable_nets.narrow(name))
    plan = planned(source, Settings(0.5))
    cfg, weights = tmp_path / "pruned.cfg", tmp_path / "pruned.weights"
    write_pruned(source, plan, cfg, weights)
    dense, small = of_network(source.net), of_network(pruned_network(source, plan))
    assert (dense, small) == (of_onnx(graph(source.cfg, source.weights)), of_onnx(graph(cfg, weights)))
    assert small.macs < dense.macs
    assert small.parameters * 4 == weights.stat().st_size - 20


def test_a_count_that_is_published(tmp_path: Path) -> None:
    """YOLOv3-tiny at 416: 5.56 GFLOPs (pjreddie.com/darknet/yolo), 8858734 numbers in its weight file."""
    cost = of_network(prunable_nets.write(tmp_path, ZOO["yolov3-tiny"](416)).net)
    assert (cost.parameters, round(cost.flops / 1e9, 2)) == (8858734, 5.56)


def test_the_table_says_why(tmp_path: Path) -> None:
    """Each layer with weights has its line, with what is left and why, and the sum stands last."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    plan = planned(source, Settings(0.5, multiple=4))
    lines = text(rows(source, plan))
    assert [line.split()[0] for line in lines] == ["layer", "0", "1", "2", "4", "5", "7", "8", "total"]
    assert "read by layer 9 [yolo]" in lines[-2]
    assert "rounding" in "\n".join(lines)
    assert f"parameters {of_network(source.net).parameters} -> " in summary(plan, rows(source, plan))[1]


HEAD = "filters=14\nsize=1\nactivation=linear\n[yolo]\nmask=0,1\nnum=2\nclasses=2\n"
NOTHING = {
    "equal gammas": ("batch_normalize=1\n", "equally important"),
    "no gammas": ("", "no layer has BatchNorm"),
}


@pytest.mark.parametrize(("norm", "said"), NOTHING.values(), ids=NOTHING)
def test_a_prune_that_removes_nothing_says_so(norm: str, said: str, tmp_path: Path) -> None:
    """Gammas that are all alike say nothing of importance, nor does a network without them."""
    layers = f"[convolutional]\n{norm}filters=4\nsize=1\n[convolutional]\n{HEAD}"
    arrays = [np.ones(16 if norm else 4), random(12), random(14), random(56)]
    source = Source(*write(tmp_path, layers, random(1, 3, 8, 8), arrays))
    plan = planned(source, Settings(0.5))
    assert said in summary(plan, rows(source, plan))[-1]
