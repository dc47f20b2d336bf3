"""Derive the names of one TensorRT release from its real Python wheel, with no TensorRT library.

``python -m suites.meta.stand_ins.tensorrt_bindings.derive 10.16.1.11`` prints them as JSON; ``--write`` makes
``names.json`` anew from every version in `WHEELS`. It needs gcc, nm, readelf, the package index and
the Python that runs it. The wheel's extension module is loaded over stand-in libraries in which each
function it looks for is empty, so names are all that can be had: nothing is ever executed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from suites.meta.stand_ins.tensorrt_bindings import dump
from suites.meta.stand_ins.tensorrt_bindings.names import FILE, pack

WHEELS = {
    "8.6.1": "tensorrt-bindings",
    "10.0.1": "tensorrt-cu12-bindings",
    "10.9.0.34": "tensorrt-cu12-bindings",
    "10.16.1.11": "tensorrt-cu12-bindings",
    "11.0.0.114": "tensorrt-cu13-bindings",
    "11.4.0.106": "tensorrt-cu13-bindings",
}
OURS = re.compile(r"\[(libnv[^\]]+)\]")
UNDEFINED = re.compile(r" U ([A-Za-z_]\w*)$", re.MULTILINE)
PYTHON = re.compile(r"_?Py[A-Z_]")


class DeriveError(Exception):
    """A wheel that cannot be had or loaded; the text says which step and what it printed."""


class NoWheelError(DeriveError):
    """The package index cannot be reached, or has no such wheel for this Python."""


def command(*words: str | Path, **options: Any) -> str:
    """Run a program and give its stdout. Raises DeriveError with its last words."""
    try:
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False, **options)
    except FileNotFoundError as error:
        raise DeriveError(f"{words[0]} is not on this machine") from error
    if done.returncode:
        raise DeriveError(f"{words[0]} {words[1]}: {done.stderr.strip()[-600:]}")
    return done.stdout


def fetch(version: str, folder: Path) -> Path:
    """Download and unpack the wheel of bindings; gives its extension module."""
    what = f"{WHEELS[version]}=={version}"
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest", str(folder)]
    try:
        command(sys.executable, "-m", "pip", "download", what, *options)
    except DeriveError as error:
        raise NoWheelError(str(error)) from error
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return next(folder.glob("tensorrt_bindings/tensorrt*.so"))


def missing(extension: Path) -> Iterable[str]:
    """Symbols that the extension module wants from TensorRT: neither versioned nor Python's."""
    symbols = UNDEFINED.findall(command("nm", "--dynamic", "--undefined-only", extension))
    return (symbol for symbol in symbols if not PYTHON.match(symbol))


def stand_in(extension: Path, folder: Path) -> None:
    """Write the libraries that the module needs: empty functions in the first, nothing in the others."""
    names = OURS.findall(command("readelf", "--dynamic", extension))
    own = {"dlopen", "dlsym", "dlclose"}
    source = folder / "empty.c"
    source.write_text(
        "".join(f"void *{name}() {{ return 0; }}\n" for name in missing(extension) if name not in own)
    )
    nothing = folder / "nothing.c"
    nothing.write_text("")
    for name, text in zip(names, [source] + [nothing] * len(names), strict=False):
        command("gcc", "-w", "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", folder / name, text)


def derive(version: str) -> dict[str, Any]:
    """Return what `dump` says of one release. Raises DeriveError."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        stand_in(fetch(version, folder), folder)
        environment = {**os.environ, "LD_LIBRARY_PATH": str(folder), "PYTHONPATH": str(folder)}
        answer = command(sys.executable, dump.__file__, "tensorrt_bindings", env=environment)
    found: dict[str, Any] = json.loads(answer)
    return found


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(pack({version: derive(version) for version in WHEELS}))
    else:
        print(json.dumps(derive(sys.argv[1]), indent=1))
