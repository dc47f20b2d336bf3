"""A model file: TOML with one table ``[model.NAME]`` for each model of a user.

Paths in it are relative to it. Its ``[[tolerance]]``, ``[[budget]]`` and ``[[known_failure]]`` tables are not
read here: `fixtures.expectations` appends them to its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reference_models.user.factory import OwnModelError, nearest
from reference_models.user.samples import Samples
from reference_models.user.shapes import Shape

Framework = Literal["darknet", "pytorch", "mxnet"]
FRAMEWORKS: dict[str, tuple[str, ...]] = {
    "pytorch": ("factory", "inputs"),
    "darknet": ("cfg", "weights"),
    "mxnet": ("symbol", "params", "inputs"),
}
"""Framework -> keys that its tables must have."""
CONVERTERS = {"pytorch": ("torchscript", "dynamo"), "darknet": ("darknet",), "mxnet": ("mxnet",)}
OPTIONAL = ("outputs", "samples", "mean", "scale", "converters", "decode", "exact")
EXPECTATIONS = ("tolerance", "budget", "known_failure")
TEXTS = ("factory", "cfg", "weights", "symbol", "params", "samples", "decode")
LISTS = ("outputs", "converters", "exact")


@dataclass(frozen=True)
class Declared:
    """One model as it was declared. spec: its factory, PyTorch only. files: by role, the others only.

    folder: what names in `spec` and `decode` are relative to. told: what the declaration says, as text.
    """

    name: str
    framework: Framework
    folder: Path
    samples: Samples
    told: str
    asked: tuple[str, ...]
    spec: str = ""
    files: tuple[tuple[str, Path], ...] = ()
    outputs: tuple[str, ...] = ()
    converters: tuple[str, ...] = ("torchscript",)
    decode: str = ""
    exact: frozenset[str] = frozenset()


def split(word: str) -> tuple[Path, str] | None:
    """Path and, if given, model of ``models.toml`` or ``models.toml:name``; None for another word."""
    path, _, name = word.rpartition(".toml:")
    if path:
        return Path(f"{path}.toml"), name
    return (Path(word), "") if word.endswith(".toml") else None


def read(path: Path, only: str = "") -> list[Declared]:
    """Give the models of a file, or one of them. Raises OwnModelError naming file, line and key."""
    file = _File(path.resolve())
    tables = file.tables()
    if only and only not in tables:
        raise OwnModelError(f"{path} has no model {only!r}; {nearest(only, tables)}")
    return [file.declared(name, row) for name, row in tables.items() if only in ("", name)]


class _File:
    """One file and its text, in which errors find their lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text("utf-8")
            self.data = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise OwnModelError(f"{path}: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise OwnModelError(f"{path} cannot be read: {error}") from error

    def tables(self) -> dict[str, dict[str, Any]]:
        """Give name -> table. Raises OwnModelError for other tables, and for none."""
        for key in set(self.data) - {"model", *EXPECTATIONS}:
            raise self.error(key, f"unknown table {key!r}; {nearest(key, ('model', *EXPECTATIONS))}")
        tables = self.data.get("model", {})
        if not isinstance(tables, dict) or not tables:
            raise OwnModelError(f"{self.path}: there is no model; write a table [model.NAME] for each")
        for name, row in tables.items():
            if not isinstance(row, dict):
                raise self.error(name, f"{name} stands outside a table; write [model.NAME] above it")
            if not re.fullmatch(r"\w[\w.-]*", name):
                raise self.error(name, f"{name!r}: a name has letters, digits, '.', '-' and '_' alone")
        return tables

    def declared(self, name: str, row: Mapping[str, Any]) -> Declared:
        """Check one table. Raises OwnModelError."""
        framework = row.get("framework")
        if framework not in FRAMEWORKS:
            raise self.error(name, f"framework is {framework!r}, expected one of {', '.join(FRAMEWORKS)}")
        self._check_keys(name, row, framework)
        shapes = {feed: self._shape(name, feed, shape) for feed, shape in row.get("inputs", {}).items()}
        source = row.get("samples")
        folder = self.path.parent
        samples = Samples(
            shapes, folder / source if source else None,
            self._numbers(name, row, "mean", Samples.mean), self._numbers(name, row, "scale", Samples.scale),
        )  # fmt: skip
        roles = () if framework == "pytorch" else FRAMEWORKS[framework][:2]
        return Declared(
            name, framework, folder, samples, repr(sorted(row.items())), ("--model", f"{self.path}:{name}"),
            spec=row.get("factory", ""),
            files=tuple((role, folder / row[role]) for role in roles),
            outputs=tuple(row.get("outputs", ())),
            converters=tuple(row.get("converters", CONVERTERS[framework][:1])),
            decode=row.get("decode", ""),
            exact=frozenset(row.get("exact", ())),
        )  # fmt: skip

    def error(self, name: str, problem: str, key: str = "") -> OwnModelError:
        """Make an error that names the line of a key, or of its table."""
        return OwnModelError(f"{self.path}:{self._line(name, key)}: {problem}")

    def _check_keys(self, name: str, row: Mapping[str, Any], framework: str) -> None:
        needed = FRAMEWORKS[framework]
        known = (
            "framework",
            *needed,
            *(key for key in OPTIONAL if framework == "pytorch" or key != "outputs"),
        )
        for key in row:
            if key not in known:
                raise self.error(
                    name, f"unknown key {key!r} of a {framework} model; {nearest(key, known)}", key
                )
        if lacking := [key for key in needed if key not in row]:
            raise self.error(name, f"{name} lacks {', '.join(lacking)}; {framework} models need it")
        for key in TEXTS:
            if key in row and not (isinstance(row[key], str) and row[key]):
                raise self.error(name, f"{key} must be a text", key)
        for key in LISTS:
            if key in row and not (isinstance(row[key], list) and all(isinstance(v, str) for v in row[key])):
                raise self.error(name, f"{key} must be a list of texts", key)
        if "inputs" in row and not (isinstance(row["inputs"], dict) and row["inputs"]):
            raise self.error(name, "inputs must be a table such as { image = [1, 3, 224, 224] }", "inputs")
        for converter in row.get("converters", ()):
            if converter not in CONVERTERS[framework]:
                near = nearest(converter, CONVERTERS[framework])
                raise self.error(name, f"unknown converter {converter!r}; {near}", "converters")

    def _shape(self, name: str, feed: str, shape: Any) -> Shape:
        if not isinstance(shape, list) or not shape or not all(type(n) is int and n > 0 for n in shape):
            raise self.error(
                name, f"input {feed} is {shape!r}, expected sizes such as [1, 3, 224, 224]", "inputs"
            )
        if shape[0] != 1:
            raise self.error(name, f"input {feed} has {shape[0]} first, expected a batch of 1", "inputs")
        return tuple(shape)

    def _numbers(
        self, name: str, row: Mapping[str, Any], key: str, default: tuple[float, ...]
    ) -> tuple[float, ...]:
        given = row.get(key, list(default))
        values = given if isinstance(given, list) else [given]
        if len(values) not in (1, 3) or not all(type(v) in (int, float) for v in values):
            raise self.error(name, f"{key} must be a number, or one for each of three channels", key)
        return tuple(map(float, values))

    def _line(self, name: str, key: str) -> int:
        """Line of a key in the table of a model, or of the table itself; 1 where neither is found."""
        lines = self.text.splitlines()
        head = re.compile(
            rf"\s*\[+\s*(model\s*\.\s*)?[\"']?{re.escape(name)}[\"']?\s*(\]|\.)|\s*{re.escape(name)}\s*="
        )
        table = next((n for n, line in enumerate(lines, 1) if head.match(line)), 1)
        word = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[model\..*\.{re.escape(key)}\]")
        return next((n for n, line in enumerate(lines[table:], table + 1) if key and word.match(line)), table)
