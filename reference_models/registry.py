"""All reference models, by name. Importing this imports no framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from reference_models.model import ReferenceModel
from reference_models.user import rows as own

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


def choose(text: str, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> tuple[ReferenceModel, ...]:
    """Models by name, tier (``default``, ``zoo``, ``all``) or what `own` takes, by commas.

    Without a word, the default tier.

    Each is given once, in the order asked for. inputs, outputs: of the one factory among them. Raises
    ValueError for a word that is none of these.
    """
    registered = models()
    tiers = {"all": list(registered)}
    for name, row in registered.items():
        tiers.setdefault(row.tier, []).append(name)
    words = [word for word in text.split(",") if word] or ["default"]
    _check_inputs(words, [*inputs, *outputs])
    chosen: dict[str, ReferenceModel] = {}
    for word in words:
        if own.is_own(word):
            for row in own.rows(word, inputs, outputs):
                if row.name in registered | chosen:
                    raise ValueError(f"--model {word}: there is another model named {row.name!r}; rename it")
                chosen[row.name] = row
        elif word in registered | tiers:
            chosen |= {name: registered[name] for name in tiers.get(word, [word])}
        else:
            raise ValueError(
                f"--model: no model is named {word!r}; there are {', '.join(registered)}, the tiers "
                f"{', '.join(sorted(tiers))}, and package.module:factory or a model file for your own"
            )
    return tuple(chosen.values())


def _check_inputs(words: Sequence[str], described: Sequence[str]) -> None:
    """Raise ValueError where --input or --output would be about no model, or about several."""
    factories = [word for word in words if own.is_factory(word)]
    if len(factories) > 1 or (described and not factories):
        raise ValueError(
            f"--input and --output describe one model given as package.module:factory; --model names "
            f"{len(factories)}. A model file (models.toml) describes several"
        )
