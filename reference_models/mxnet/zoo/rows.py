"""The rows of the tier `zoo` that MXNet builds: every network of the catalog at its published size.

Their outputs are compared as they are: seeded weights see neither faces nor classes.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from reference_models import inputs
from reference_models.model import ReferenceModel, Source, Tensors
from reference_models.mxnet import process
from reference_models.mxnet.zoo.catalog import ZOO


def build(name: str, folder: Path) -> Source:
    """Let MXNet write both files into the folder; raises what `process.run` raises."""
    process.run("reference_models.mxnet.zoo", name, "--output", str(folder.resolve()))
    return process.source(folder, name)


def samples(name: str) -> list[Tensors]:
    """Three photos and one noise image, scaled as the network wants them."""
    network = ZOO[name]
    images = inputs.photos(network.side, network.side, maximum=255.0)
    images.append(inputs.noise((1, 3, network.side, network.side), 255.0, seed=0))
    return [{"data": network.prepare(image)} for image in images]


MODELS = tuple(
    ReferenceModel(
        name=name,
        framework="mxnet",
        inputs={"data": (1, 3, network.side, network.side)},
        outputs=network.outputs,
        build=partial(build, name),
        samples=partial(samples, name),
        converters=("mxnet",),
        tier="zoo",
    )
    for name, network in ZOO.items()
)
