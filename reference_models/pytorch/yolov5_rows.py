"""The rows of YOLOv5: how one is made, and those of the tier `zoo`, at sizes that a CPU can do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from reference_models import yolo
from reference_models.model import ReferenceModel, Source, Tensors, Tier, Weights
from reference_models.pytorch import yolov5
from reference_models.pytorch.state import digest
from reference_models.pytorch.yolov5_layers import Architecture

SEED = 5
PREDICTIONS = "predictions"
"""What the decoded form's one output is called."""


@dataclass(frozen=True)
class Row:
    """One YOLOv5 at one input size; decoded ones give boxes in place of raw heads."""

    name: str
    architecture: Architecture
    side: int
    decoded: bool = False

    @property
    def variable(self) -> str:
        """Environment variable: path of the official checkpoint or state_dict. Unset: seeded weights."""
        return f"TRT_PARITY_{self.name.split('-decoded')[0].upper().replace('-', '_')}"

    def origin(self) -> Weights:
        """Say which weights `build` would use."""
        return "official" if os.environ.get(self.variable) else "seeded"

    def build(self, _folder: Path) -> Source:
        """Build the network, official if `variable` names a file, else seeded.

        Raises ValueError when that file is no checkpoint of this network, or of other anchors than the
        published ones, by which this row decodes; OSError when it cannot be read.
        """
        module = yolov5.network(self.architecture)
        path = os.environ.get(self.variable)
        if path:
            yolov5.load_weights(module, Path(path))
            anchors = yolov5.anchors_of(module)
            if not np.allclose(anchors, self.architecture.anchors, rtol=1e-3):
                raise ValueError(
                    f"{path} has the anchors {anchors}, the row {self.name} decodes with "
                    f"{self.architecture.anchors}: convert it with fixtures.converters.yolov5, which takes "
                    "those of the file"
                )
        else:
            from reference_models.inputs import photos

            yolov5.seed_weights(module, SEED, photos(self.side, self.side, maximum=1.0))
        about = digest(f"{self.architecture} decoded {self.decoded}: {self.architecture.layers}", module)
        if self.decoded:
            module = yolov5.decoded(module, self.side, self.side)
        note = "" if path else f"set {self.variable} to a file with the official weights to test those"
        return Source(about, "official" if path else "seeded", module=module, note=note)

    def network(self) -> Any:
        """Build the network with any weights."""
        module = yolov5.network(self.architecture)
        return yolov5.decoded(module, self.side, self.side) if self.decoded else module

    def samples(self) -> list[Tensors]:
        """Return photos, then one of seeded noise; each (1, 3, side, side), RGB, 0..1."""
        from reference_models.inputs import noise, photos

        images = photos(self.side, self.side, maximum=1.0)
        images.append(noise((1, 3, self.side, self.side), 1.0, SEED))
        return [{"images": image} for image in images]

    def decode(self) -> Callable[[Tensors], dict[str, np.ndarray]]:
        """Return what reads the outputs."""
        if self.decoded:
            return partial(yolo.split, output=PREDICTIONS)
        return partial(yolo.decode, heads=yolov5.heads_of(self.architecture))


def make(row: Row, tier: Tier = "zoo", converters: tuple[str, ...] = ("torchscript",)) -> ReferenceModel:
    """Make the registry's row of one.

    converters: where nothing is said without dynamo, whose failures below opset 18 the row yolov5n shows.
    """
    return ReferenceModel(
        name=row.name,
        framework="pytorch",
        inputs={"images": (1, 3, row.side, row.side)},
        outputs=(PREDICTIONS,) if row.decoded else row.architecture.outputs,
        build=row.build,
        samples=row.samples,
        converters=converters,
        decode=row.decode(),
        origin=row.origin,
        network=row.network,
        tier=tier,
    )


ROWS = (
    Row("yolov5s", Architecture("s"), 320),
    Row("yolov5m", Architecture("m"), 192),
    Row("yolov5l", Architecture("l"), 128),
    Row("yolov5x", Architecture("x"), 128),
    Row("yolov5s-r5", Architecture("s", release=5), 320),
    Row("yolov5n6", Architecture("n", p6=True), 256),
    Row("yolov5n-r3", Architecture("n", release=3), 192),
    Row("yolov5n-decoded", Architecture("n"), 192, decoded=True),
)
"""Releases are 6 where none is named."""
MODELS = tuple(make(row) for row in ROWS)
