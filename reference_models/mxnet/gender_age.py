"""The row 'gender-age': insightface's gender and age network, as MXNet saves it.

The released weights are under a non-commercial licence, so these are seeded; see PROVENANCE.md.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from reference_models import inputs
from reference_models.model import ReferenceModel, Source, Tensors

SCRIPT = Path(__file__).with_name("build_gender_age.py")
SIZE, AGES = 112, 100


def build(folder: Path) -> Source:
    """Let MXNet write both files into the folder, in a child process.

    Raises ModuleNotFoundError without MXNet, ImportError when it cannot be imported (NumPy 2) or
    the child fails otherwise.
    """
    if find_spec("mxnet") is None:
        raise ModuleNotFoundError(
            "mxnet is not installed; it builds the gender-age network. "
            "Install mxnet==1.9.1 and numpy<2 on Python 3.12 or older (tox run -e convert)",
            name="mxnet",
        )
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        capture_output=True, text=True, errors="replace", timeout=600, check=False,
    )  # fmt: skip
    if done.returncode:
        last = "\n".join(done.stderr.splitlines()[-5:])
        raise ImportError(f"MXNet could not build the gender-age network:\n{last}", name="mxnet")
    files = {
        "symbol": folder / "gender-age-symbol.json",
        "params": folder / "gender-age-0000.params",
    }
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files.values()))
    return Source(digest.hexdigest(), "seeded", files)


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
