"""The row 'gender-age': insightface's gender and age network, as MXNet saves it.

The released weights are under a non-commercial licence, so these are seeded; see PROVENANCE.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reference_models import inputs
from reference_models.model import ReferenceModel, Source, Tensors
from reference_models.mxnet import process

SIZE, AGES = 112, 100


def build(folder: Path) -> Source:
    """Let MXNet write both files into the folder; raises what `process.run` raises."""
    process.run("reference_models.mxnet.build_gender_age", str(folder.resolve()))
    return process.source(folder, "gender-age")


def samples() -> list[Tensors]:
    """Three photos and one noise image, RGB, 0..255."""
    arrays = inputs.photos(SIZE, SIZE, maximum=255.0)
    arrays.append(inputs.noise((1, 3, SIZE, SIZE), 255.0, seed=0))
    return [{"data": array} for array in arrays]


def decode(outputs: Tensors) -> dict[str, np.ndarray]:
    """(N, 202) -> gender (N,), 1 for male, and age (N,) in years.

    The first two values are the genders, then comes a pair for each year: is the person older?
    """
    scores = outputs["fc1_output"]
    older = scores[:, 2:].reshape(len(scores), AGES, 2).argmax(2)
    return {"gender": scores[:, :2].argmax(1), "age": older.sum(1)}


MODEL = ReferenceModel(
    name="gender-age",
    framework="mxnet",
    inputs={"data": (1, 3, SIZE, SIZE)},
    outputs=("fc1_output",),
    build=build,
    samples=samples,
    converters=("mxnet",),
    decode=decode,
    exact=frozenset({"gender", "age"}),
)
