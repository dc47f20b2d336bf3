"""The small form of the MXNet zoo: built once in a run, with what MXNet makes of it.

``python -m suites.meta.networks.mxnet_zoo_files FOLDER`` is the child process in which MXNet does both.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.runtimes import mxnet_child
from fixtures.store.files import load_tensors, save_tensors
from reference_models.model import Source
from reference_models.mxnet import process, synthetic_images
from reference_models.mxnet.zoo.build import IMAGES, build, describe
from reference_models.mxnet.zoo.catalog import ZOO
from suites.meta.places import made_once

Outputs = Mapping[str, np.ndarray]
SIZES = "sizes.json"
LARGE = 200
"""Side above which two images have pixels enough to measure statistics on, in float64."""
WITHOUT_MXNET = pytest.mark.skipif(
    find_spec("mxnet") is None, reason="mxnet is not installed; run `tox run -e meta`"
)


@dataclass(frozen=True)
class Small:
    """One network in its small form. samples: painted patches, and noise. outputs: MXNet's, of each."""

    name: str
    source: Source
    samples: list[dict[str, np.ndarray]]
    outputs: list[Outputs]

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The nodes of the -symbol.json."""
        nodes: list[dict[str, Any]] = json.loads(self.source.files["symbol"].read_text())["nodes"]
        return nodes


def make(folder: Path) -> None:
    """Build all and let MXNet run all; 300 MB."""
    for name in ZOO:
        given = {f"{i}/data": image for i, image in enumerate(samples(name))}
        save_tensors(folder / f"{name}-in.npz", given)
    process.run("suites.meta.networks.mxnet_zoo_files", str(folder))


def kept() -> Path:
    """Return the folder of all, made once in a run."""
    return made_once("mxnet-zoo", make)


@cache
def small(name: str) -> Small:
    """Return one network."""
    folder = kept()
    found: list[dict[str, np.ndarray]] = [{}, {}]
    for key, array in load_tensors(folder / f"{name}-out.npz").items():
        sample, output = key.split("/", 1)
        found[int(sample)][output] = array
    fed = [{"data": image} for image in samples(name)]
    return Small(name, process.source(folder, name), fed, list(found))


def sizes() -> dict[str, int]:
    """Return how many parameters each network has at its published size, statistics included."""
    found: dict[str, int] = json.loads((kept() / SIZES).read_text())
    return found


def samples(name: str) -> list[np.ndarray]:
    """Two images of the small side, other ones than the statistics are measured on."""
    random, side = np.random.default_rng(3), ZOO[name].small[0]
    images = synthetic_images.images(random, 1, side), random.uniform(0, 255, (1, 3, side, side))
    return [ZOO[name].prepare(image) for image in images]


def parameters(mx: Any, name: str) -> int:
    """Count the parameters at the published size, by the shapes that MXNet infers."""
    side = ZOO[name].side
    _, symbol = describe(mx, name, side)
    arguments, _, states = symbol.infer_shape(data=(1, 3, side, side))
    named = dict(zip(symbol.list_arguments(), arguments, strict=True))
    stored = [shape for key, shape in named.items() if key != "data" and not key.endswith("_label")]
    return sum(int(np.prod(shape)) for shape in (*stored, *states))


def main(path: Path) -> None:
    """Build every network, run it on its samples, and count the parameters."""
    mx = mxnet_child.import_mxnet()
    for name in ZOO:
        side, width = ZOO[name].small
        build(mx, name, path, side=side, width=width, count=2 if side > LARGE else IMAGES)
        files = process.source(path, name).files
        options = argparse.Namespace(**files, output=[], internals=False, results=path / f"{name}-out.npz")
        mxnet_child.run(mx, options, mxnet_child.load_samples(path / f"{name}-in.npz"))
    (path / SIZES).write_text(json.dumps({name: parameters(mx, name) for name in ZOO}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
