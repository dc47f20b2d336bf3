"""A stand-in for TensorRT's Python module with exactly the names of one release. Python 3.7.

It tests the worker's flow, never numbers: what it executes is ONNX Runtime. A name that the release
lacks raises AttributeError, on the module, a class, an enumeration or an instance, read or written. A
name that the release has but nobody has played yet is there for `hasattr`, and raises NotPlayedError
as soon as it is called or its value is used. What a class does stands once, whatever the release, in
one of the modules beside this one.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any

from suites.meta.stand_ins.tensorrt_bindings import building, inspecting, parsing, playing, running
from suites.meta.stand_ins.tensorrt_bindings.names import Release

BEHAVIOURS: Mapping[str, Any] = {
    **playing.BEHAVIOURS, **parsing.BEHAVIOURS, **building.BEHAVIOURS,
    **running.BEHAVIOURS, **inspecting.BEHAVIOURS,
}  # fmt: skip


class NotPlayedError(Exception):
    """The release has this name; the stand-in has no behaviour for it."""


class Meta(type):
    """The type of the stand-in's classes: says which release lacks a name."""

    def __getattr__(cls, name: str) -> Any:
        raise AttributeError(f"TensorRT {cls.__dict__.get('_version', '')} has no {cls.__name__}.{name}")


class Thing(metaclass=Meta):
    """The base of every class: no attribute beside the release's, and those private to the stand-in."""

    _api: Any
    _version = ""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"TensorRT {self._version} has no {type(self).__name__}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        own = "_api" in vars(type(self))  # a class that the user derived takes any attribute
        if own and name[0] != "_" and not isinstance(getattr(type(self), name, None), property):
            raise AttributeError(f"TensorRT {self._version} has no {type(self).__name__}.{name} to set")
        object.__setattr__(self, name, value)


class Member:
    """One enumerator, as pybind11 makes it: no integer, and equal to none, but `int` can be asked of it."""

    def __init__(self, owner: str, name: str, value: int) -> None:
        self.owner, self.name, self.value = owner, name, value

    def __int__(self) -> int:
        return self.value

    __index__ = __int__

    def __repr__(self) -> str:
        return f"{self.owner}.{self.name}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Member) and (self.owner, self.value) == (other.owner, other.value)

    def __hash__(self) -> int:
        return hash((self.owner, self.value))


class Api:
    """What the behaviours ask of the release that they play: its classes, its names, its enumerators."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.space: dict[str, Any] = {}

    def has(self, name: str) -> bool:
        """Say whether the release has ``Class``, ``Class.name`` or ``ENUM.MEMBER``."""
        return self.release.has(name)

    def make(self, kind: str, *arguments: Any) -> Any:
        """Make an instance of one of the release's classes."""
        return self.space[kind](*arguments)

    def member(self, name: str) -> Any:
        """Return ``ENUM.MEMBER``, an AttributeError if the release lacks it."""
        owner, _, word = name.rpartition(".")
        if owner not in self.space:
            raise AttributeError(f"TensorRT {self.release.version} has no {owner}")
        return getattr(self.space[owner], word)

    def check(self, value: Any, enum: str) -> None:
        """Raise the TypeError of pybind11 for a value that is no member of an enumeration."""
        if not isinstance(value, Member) or value.owner != enum.rsplit(".", maxsplit=1)[-1]:
            raise TypeError(f"incompatible function arguments: {value!r} is no {enum}")


def make_enum(api: Api, name: str) -> Any:
    """Make an enumeration with the members and integers of the release."""
    owner = name.rsplit(".", maxsplit=1)[-1]
    members: dict[str, Any] = {}
    kind = Meta(owner, (), {"_version": api.release.version, "__members__": members})
    for word in api.release.of(name, "member"):
        label, _, number = word.partition("=")
        members[label] = member = Member(owner, label, int(number))
        setattr(kind, label, member)
    return kind


