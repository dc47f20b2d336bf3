"""All reference models, by name. Importing this imports no framework."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from reference_models.model import ReferenceModel
from reference_models.user import rows as own
from reference_models.user.words import FileModel, Given, GivenInt8, check_suffix, file_models

MODULES = (
    "darknet.yolov3_tiny",
    "darknet.yolov4_tiny",
    "darknet.yolov3",
    "darknet.digits_yolov3_tiny",
    "pytorch.yolov5n",
    "mxnet.gender_age",
    "pytorch.lenet",
    "pytorch.digits",
)
"""One module a model of the default tier, each with a `MODEL`; a new model is one more line here."""
TABLES = (
    "darknet.zoo.rows",
    "mxnet.zoo.rows",
    "mxnet.digits_mobilenet",
    "pytorch.yolov5_rows",
    "pytorch.digits_yolov5n",
    "pytorch.torchvision_rows",
)
"""Modules with other models, each with `MODELS`."""


def models() -> dict[str, ReferenceModel]:
    """Name -> model, in the order of `MODULES`, then of `TABLES`."""
    rows = [import_module(f"reference_models.{module}").MODEL for module in MODULES]
    for table in TABLES:
        rows += import_module(f"reference_models.{table}").MODELS
    return {row.name: row for row in rows}


def modules() -> dict[str, str]:
    """Return the module that has each model's row, by the model's name."""
    rows = {f"reference_models.{name}": [import_module(f"reference_models.{name}").MODEL] for name in MODULES}
    rows |= {f"reference_models.{name}": import_module(f"reference_models.{name}").MODELS for name in TABLES}
    return {row.name: module for module, models_of in rows.items() for row in models_of}


def choose(
    text: str,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    weights: Sequence[Path] = (),
    params: Sequence[Path] = (),
    samples: Path | None = None,
    int8: GivenInt8 | None = None,
) -> tuple[ReferenceModel, ...]:
    """Models by name, tier (``default``, ``zoo``, ``all``) or what `own` takes, by commas.

    Without a word, the default tier.

    Each is given once, in the order asked for. inputs, samples, int8: of those among them that the command
    line has to describe. outputs: of the one factory. weights, params: of Darknet's and MXNet's files. Raises
    ValueError for a word that is none of these.
    """
    registered = models()
    tiers = {"all": list(registered)}
    for name, row in registered.items():
        tiers.setdefault(row.tier, []).append(name)
    words = [word for word in text.split(",") if word] or ["default"]
    given = Given(inputs, outputs, weights, params, samples, int8 or GivenInt8())
    others = [word for word in words if word not in registered | tiers]
    files = file_models([word for word in others if not own.is_own(word)], given)
    _check_inputs(words, files, given)
    chosen: dict[str, ReferenceModel] = {}
    for word in words:
        if word in registered | tiers:
            chosen |= {name: registered[name] for name in tiers.get(word, [word])}
        elif word in files or own.is_own(word):
            for row in own.rows(word, given, files.get(word)):
                if row.name in registered | chosen:
                    remedy = f"name it, as --model OTHER={word}" if word in files else "rename it"
                    raise ValueError(f"--model {word}: there is another model named {row.name!r}; {remedy}")
                chosen[row.name] = row
        else:
            check_suffix(word)
            raise ValueError(
                f"--model: no model is named {word!r}; {_near(word, [*registered])}, the tiers "
                f"{', '.join(sorted(tiers))}, and package.module:factory, an ONNX file or a model file for "
                "your own"
            )
    return tuple(chosen.values())


def _near(word: str, names: Sequence[str]) -> str:
    """Name the models, those that a word may have meant first."""
    meant = difflib.get_close_matches(word, names, 3)
    said = f"did you mean {' or '.join(meant)}? " if meant else ""
    return f"{said}{'T' if meant else 't'}here are {', '.join(names)}"


def _check_inputs(words: Sequence[str], files: Mapping[str, FileModel], given: Given) -> None:
    """Raise ValueError where what describes a model would be about none, or about several that differ."""
    factories = [word for word in words if own.is_factory(word)]
    symbols = [word for word, file in files.items() if file.kind[0] == "mxnet"]
    graphs = [word for word, file in files.items() if file.kind[0] == "onnx"]
    cfgs = [word for word, file in files.items() if file.kind[0] == "darknet"]
    if given.inputs and cfgs and len(cfgs) == len(words):
        raise ValueError(
            f"--input {given.inputs[0]}: {cfgs[0]} says its own sizes, width and height of [net], and is "
            "converted at these; for others change them there, and for a range of them convert it and give "
            "the ONNX file"
        )
    alone = factories + symbols
    described = [*given.inputs, *given.outputs]
    mixed = len(alone) + bool(graphs) > 1 and bool(described)
    if len(alone) > 1 or mixed or (described and not alone + graphs) or (given.outputs and not factories):
        raise ValueError(
            "--input and --output describe one model given as package.module:factory, or by its files; "
            f"--model names {len(alone + graphs)}. A model file (models.toml) describes several"
        )
    named = len(factories) + len(files)
    of_one = [["--inputs", str(given.samples)]] if given.samples else []
    of_one += [given.int8.words[:2]] if given.int8.words else []
    if of_one and named != 1:
        raise ValueError(
            f"{' '.join(of_one[0])} is of one model given as package.module:factory, or by its files; "
            f"--model names {named}. A model file (models.toml) has {'samples' if given.samples else 'it'} "
            "for each"
        )
    given.int8.check()
