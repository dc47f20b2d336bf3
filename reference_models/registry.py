"""All reference models, by name. Importing this imports no framework."""

from __future__ import annotations

from importlib import import_module

from reference_models.model import ReferenceModel

MODULES = (
    "darknet.yolov3_tiny",
    "darknet.yolov4_tiny",
    "darknet.yolov3",
    "pytorch.yolov5n",
    "mxnet.gender_age",
    "pytorch.lenet",
    "pytorch.digits",
)
"""One module a model, each with a `MODEL`; a new model is one more line here."""
TABLES = ("darknet.zoo.rows", "pytorch.photo_networks")
"""Modules with many models, each with `MODELS`."""


def models() -> dict[str, ReferenceModel]:
    """Name -> model, in the order of `MODULES`, then of `TABLES`."""
    rows = [import_module(f"reference_models.{module}").MODEL for module in MODULES]
    for table in TABLES:
        rows += import_module(f"reference_models.{table}").MODELS
    return {row.name: row for row in rows}


def choose(text: str) -> tuple[ReferenceModel, ...]:
    """Models by name or tier (``default``, ``zoo``, ``all``), by commas; the default tier when empty.

    Each is given once, in the order asked for. Raises ValueError for a word that is neither.
    """
    known = models()
    tiers = {"all": list(known)}
    for name, row in known.items():
        tiers.setdefault(row.tier, []).append(name)
    words = [word for word in text.split(",") if word] or ["default"]
    if unknown := [word for word in words if word not in known | tiers]:
        raise ValueError(
            f"--model: no model is named {unknown[0]!r}; there are {', '.join(known)}, "
            f"and the tiers {', '.join(sorted(tiers))}"
        )
    names = dict.fromkeys(name for word in words for name in tiers.get(word, [word]))
    return tuple(known[name] for name in names)
