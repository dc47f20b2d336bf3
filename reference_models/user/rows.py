"""Models that a user brings, as rows like those of the registry.

A word of ``--model`` is one of them when it is ``package.module:factory``, ``path/to/file.py:factory``, the
file of a network (`reference_models.user.words`), a model file ``models.toml`` (``models.toml:name`` for one
of its models), or ``models.py`` with `MODEL` or `MODELS`. Only the last is imported here, under the rule of
the registry's modules: no framework at its top.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from reference_models.model import Own, ReferenceModel, Source, Tensors, Weights
from reference_models.user import data_set, factory, model_file
from reference_models.user.data_set import DataSet
from reference_models.user.factory import OwnModelError
from reference_models.user.given_inputs import read_input
from reference_models.user.model_file import Declared
from reference_models.user.samples import Samples
from reference_models.user.shapes import named
from reference_models.user.words import NOTHING, FileModel, Given

MODULES = 32
"""Modules of PyTorch that a process keeps."""
_FIRST: dict[tuple[str, Path], str] = {}
"""Digest of each module as it was first made in this process."""


def is_own(word: str) -> bool:
    """Say whether a word of ``--model`` names a model that is not of the registry."""
    return ":" in word or word.endswith((".toml", ".py"))


def is_factory(word: str) -> bool:
    """Say whether a word names a factory, whose inputs the command line has to give."""
    return ":" in word and model_file.split(word) is None


def model_files(text: str) -> list[Path]:
    """Return the model files among the words of ``--model``."""
    return [parts[0] for word in text.split(",") if (parts := model_file.split(word))]


def rows(word: str, given: Given = NOTHING, file: FileModel | None = None) -> list[ReferenceModel]:
    """Return the rows that a word of ``--model`` stands for. file: of a word that names a network's.

    Raises OwnModelError, or ValueError for an input that is none.
    """
    if file:
        return [_row(file.declared(given))]
    if parts := model_file.split(word):
        return [_row(declared) for declared in model_file.read(*parts)]
    if is_factory(word):
        return [_row(_factory(word, given))]
    return _python(Path(word).resolve())


def with_shapes(
    model: ReferenceModel, inputs: Mapping[str, Sequence[int]], **more: Mapping[str, Any]
) -> ReferenceModel:
    """Return the row with the inputs that were read from its network. more: other fields of its `Samples`."""
    shapes = {name: tuple(shape) for name, shape in inputs.items()}
    samples: Any = model.samples
    if isinstance(samples, Samples):
        samples = replace(samples, shapes=shapes, **more)  # type: ignore[arg-type]
    data = model.dataset.with_shapes(shapes) if isinstance(model.dataset, DataSet) else model.dataset
    return replace(model, inputs=shapes, samples=samples, dataset=data)


def _factory(spec: str, given: Given) -> Declared:
    place, function = factory.split(spec)
    module = place
    if place.endswith(".py"):
        module, spec = Path(place).stem, f"{Path(place).resolve()}:{function}"
    if not given.inputs:
        raise OwnModelError(f"--model {spec}: its inputs are not known; give --input, such as 1x3x224x224")
    read = [read_input(text) for text in given.inputs]
    shapes = named([(each.name, each.shape) for each in read])
    for name, shape in shapes.items():
        if shape[:1] != (1,):
            first = shape[0] if shape else "nothing"
            raise OwnModelError(f"--input {name}: {first} comes first, expected a batch of 1; see --batch")
    asked = ["--model", spec]
    for option, values in (("--input", given.inputs), ("--output", given.outputs)):
        asked += [word for value in values for word in (option, value)]
    told = repr(asked[2:])
    asked += ["--inputs", str(given.samples)] if given.samples else []
    samples = Samples(
        shapes, given.samples, key="--inputs",
        dtypes={name: each.dtype for name, each in zip(shapes, read, strict=True) if each.dtype},
        spans={name: each.span for name, each in zip(shapes, read, strict=True) if each.span},
        profiles={name: each.profile for name, each in zip(shapes, read, strict=True) if each.profile},
    )  # fmt: skip
    return Declared(
        f"{module}.{function}", "pytorch", Path.cwd(), samples, told, (*asked, *given.int8.words),
        spec=spec, outputs=tuple(given.outputs), metric=given.int8.metric,
        evaluation=given.int8.evaluation, calibration=given.int8.calibration,
    )  # fmt: skip


def _row(declared: Declared) -> ReferenceModel:
    names = [*declared.samples.shapes, *declared.outputs]
    if double := [name for name in names if names.count(name) > 1]:
        raise OwnModelError(
            f"{declared.name}: {double[0]!r} is given twice; inputs and outputs differ in name"
        )
    if declared.framework == "pytorch":
        build = partial(_build_module, declared.spec, declared.folder)
    else:
        build = partial(_build_files, declared.files)
    model = ReferenceModel(
        name=declared.name,
        framework=declared.framework,
        inputs=declared.samples.shapes,
        outputs=declared.outputs,
        build=build,
        samples=declared.samples,
        converters=declared.converters,
        decode=partial(_decode, declared.decode, declared.folder) if declared.decode else None,
        exact=declared.exact,
        lets_pass=dict.fromkeys(declared.lets_pass, True),
        origin=_origin,
        needs=declared.samples.needs,
        profiles=declared.samples.profiles,
        dense=declared.dense,
        own=Own(declared.asked, _digest(declared.name, declared.told), given=declared.given),
    )
    return _judged(model, declared)


def _judged(model: ReferenceModel, declared: Declared) -> ReferenceModel:
    """Return the row with what INT8 is judged by, where that is declared."""
    if declared.evaluation is None and declared.calibration is None:
        return model
    word = declared.metric or data_set.DISTANCE
    data = DataSet(declared.samples, declared.evaluation, word, declared.calibration)
    metric = data_set.metric_of(word, declared.folder)
    return replace(model, metric=metric, dataset=data, dataset_in_place=True)


def _python(path: Path) -> list[ReferenceModel]:
    """Rows of a Python file. Raises OwnModelError where it has none."""
    module = factory.load_file(path)
    declared = getattr(module, "MODELS", None) or [getattr(module, "MODEL", None)]
    for row in declared:
        if not isinstance(row, ReferenceModel):
            raise OwnModelError(f"{path}: expected MODEL, or MODELS with several, to be ReferenceModel rows")
    own = Own(("--model", str(path)), _digest(path.read_text("utf-8")))
    return [replace(row, own=own) for row in declared]


def _origin() -> Weights:
    return "own"


def _build_module(spec: str, folder: Path, _: Path) -> Source:
    from reference_models.pytorch.state import digest

    module = _module(spec, folder)
    made = digest(spec, module)
    if _FIRST.setdefault((spec, folder), made) != made:
        raise OwnModelError(
            f"{spec} makes another network each time that it is called: let it draw its weights from a seed, "
            f"or read them; of at most {MODULES} models each is made once"
        )
    return Source(made, "own", module=module)


@lru_cache(MODULES)
def _module(spec: str, folder: Path) -> Any:
    """Make a module, and keep the last ones: two makings may differ, and a thousand networks need memory."""
    from reference_models.user import module_check

    return module_check.build(spec, factory.load(spec, folder))


def _build_files(files: Sequence[tuple[str, Path]], _: Path) -> Source:
    """Return the files as they are. Raises OwnModelError for one that cannot be read."""
    total = hashlib.sha256()
    for role, path in files:
        try:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise OwnModelError(f"{role}: {path} cannot be read: {error.strerror}") from error
    return Source(total.hexdigest(), "own", dict(files))


def _decode(spec: str, folder: Path, outputs: Tensors) -> dict[str, np.ndarray]:
    read: dict[str, np.ndarray] = factory.load(spec, folder)(outputs)
    return read


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()
