"""The reference models, from the registry."""

from __future__ import annotations

from docs.tables import markdown
from reference_models import registry
from reference_models.model import ReferenceModel


def table() -> str:
    """Return one row a model, the default tier first, then by framework, in the order of the registry."""
    order = {"default": 0, "zoo": 1}
    rows = sorted(registry.models().values(), key=lambda row: (order[row.tier], row.framework))
    return markdown.table(("model", "tier", "framework", "inputs", "converters", "accuracy"), map(_row, rows))


def _row(model: ReferenceModel) -> tuple[str, ...]:
    shapes = ", ".join("x".join(map(str, shape)) for shape in model.inputs.values())
    metric = "-" if model.metric == "none" else str(model.metric)
    return model.name, model.tier, model.framework, shapes, ", ".join(model.converters), metric
