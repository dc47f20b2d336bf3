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
    "pytorch.digits",
)
"""One module a model, each with a `MODEL`; a new model is one more line here."""


def models() -> dict[str, ReferenceModel]:
    """Name -> model, in the order of `MODULES`."""
    rows = [import_module(f"reference_models.{module}").MODEL for module in MODULES]
    return {row.name: row for row in rows}
