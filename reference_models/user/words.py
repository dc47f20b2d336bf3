"""Words of ``--model`` that name files: which files, and what the model is called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reference_models.user import data_set, model_file
from reference_models.user.factory import OwnModelError, nearest
from reference_models.user.given_inputs import by_name
from reference_models.user.model_file import Declared
from reference_models.user.samples import Samples

NAMED = re.compile(r"(?:(?P<name>\w[\w.-]*)=)?(?P<path>.+)", re.DOTALL)
KINDS = {
    ".onnx": ("onnx", "file", ""),
    ".cfg": ("darknet", "cfg", "weights"),
    ".json": ("mxnet", "symbol", "params"),
}
"""Suffix of a file -> framework, role of that file, and option and role of the file that belongs to it."""
SUFFIXES = {
    ".weights": "give the .cfg to --model and this file to --weights",
    ".params": "give the -symbol.json to --model and this file to --params",
    **dict.fromkeys(
        (".pt", ".pth", ".ckpt", ".safetensors"),
        "give the function that makes the module, as path/to/file.py:function, and let it load these weights",
    ),
    **dict.fromkeys((".engine", ".plan", ".trt"), "an engine cannot be looked into; give its ONNX model"),
    **dict.fromkeys((".pb", ".tflite", ".h5", ".keras"), "export it to ONNX and give that file"),
}  # fmt: skip
"""Suffix of a file that is no model here -> what to do instead."""
EXPECTED = "expected .onnx, .cfg with --weights, -symbol.json with --params, a model file, or a function"


@dataclass(frozen=True)
class GivenInt8:
    """What INT8 is calibrated on and judged by: --calibration, --evaluation and --metric."""

    calibration: Path | None = None
    evaluation: Path | None = None
    metric: str = ""

    @property
    def words(self) -> list[str]:
        """The options that say the same, paths absolute."""
        paths = (("--calibration", self.calibration), ("--evaluation", self.evaluation))
        words = [word for option, path in paths if path for word in (option, str(path.absolute()))]
        return [*words, *(["--metric", self.metric] if self.metric else [])]

    def check(self) -> None:
        """Raise OwnModelError for a path where there is nothing, and for what says not enough."""
        for option, path in (("--calibration", self.calibration), ("--evaluation", self.evaluation)):
            if path and not path.exists():
                raise OwnModelError(f"{option} {path}: {_absent(path)}")
        given = {"calibration": self.calibration, "evaluation": self.evaluation, "metric": self.metric}
        if problem := data_set.incomplete({key for key, value in given.items() if value}, self.metric):
            raise OwnModelError(f"--{problem}")
        data_set.check_metric(self.metric)


@dataclass(frozen=True)
class Given:
    """What the command line says of models beside --model, in its order.

    inputs, outputs: --input and --output as they were given. weights, params: of --model's .cfg files and of
    its symbols, one for each. samples: --inputs.
    """

    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    weights: Sequence[Path] = ()
    params: Sequence[Path] = ()
    samples: Path | None = None
    int8: GivenInt8 = field(default_factory=GivenInt8)

    def beside(self, option: str) -> Sequence[Path]:
        """Return the files of an option."""
        return {"weights": self.weights, "params": self.params}.get(option, ())


NOTHING = Given()


@dataclass(frozen=True)
class FileModel:
    """A model that is a file on the command line. beside: the file that belongs to it, None for ONNX."""

    word: str
    name: str
    path: Path
    beside: Path | None = None
    kind: tuple[str, str, str] = field(default=("", "", ""))

    def declared(self, given: Given) -> Declared:
        """Return it as a row of a model file would say it. Raises OwnModelError for an absent file."""
        framework, role, other = self.kind
        if not self.path.is_file():
            raise OwnModelError(f"--model {self.word}: {_absent(self.path)}")
        files = [(role, self.path)]
        asked = ["--model", str(self.path) if self.name == name_of(self.path) else f"{self.name}={self.path}"]
        if self.beside is not None:
            if not self.beside.is_file():
                raise OwnModelError(f"--{other} {self.beside}: {_absent(self.beside)}")
            files.append((other, self.beside))
            asked += [f"--{other}", str(self.beside)]
        samples = Samples({}, given.samples, key="--inputs")
        if framework == "mxnet":
            samples = _of_symbol(self.word, samples, given)
        inputs = () if framework == "darknet" else tuple(given.inputs)  # a cfg says its own
        told = repr((framework, *inputs))
        asked += [word for text in inputs for word in ("--input", text)]
        asked += ["--inputs", str(given.samples)] if given.samples else []
        return Declared(
            self.name, framework, Path.cwd(), samples, told, (*asked, *given.int8.words),  # type: ignore[arg-type]
            files=tuple(files), converters=(framework,), given=inputs, metric=given.int8.metric,
            evaluation=given.int8.evaluation, calibration=given.int8.calibration,
        )  # fmt: skip


def file_models(words: Sequence[str], given: Given = NOTHING) -> dict[str, FileModel]:
    """Return the words that name a model by its file, each with the file that belongs to it.

    Raises OwnModelError where --weights or --params are not one for each, and for a file of another suffix.
    """
    found: dict[str, FileModel] = {}
    for word in words:
        match = NAMED.fullmatch(word)
        assert match is not None
        path = Path(match["path"])
        if kind := KINDS.get(path.suffix.lower()):
            name = match["name"] or name_of(path)
            found[word] = FileModel(word, name, path.absolute(), kind=kind)
        elif remedy := SUFFIXES.get(path.suffix.lower()):
            raise OwnModelError(f"--model {word}: {path.suffix} is no model that can be tested; {remedy}")
    for framework, role, other in KINDS.values():
        if other:
            _pair(found, framework, f"--{other}", role, given.beside(other))
    return found


def name_of(path: Path) -> str:
    """Return what a model is called after its file: ``net`` for ``net.onnx`` and ``net-symbol.json``."""
    stem = path.stem.removesuffix("-symbol") or path.stem
    return re.sub(r"[^\w.-]+", "_", stem).lstrip(".-")[: model_file.LONGEST_NAME] or "model"


def check_suffix(word: str) -> None:
    """Raise OwnModelError for a word that looks like a file and is of no kind of model."""
    if "/" in word or Path(word).suffix or Path(word).exists():
        what = _absent(Path(word)) if not Path(word).exists() else f"{word} is of no kind of model"
        raise OwnModelError(f"--model {word}: {what}; {EXPECTED}")


def _pair(found: dict[str, FileModel], framework: str, option: str, role: str, files: Sequence[Path]) -> None:
    wanted = [word for word, model in found.items() if model.kind[0] == framework]
    if len(wanted) != len(files):
        remedy = (
            f"give {option} once for each, in the same order" if wanted else f"give its {role} to --model"
        )
        raise OwnModelError(
            f"--model names {len(wanted)} {framework} {role} files ({', '.join(wanted) or 'none'}), and "
            f"{option} is given {len(files)} times; {remedy}"
        )
    for word, file in zip(wanted, files, strict=True):
        model = found[word]
        found[word] = FileModel(word, model.name, model.path, file.absolute(), model.kind)


def _of_symbol(word: str, samples: Samples, given: Given) -> Samples:
    """Return the samples of an MXNet network, whose inputs are known by --input alone."""
    names = [text.rpartition(":")[0] for text in given.inputs]
    if not given.inputs or "" in names:
        raise OwnModelError(
            f"--model {word}: the inputs of a symbol have no sizes in it; give --input for each, such as "
            "data:1x3x224x224"
        )
    rows = by_name(given.inputs, names)
    for name, row in rows.items():
        if row.profile:
            raise OwnModelError(
                f"--input {row.text}: a symbol is converted at one size an axis; ranges are for ONNX files "
                "and torch modules"
            )
        if row.shape[:1] != (1,) or row.dtype not in ("", "float32"):
            raise OwnModelError(
                f"--input {row.text}: expected a batch of 1, one size an axis, and float32 for {name}"
            )
    spans = {name: row.span for name, row in rows.items() if row.span}
    return Samples(
        {name: row.shape for name, row in rows.items()}, samples.source, key=samples.key, spans=spans
    )


def _absent(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if path.is_dir():
        return f"{path} is a folder, expected a file"
    names = [file.name for file in folder.iterdir() if file.suffix == path.suffix and file.is_file()]
    return f"there is no file {path}; {nearest(path.name, names)}"
