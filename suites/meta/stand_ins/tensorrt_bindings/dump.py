"""Print, as JSON, every public name of the TensorRT module that this interpreter imports.

A program of its own, since the libraries that it is loaded over do nothing. The answer: version;
`functions` and `constants` of the module; `enums`: name -> {member: integer}; `classes`: name ->
{bases, method, property, readonly, constant}, without what the bases give. A class or enumeration
inside another one is named with a dot: ``ILogger.Severity``.
"""

import importlib
import json
import sys
from typing import Any

KINDS = ("method", "property", "readonly", "constant")


def public(owner: Any) -> list[str]:
    """Names of an object that are not private; entering and leaving a `with` are public too."""
    return [name for name in dir(owner) if name[0] != "_" or name in ("__enter__", "__exit__")]


def kind_of(value: Any) -> str:
    """Say what a class's attribute is: a method, a property, a read-only one, or a constant."""
    if isinstance(value, property):
        return "property" if value.fset else "readonly"
    return "method" if callable(value) else "constant"


def describe_class(kind: type) -> dict[str, list[str]]:
    """Return the names of a class that its bases do not give, by what they are."""
    bases = [base for base in kind.__bases__ if base.__module__.startswith("tensorrt")]
    inherited = {name for base in bases for name in public(base)}
    rows: dict[str, list[str]] = {"bases": [base.__name__ for base in bases]}
    for name in public(kind):
        value = getattr(kind, name)
        if name not in inherited and not isinstance(value, type):
            rows.setdefault(kind_of(value), []).append(name)
    return {key: names for key, names in rows.items() if names}


def collect(owner: Any, prefix: str, found: dict[str, dict[str, Any]]) -> None:
    """Add the classes and enumerations of a module or class."""
    for name in public(owner):
        value, key = getattr(owner, name), prefix + name
        if not isinstance(value, type) or not value.__module__.startswith("tensorrt"):
            continue
        if hasattr(value, "__members__"):
            found["enums"][key] = {each: int(member) for each, member in value.__members__.items()}
        elif key not in found["classes"]:
            found["classes"][key] = describe_class(value)
            collect(value, key + ".", found)


def describe(module: Any) -> dict[str, Any]:
    """Return all of a module's names."""
    found: dict[str, Any] = {"version": module.__version__, "classes": {}, "enums": {}}
    collect(module, "", found)
    loose = {name: getattr(module, name) for name in public(module)}
    found["functions"] = [n for n, v in loose.items() if callable(v) and not isinstance(v, type)]
    found["constants"] = {n: str(v) for n, v in loose.items() if type(v).__name__ in found["enums"]}
    return found


if __name__ == "__main__":
    print(json.dumps(describe(importlib.import_module(sys.argv[1]))))
