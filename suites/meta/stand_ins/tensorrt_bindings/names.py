"""Which names each TensorRT release has: the lists, packed and unpacked. Python 3.7.

`names.json` is derived from real wheels (see `derive`). A row is owner -> kind -> pattern -> words:
the owner is a class, an enumeration or, when empty, the module; the pattern has a 1 for each of
`versions` that has these words. A word is a name, ``MEMBER=integer`` of an enumeration,
``float16=DataType.HALF`` of a constant, or all bases of a class in their order: ``A,B``.
`unverified.json` has releases of which no wheel was had: what they have more and less than a wheel's
list, each with its source.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Tuple

FILE = Path(__file__).with_name("names.json")
UNVERIFIED = Path(__file__).with_name("unverified.json")
Row = Tuple[str, str, str]  # owner, kind, word


class Release(NamedTuple):
    """The names of one release; `basis` is "wheel", or "unverified" where no wheel was had."""

    version: str
    basis: str
    rows: frozenset[Row]

    def of(self, owner: str, kind: str) -> list[str]:
        """Words of one kind of one owner, sorted."""
        return list(_index(self.rows)[0].get((owner, kind), ()))

    def has(self, name: str) -> bool:
        """Say whether a module has ``Class`` or ``ENUM``, or a class itself ``Class.name``."""
        owner, _, word = name.rpartition(".")
        return (owner, word) in _index(self.rows)[1]

    def without(self, *names: str) -> Release:
        """Return this release less some names; ValueError for one that it does not have."""
        absent = [name for name in names if not self.has(name)]
        if absent:
            raise ValueError(f"TensorRT {self.version} has no {', '.join(absent)}")
        rows = frozenset(row for row in self.rows if not _is_of(row, names))
        return self._replace(rows=rows)


@lru_cache(maxsize=None)
def _index(rows: frozenset[Row]) -> tuple[dict[tuple[str, str], list[str]], set[tuple[str, str]]]:
    """Return the sorted words of each owner and kind, and each owner with each name: workers ask often."""
    words, names = defaultdict(list), set()
    for owner, kind, word in rows:
        words[owner, kind].append(word)
        names.add((owner, word.split("=")[0]))
    return {place: sorted(found) for place, found in words.items()}, names


def flatten(found: Mapping[str, Any]) -> frozenset[Row]:
    """Make rows of what `dump` gave."""
    rows = {("", "function", word) for word in found["functions"]}
    rows |= {("", "constant", f"{name}={value}") for name, value in found["constants"].items()}
    for owner, kinds in found["classes"].items():
        rows.add(("", "class", owner))
        words = {**kinds, "bases": [",".join(kinds["bases"])]} if "bases" in kinds else kinds
        rows |= {(owner, kind, word) for kind in words for word in words[kind]}
    for owner, members in found["enums"].items():
        rows.add(("", "enum", owner))
        rows |= {(owner, "member", f"{name}={value}") for name, value in members.items()}
    return frozenset(rows)


def pack(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Write what `dump` gave of each version as the text of `names.json`."""
    flat = {version: flatten(about) for version, about in found.items()}
    tree: dict[str, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for owner, kind, word in sorted(frozenset().union(*flat.values())):
        pattern = "".join(str(int((owner, kind, word) in rows)) for rows in flat.values())
        tree[owner][kind][pattern].append(word)
    lines = [
        f"{json.dumps(owner)}: "
        + json.dumps({k: {p: " ".join(w) for p, w in sets.items()} for k, sets in kinds.items()})
        for owner, kinds in tree.items()
    ]
    return f'{{"versions": {json.dumps(list(flat))}, "rows": {{\n' + ",\n".join(lines) + "\n}}\n"


def derived() -> dict[str, Release]:
    """Return the releases whose names come from wheels, by version."""
    table = json.loads(FILE.read_text("utf-8"))
    rows = [
        (pattern, (owner, kind, word))
        for owner, kinds in table["rows"].items()
        for kind, sets in kinds.items()
        for pattern, words in sets.items()
        for word in words.split()
    ]
    return {
        version: Release(version, "wheel", frozenset(row for pattern, row in rows if pattern[i] == "1"))
        for i, version in enumerate(table["versions"])
    }


def releases() -> dict[str, Release]:
    """Return every release, oldest first."""
    known = derived()
    found = {version: _unverified(version, about, known) for version, about in _guesses().items()}
    return {**found, **known}


def _guesses() -> dict[str, Any]:
    guesses: dict[str, Any] = json.loads(UNVERIFIED.read_text("utf-8"))["releases"]
    return guesses


def _unverified(version: str, about: Mapping[str, Any], known: Mapping[str, Release]) -> Release:
    base = known[about["like"]].without(*about["without"].split())
    more = {(owner, kind, word) for owner, kind, words in about["with"] for word in words.split()}
    return Release(version, "unverified", base.rows | more)


def _is_of(row: Row, names: tuple[str, ...]) -> bool:
    owner, kind, word = row
    name, _, value = word.partition("=")
    if kind == "bases":
        return bool(set(word.split(",")) & set(names))
    if value in names:  # float16=DataType.HALF goes with DataType.HALF
        return True
    return (f"{owner}.{name}" if owner else name) in names or owner in names
