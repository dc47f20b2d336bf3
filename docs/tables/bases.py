"""How many rows of the support tables rest on what."""

from __future__ import annotations

import tomllib
from collections import Counter

from docs.tables.markdown import table
from fixtures.compatibility.check import measured
from fixtures.compatibility.tables.derive import ROWS
from fixtures.compatibility.tables.releases import BASES, FLAVOURS, SAID


def rows() -> Counter[tuple[str, str, str]]:
    """Count restrictions and refusals by flavour, basis and effect."""
    found: Counter[tuple[str, str, str]] = Counter()
    for path in sorted(ROWS.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        for row in data.get("limit", ()):
            flavour, basis = (str(row.get(field, data.get(field))) for field in ("flavour", "basis"))
            found[flavour, basis, row.get("effect", "refused")] += 1
    for one in measured.rows():
        found[one.flavour, one.basis, one.effect] += 1
    return found


def written() -> str:
    """Return them as a table: one line a flavour and basis."""
    found = rows()
    effects = ("refused", "wrong", "profile")
    lines = [
        (FLAVOURS[flavour][1], SAID.get(basis, basis), *(found[flavour, basis, effect] for effect in effects))
        for flavour in FLAVOURS
        for basis in BASES
        if any(found[flavour, basis, effect] for effect in effects)
    ]
    return table(("of", "basis", "refused", "taken, but wrong", "wants a profile"), lines)
