"""Reading of cfg text by Darknet's own rules: `read_cfg` of parser.c, `read_option` of option_list.c."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

BLANKS = re.compile(r"[ \t\r\n]")
INTEGER = re.compile(r"[+-]?\d+")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
ALIASES = {
    "conv": "convolutional", "conn": "connected", "max": "maxpool", "local_avg": "local_avgpool",
    "avg": "avgpool", "lrn": "normalization", "soft": "softmax", "silence": "empty", "network": "net",
}  # fmt: skip
"""Second names of sections, from `string_to_layer_type`."""


def atoi(text: str) -> int:
    """C's atoi: the leading integer, 0 where there is none."""
    found = INTEGER.match(text)
    return int(found.group()) if found else 0


def atof(text: str) -> float:
    """C's atof without hexadecimal, inf and nan: the leading number, 0 where there is none."""
    found = NUMBER.match(text)
    return float(found.group()) if found else 0.0


@dataclass(frozen=True)
class Section:
    """One section of a cfg. Of a key that stands twice the first value counts."""

    name: str
    values: dict[str, str] = field(default_factory=dict)

    def integer(self, key: str, default: int) -> int:
        """Return a value as atoi reads it."""
        return atoi(self.values[key]) if key in self.values else default

    def number(self, key: str, default: float) -> float:
        """Return a value as atof reads it."""
        return atof(self.values[key]) if key in self.values else default

    def text(self, key: str, default: str) -> str:
        """Return a value as it stands, blanks removed."""
        return self.values.get(key, default)

    def integers(self, key: str) -> list[int]:
        """Return a list; what stands behind a # belongs to no number, as `parse_yolo_mask` counts."""
        return [atoi(part) for part in self.values[key].partition("#")[0].split(",")]

    def numbers(self, key: str) -> list[float]:
        """Return a list of anchors or the like."""
        return [atof(part) for part in self.values[key].partition("#")[0].split(",")]


def read(text: str) -> list[Section]:
    """Read all sections, [net] first. Blanks go everywhere; only whole lines are comments.

    Raises ValueError where Darknet ends or prints an error.
    """
    sections: list[Section] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = BLANKS.sub("", raw)
        if line.startswith("["):
            name = line[1:].removesuffix("]")
            sections.append(Section(ALIASES.get(name, name)))
        elif line and line[0] not in "#;":
            key, equals, value = line.partition("=")
            if not (equals and value and sections):
                raise ValueError(f"line {number}: {raw!r} is no option")
            sections[-1].values.setdefault(key, value)
    if not sections or sections[0].name != "net":
        raise ValueError("the first section must be [net]")
    return sections
