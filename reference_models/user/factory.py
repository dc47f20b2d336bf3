"""A user's function by its name: ``package.module:function`` or ``path/to/file.py:function``.

Whatever a user's code raises becomes one `OwnModelError` that says where it was raised.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from reference_models.wording import listed, printable, shortened

LONGEST = 1000
"""Characters of a message, which may quote what anybody wrote."""


class OwnModelError(ValueError):
    """A user's model cannot be had as it was asked for; the text says why and what to do, on one line."""

    def __init__(self, text: str) -> None:
        super().__init__(shortened(printable(text), LONGEST))


def split(spec: str) -> tuple[str, str]:
    """Module, or file, and attribute of a spec. Raises OwnModelError for what is none."""
    place, _, name = spec.rpartition(":")
    if not place or not name.isidentifier():
        raise OwnModelError(f"{spec!r} is neither package.module:function nor path/to/file.py:function")
    return place, name


def load(spec: str, folder: Path) -> Any:
    """Import what a spec names. folder: what files are relative to, and the first place of modules.

    Raises OwnModelError when there is no such module or attribute, naming near ones, or when the module
    cannot be imported.
    """
    place, name = split(spec)
    with warnings.catch_warnings(action="ignore"):
        module = load_file(folder / place) if place.endswith(".py") else _import(place, folder)
    if not hasattr(module, name):
        public = [word for word, value in vars(module).items() if callable(value) and word[0] != "_"]
        raise OwnModelError(f"{spec}: {_file(module)} has no {name!r}; {nearest(name, public)}")
    return getattr(module, name)


def load_file(path: Path) -> ModuleType:
    """Import a Python file; modules beside it can be imported by it. Raises OwnModelError."""
    path = path.resolve()
    if not path.is_file():
        near = nearest(path.name, [file.name for file in path.parent.glob("*.py")])
        raise OwnModelError(f"there is no file {path}; {near}")
    loaded = sys.modules.get(path.stem)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    name = f"own_model_{path.stem}" if loaded else path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise OwnModelError(f"{path} is no Python file")
    _search(path.parent)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's module raises anything
        del sys.modules[name]
        raise OwnModelError(f"importing {path.name} failed: {told(error)}") from error
    return module


def call(function: Any, spec: str) -> Any:
    """Call a function without arguments. Raises OwnModelError where it needs some, or for what it raises."""
    if not callable(function):
        raise OwnModelError(f"{spec} is {a(function)}, expected a function without arguments")
    if needed := _needed(function):
        raise OwnModelError(
            f"{spec} needs arguments ({', '.join(needed)}); name a function that takes none and passes them"
        )
    try:
        return function()
    except Exception as error:  # a user's function raises anything
        raise OwnModelError(f"{spec} failed: {told(error)}") from error


def told(error: BaseException) -> str:
    """Type and last line of an error, and the last line of a user's code on the way to it."""
    last = (str(error).strip().splitlines() or [""])[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    ours = str(Path(__file__).resolve().parents[2])
    users = [f for f in frames if not f.filename.startswith((ours, "<")) and not _installed(f.filename)]
    place = f" ({users[-1].filename}:{users[-1].lineno})" if users else ""
    if isinstance(error, SyntaxError):
        place = f" ({error.filename}:{error.lineno})"
    return f"{type(error).__name__}: {last}{place}"


def nearest(word: str, choices: Iterable[str]) -> str:
    """Name the known words that are near to one, or all of them where none is."""
    choices = list(choices)
    near = difflib.get_close_matches(word, choices, 3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"there are {listed(choices, 12)}" if choices else "there is none"


def a(value: object) -> str:
    """Name the type of a value, for a sentence."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _import(name: str, folder: Path) -> ModuleType:
    _search(folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise OwnModelError(f"importing {name} failed: {told(error)}") from error
        parent, _, last = error.name.rpartition(".")
        places = list(sys.modules[parent].__path__) if parent in sys.modules else [str(folder)]
        near = nearest(last, [module.name for module in pkgutil.iter_modules(places)])
        where = f"in {parent}" if parent else f"in {folder} or elsewhere on sys.path"
        raise OwnModelError(f"there is no module {error.name!r} {where}; {near}") from error
    except Exception as error:  # a user's module raises anything
        raise OwnModelError(f"importing {name} failed: {told(error)}") from error


def _search(folder: Path) -> None:
    if (place := str(folder.resolve())) not in sys.path:
        sys.path.insert(0, place)


def _needed(function: Callable[..., Any]) -> list[str]:
    """Names of the parameters of a function that have no default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature
        return []
    return [
        p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]


def _installed(file: str) -> bool:
    """Say whether a source file is of an installed package or of Python itself."""
    return "site-packages" in file or file.startswith(sysconfig.get_path("stdlib"))


def _file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or module.__name__
