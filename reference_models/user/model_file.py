"""A model file: TOML with one table ``[model.NAME]`` for each model of a user.

Paths in it are relative to it. Its tables of `EXPECTATIONS` are not read here: `fixtures.expectations`
appends them to its own.
"""

from __future__ import annotations

import math
import re
import reprlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from reference_models.user import data_set
from reference_models.user.factory import OwnModelError, nearest
from reference_models.user.factory import split as split_function
from reference_models.user.given_inputs import MOST_VALUES, GivenInput, read_input
from reference_models.user.model_keys import CONVERTERS, FLAGS, FRAMEWORKS, FUNCTIONS, VALUES, keys_of
from reference_models.user.samples import Samples
from reference_models.user.shapes import Shape
from reference_models.wording import quoted

Framework = Literal["darknet", "pytorch", "mxnet", "onnx"]
EXPECTATIONS = ("tolerance", "budget", "share", "threshold", "payoff", "known_failure", "exclusion")
LONGEST_NAME = 100


@dataclass(frozen=True)
class Declared:
    """One model as it was declared. spec: its factory, PyTorch only. files: by role, the others only.

    folder: what names in `spec` and `decode` are relative to. told: what the declaration says, as text.
    lets_pass: flags of its converter that are true.
    metric: how INT8 is judged, empty where it is not. evaluation, calibration: on what.
    dense: name of the model of the same file that it was pruned from, empty where it was not.
    given: inputs of an ONNX file as ``NAME:1x3x224x224``, which are held against what it says.
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
    lets_pass: tuple[str, ...] = ()
    metric: str = ""
    evaluation: Path | None = None
    calibration: Path | None = None
    dense: str = ""
    given: tuple[str, ...] = ()


def split(word: str) -> tuple[Path, str] | None:
    """Path and, if given, model of ``models.toml`` or ``models.toml:name``; None for another word."""
    path, _, name = word.rpartition(".toml:")
    if path:
        return Path(f"{path}.toml"), name
    return (Path(word), "") if word.endswith(".toml") else None


def read(path: Path, only: str = "") -> list[Declared]:
    """Return the models of a file, or one of them. Raises OwnModelError naming file, line and key."""
    file = _File(path.resolve())
    tables = file.tables()
    if only and only not in tables:
        raise OwnModelError(f"{path} has no model {only!r}; {nearest(only, tables)}")
    return [file.declared(name, row) for name, row in tables.items() if only in ("", name)]


def _channels(value: float | Sequence[float]) -> tuple[float, ...]:
    return tuple(map(float, value if isinstance(value, list | tuple) else [value]))


class _File:
    """One file and its text, in which errors find their lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text("utf-8")
            self.data = tomllib.loads(self.text)
        except UnicodeDecodeError as error:
            raise OwnModelError(f"{path} cannot be read: {error}; save it as UTF-8") from error
        except ValueError as error:  # numbers of thousands of digits are no TOMLDecodeError
            raise OwnModelError(f"{path}: {error}") from error
        except RecursionError:
            raise OwnModelError(f"{path}: its tables or lists are nested too deeply to be read") from None
        except OSError as error:
            raise OwnModelError(f"{path} cannot be read: {error}") from error

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return name -> table. Raises OwnModelError for other tables, and for none."""
        for key in set(self.data) - {"model", *EXPECTATIONS}:
            near = nearest(key, ("model", *EXPECTATIONS))
            raise self.error(key, f"unknown table {quoted(key)}; {near}")
        tables = self.data.get("model", {})
        if not isinstance(tables, dict) or not tables:
            raise OwnModelError(f"{self.path}: there is no model; write a table [model.NAME] for each")
        for name, row in tables.items():
            if not isinstance(row, dict):
                raise self.error(
                    name, f"{quoted(name)[1:-1]} stands outside a table; write [model.NAME] above it"
                )
            if not re.fullmatch(r"\w[\w.-]*", name) or len(name) > LONGEST_NAME:
                problem = f"{quoted(name)}: a name has letters, digits, '.', '-' and '_' alone"
                raise self.error(name, f"{problem}, at most {LONGEST_NAME} of them")
        return tables

    def declared(self, name: str, row: Mapping[str, Any]) -> Declared:
        """Check one table. Raises OwnModelError."""
        framework = row.get("framework")
        if not isinstance(framework, str) or framework not in FRAMEWORKS:
            expected = f"expected one of {', '.join(FRAMEWORKS)}"
            raise self.error(name, f"framework is {reprlib.repr(framework)}, {expected}", "framework")
        self._check_keys(name, row, framework)
        feeds = row.get("inputs", {})
        given = tuple(self._given(name, *feed) for feed in feeds.items()) if framework == "onnx" else ()
        read = {} if given else {feed: self._input(name, feed, s, framework) for feed, s in feeds.items()}
        source = row.get("samples")
        folder = self.path.parent
        samples = Samples(
            {feed: each.shape for feed, each in read.items()}, folder / source if source else None,
            _channels(row.get("mean", Samples.mean)), _channels(row.get("scale", Samples.scale)),
            profiles={feed: each.profile for feed, each in read.items() if each.profile},
        )  # fmt: skip
        roles = [key for key in FRAMEWORKS[framework] if key not in ("factory", "inputs")]
        return Declared(
            name, cast(Framework, framework), folder, samples, repr(sorted(row.items())),
            ("--model", ",".join(f"{self.path}:{each}" for each in (row.get("dense"), name) if each)),
            spec=row.get("factory", ""),
            files=tuple((role, folder / row[role]) for role in roles),
            outputs=tuple(row.get("outputs", ())),
            converters=tuple(row.get("converters", CONVERTERS[framework][:1])),
            decode=row.get("decode", ""),
            exact=frozenset(row.get("exact", ())),
            lets_pass=tuple(flag for flag in FLAGS if row.get(flag, False)),
            metric=row.get("metric", ""),
            evaluation=folder / row["evaluation"] if "evaluation" in row else None,
            calibration=folder / row["calibration"] if "calibration" in row else None,
            dense=row.get("dense", ""),
            given=given,
        )  # fmt: skip

    def error(self, name: str, problem: str, key: str = "") -> OwnModelError:
        """Make an error that names the line of a key, or of its table."""
        return OwnModelError(f"{self.path}:{self._line(name, key)}: {problem}")

    def _check_keys(self, name: str, row: Mapping[str, Any], framework: str) -> None:
        accepted = keys_of(framework)
        for key in row:
            if key not in accepted:
                problem = f"unknown key {quoted(key)} of a {framework} model; {nearest(key, accepted)}"
                raise self.error(name, problem, key)
        if lacking := [key for key in FRAMEWORKS[framework] if key not in row]:
            raise self.error(name, f"{name} lacks {', '.join(lacking)}; {framework} models need it")
        for key, value in row.items():
            if key in VALUES and not VALUES[key][0](value):
                raise self.error(name, f"{key} must be {VALUES[key][1]}", key)
        for key in FUNCTIONS:
            if key in row:
                self._check_function(name, key, row[key])
        self._check_metric(name, row)
        if (dense := row.get("dense", "")) and (dense == name or dense not in self.data["model"]):
            others = [each for each in self.data["model"] if each != name]
            problem = f"dense is {quoted(dense)}, expected another model of this file; "
            raise self.error(name, problem + nearest(dense, others), "dense")
        for converter in row.get("converters", ()):
            if converter not in CONVERTERS[framework]:
                near = nearest(converter, CONVERTERS[framework])
                raise self.error(name, f"unknown converter {quoted(converter)}; {near}", "converters")

    def _check_metric(self, name: str, row: Mapping[str, Any]) -> None:
        """Raise OwnModelError for a metric that is none, and for one of two that belong together."""
        metric = row.get("metric", "")
        try:
            data_set.check_metric(metric)
        except OwnModelError as error:
            raise self.error(name, str(error), "metric") from None
        if problem := data_set.incomplete(row.keys(), metric):
            raise self.error(name, problem, problem.split()[0])

    def _check_function(self, name: str, key: str, spec: str) -> None:
        try:
            split_function(spec)
        except OwnModelError as error:
            raise self.error(name, f"{key}: {error}", key) from None

    def _given(self, name: str, feed: str, shape: Any) -> str:
        """Return an input of an ONNX file as --input has it: of sizes, or a text such as ``1x16:int64``."""
        sizes = "x".join(map(str, shape)) if isinstance(shape, list) else shape
        text = f"{feed}:{sizes or 'scalar'}"
        try:
            read_input(text)
        except OwnModelError as error:
            raise self.error(name, str(error).removeprefix("--"), "inputs") from None
        return text

    def _input(self, name: str, feed: str, shape: Any, framework: str) -> GivenInput:
        """Return an input that the file gives: sizes, or of PyTorch a text whose sizes may be ranges."""
        if framework != "pytorch" or not isinstance(shape, str):
            sizes = self._shape(name, feed, shape)
            return GivenInput("", feed, sizes)
        text = self._given(name, feed, shape)
        read = read_input(text)
        if read.dtype not in ("", "float32") or read.span:
            raise self.error(
                name, f"input {text}: dtypes and values are for ONNX files, and for --input", "inputs"
            )
        self._shape(name, feed, list(read.shape))
        return read

    def _shape(self, name: str, feed: str, shape: Any) -> Shape:
        if not feed.isprintable() or not 0 < len(feed) <= LONGEST_NAME:
            raise self.error(name, f"an input is named {quoted(feed)}, expected a printable name", "inputs")
        if not isinstance(shape, list) or not shape or not all(type(n) is int and n > 0 for n in shape):
            raise self.error(
                name,
                f"input {feed} is {reprlib.repr(shape)}, expected sizes such as [1, 3, 224, 224]",
                "inputs",
            )
        if math.prod(shape) > MOST_VALUES:
            raise self.error(
                name, f"input {feed} has more values than {MOST_VALUES}; give smaller sizes", "inputs"
            )
        if shape[0] != 1:
            raise self.error(name, f"input {feed} has {shape[0]} first, expected a batch of 1", "inputs")
        return tuple(shape)

    def _line(self, name: str, key: str) -> int:
        """Line of a key in the table of a model, or of the table itself; 1 where neither is found."""
        lines = self.text.splitlines()
        head = re.compile(
            rf"\s*\[+\s*(model\s*\.\s*)?[\"']?{re.escape(name)}[\"']?\s*(\]|\.)|\s*{re.escape(name)}\s*="
        )
        table = next((n for n, line in enumerate(lines, 1) if head.match(line)), 1)
        word = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[model\..*\.{re.escape(key)}\]")
        return next((n for n, line in enumerate(lines[table:], table + 1) if key and word.match(line)), table)
