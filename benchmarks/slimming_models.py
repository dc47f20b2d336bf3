"""A slimmed network as a model of a run: `pytest suites --model FOLDER/models.py` takes it the whole road."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.slimming_networks import FRAMEWORKS, Files
from fixtures.commands.trained_network import pytorch
from fixtures.store.files import write_atomically
from reference_models import registry
from reference_models.model import ReferenceModel, Source, Weights
from reference_models.pytorch.state import digest

END = "slim"
"""What the name of a slimmed model ends in."""
TEXT = '''"""{name}, slimmed, as `pytest suites --model` takes it. Written by `benchmarks.slimming`."""

from pathlib import Path

from benchmarks.slimming_models import slimmed

MODEL = slimmed("{name}", Path(__file__).parent, "{which}")
'''


def slimmed(name: str, folder: Path, which: str) -> ReferenceModel:
    """Return the row of a network of a folder: that of the reference model, but for weights and widths.

    which: of the networks of an experiment; what was trained after pruning has the structure of ``pruned``.
    """
    model = registry.models()[name]
    framework = FRAMEWORKS[model.framework]
    files = framework.files(folder, which, framework.files(folder, "pruned"))
    build = partial(_source, f"{name}-{END}", files, framework.roles)
    return replace(model, name=f"{name}-{END}", build=build, origin=_own, network=None, dense=name)


def write(name: str, folder: Path, which: str = "tuned") -> Path:
    """Write the model file of a folder, and return its path."""
    path = folder / "models.py"
    write_atomically(path, TEXT.format(name=name, which=which).encode())
    return path


def _own() -> Weights:
    return "own"


def _source(about: str, files: Files, roles: tuple[str, ...], _folder: Path) -> Source:
    if not roles:
        module = pytorch(str(files.network)).module.eval()
        return Source(digest(about, module), "own", module=module)
    total = hashlib.sha256()
    for path in files.words:
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return Source(total.hexdigest(), "own", dict(zip(roles, files.words, strict=True)))
