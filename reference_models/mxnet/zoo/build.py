"""Builds one network of the zoo with MXNet: draws its parameters and saves both files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reference_models.mxnet import synthetic_images
from reference_models.mxnet.zoo.catalog import ZOO
from reference_models.mxnet.zoo.parameters import Arrays, fill

SEED = 11
IMAGES = 8
"""That statistics are measured on."""


def build(mx: Any, name: str, folder: Path, *, side: int, width: int = 1, count: int = IMAGES) -> None:
    """Write NAME-symbol.json and NAME-0000.params; the same call writes the same bits.

    count: images that statistics are measured on.
    """
    images = ZOO[name].prepare(synthetic_images.images(np.random.default_rng(SEED), count, side))
    prefix = str(folder / name)
    block, symbol = describe(mx, name, side, width)
    drawn, measured = fill(mx, symbol, images, SEED)
    if block:
        _export(mx, block, drawn | measured, images[:1], prefix)
    else:
        arrays = [{key: mx.nd.array(a) for key, a in part.items()} for part in (drawn, measured)]
        mx.model.save_checkpoint(prefix, 0, symbol, *arrays)


def describe(mx: Any, name: str, side: int, width: int = 1) -> tuple[Any, Any]:
    """Return the HybridBlock, or None, and the Symbol."""
    with mx.name.NameManager():  # nodes without a name are counted from 0
        network = ZOO[name].make(mx, side, width)
        if isinstance(network, mx.gluon.HybridBlock):
            return network, network(mx.sym.Variable("data"))
        return None, network


def _export(mx: Any, block: Any, arrays: Arrays, image: np.ndarray, prefix: str) -> None:
    """Let Gluon write the files. It must run once first, which fills ignored gammas with 1."""
    block.initialize()
    block.hybridize()
    block(mx.nd.array(image)).wait_to_read()
    for name, parameter in block.collect_params().items():
        parameter.set_data(mx.nd.array(arrays[name]))
    block.export(prefix)