def not_played(version: str, name: str) -> Any:
    """Return a function that says that a name has no behaviour yet."""

    def call(*_: Any, **__: Any) -> Any:
        raise NotPlayedError(f"TensorRT {version} has {name}, and the stand-in does not play it")

    return call


def unknown(version: str, name: str) -> Any:
    """Return a value that is there, and that nothing can be done with: every use says whose it would be."""
    call = not_played(version, name)
    uses = ("getattr", "call", "int", "index", "float", "bool", "str", "repr", "eq", "ne", "lt", "gt", "hash")
    return type("Unknown", (), {f"__{use}__": call for use in (*uses, "or", "and", "iter", "len")})()


def stored(version: str, owner: str, name: str) -> property:
    """Return a property that has a value once it has been set: enough for the knobs of a builder."""

    def read(self: Any) -> Any:
        return vars(self).get("_" + name, unknown(version, f"{owner}.{name}"))

    def write(self: Any, value: Any) -> None:
        object.__setattr__(self, "_" + name, value)

    return property(read, write)


def attributes(api: Api, owner: str, played: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each name that the release's list has for a class, with its behaviour."""
    version = api.release.version
    for word in api.release.of(owner, "method"):
        yield word, played.get(word) or not_played(version, f"{owner}.{word}")
    for word in api.release.of(owner, "readonly"):
        yield word, property((played[word] if word in played else stored(version, owner, word)).fget)
    for word in api.release.of(owner, "property"):
        yield word, played.get(word) or stored(version, owner, word)


def bases_of(api: Api, name: str) -> list[str]:
    """Return the bases of a class, in their order."""
    return [base for word in api.release.of(name, "bases") for base in word.split(",")]


def make_class(api: Api, name: str, behaviour: type) -> Any:
    """Make one class: the release's names, played where there is a behaviour, and nothing else."""
    own = [base for base in behaviour.__mro__ if base.__module__ != "builtins"]
    played = {key: value for base in own[::-1] for key, value in vars(base).items()}
    space = {
        key: value
        for key, value in played.items()
        if key[0] == "_" and key not in ("__dict__", "__weakref__")
    }
    space.update(attributes(api, name, played), _api=api, _version=api.release.version)
    bases = tuple(api.space[base] for base in bases_of(api, name))
    native = tuple(base for base in behaviour.__mro__[1:-1] if base.__module__ == "builtins")
    kind: Any = Meta(name.rsplit(".", maxsplit=1)[-1], (bases or (Thing,)) + native, space)
    return kind


def add_class(api: Api, name: str) -> None:
    """Add a class to the module, its bases first."""
    if name not in api.space:
        for base in bases_of(api, name):
            add_class(api, base)
        api.space[name] = make_class(api, name, BEHAVIOURS.get(name, Thing))


def populate(module: types.ModuleType, release: Release) -> None:
    """Fill a module with the names of a release."""
    api, space = Api(release), vars(module)
    names = release.of("", "class")
    for name in names:
        add_class(api, name)
    for name in release.of("", "enum"):
        api.space[name] = make_enum(api, name)
    for name, value in api.space.items():
        outer, _, inner = name.rpartition(".")
        if not outer:
            space[name] = value
        elif outer in api.space:
            setattr(api.space[outer], inner, value)
    for word in release.of("", "constant"):
        name, _, value = word.partition("=")
        space[name] = api.member(value)
    for name in release.of("", "function"):
        space[name] = BEHAVIOURS.get(name) or not_played(release.version, name)
    for owner in names:
        for word in release.of(owner, "constant"):
            if owner + ".Severity" in api.space:
                setattr(api.space[owner], word, api.member(f"{owner}.Severity.{word}"))
    space["__version__"] = release.version
    space["__getattr__"] = not_there(release)


def not_there(release: Release) -> Any:
    """Return the function that a module asks for what it does not have."""

    def missing(name: str) -> Any:
        raise AttributeError(f"TensorRT {release.version} has no {name}")

    return missing
