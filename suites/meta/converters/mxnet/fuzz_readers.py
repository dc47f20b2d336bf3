"""Feeds the readers of MXNet's files with whatever reaches code not yet seen: needs atheris.

``python -m suites.meta.converters.mxnet.fuzz_readers params|symbol [--seconds N]``
stops at the first input for which a claim fails, which it writes into the working
directory. The claims are those of test_fuzz.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from fixtures.converters.errors import ConversionError
from fixtures.converters.mxnet import arrays, params, symbol
from suites.meta.networks.mxnet_files import DENSE, every_file, symbol_of

ROOM, ROOM_PER_BYTE = 2**24, 16
"""Arrays that are no views: bytes in any case, or so many per byte of the file."""
OBJECTS = {"params": 10, "symbol": 40}
LEAST = 2**17
"""Python's own objects: so many bytes per byte of the file, and bytes in any case."""
SECONDS = 1.0  # of the processor, for files of some kilobytes


def params_claim(data: bytes) -> None:
    """Arrays that are views, or one error; no more memory and time than the file's size explains."""
    limit = max(ROOM, ROOM_PER_BYTE * len(data))
    found = _measured(params.parse, data, OBJECTS["params"] * len(data) + LEAST + 3 * limit)
    if found is None:
        return
    whole = [a for a in (found.values() if isinstance(found, dict) else found) if a is not None]
    viewed = [a for a in whole if isinstance(a.base, np.ndarray) and a.base.nbytes == len(data)]
    assert sum(a.nbytes for a in viewed) < len(data)
    assert sum(a.nbytes for a in whole) < len(data) + limit
    assert not any(a.flags.writeable and a.size for a in whole)


def symbol_claim(data: bytes) -> None:
    """A network whose edges point backwards, or one error; no more memory than the file explains."""
    found = _measured(symbol.parse, data, OBJECTS["symbol"] * len(data) + LEAST)
    if found is None:
        return
    for i, node in enumerate(found.nodes):
        assert all(0 <= edge.node < i and edge.output >= 0 for edge in node.inputs)
        "".join([node.name, node.op, *node.attrs, *node.attrs.values()]).encode()
    assert found.heads
    assert all(0 <= head.node < len(found.nodes) and head.output >= 0 for head in found.heads)


def _measured(parse: Callable[[bytes, str], Any], data: bytes, limit: int) -> Any:
    """Return what the reader does, None for a proper error; the peak of memory stays within `limit` bytes."""
    tracemalloc.start()
    start = process_time()
    try:
        found = parse(data, "f")
    except ConversionError as error:
        found = None
        _require_clear(error, len(data))
    finally:
        taken, peak = process_time() - start, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak <= limit, f"{peak} bytes for a file of {len(data)}"
    assert taken < SECONDS
    return found


def _require_clear(error: ConversionError, size: int) -> None:
    """The error names file and place, cause and remedy, and is no longer than a screen."""
    place = re.fullmatch(r"f(, byte (\d+)|, (node|head) .*)?", error.where, re.DOTALL)
    assert place, error.where
    assert int(place[2] or 0) <= size
    assert len(error.problem) > 8
    assert len(error.remedy) > 8
    assert len(error.problem) + len(error.remedy) < 1000


def seeds(what: str) -> list[bytes]:
    """Valid files to begin with."""
    if what == "params":
        return list(every_file().values())
    text = json.dumps(symbol_of([DENSE]))
    return [text.replace('"attrs"', f'"{key}"').encode() for key in sorted(symbol.NODE_KEYS)]


TOKENS = [*symbol.NODE_KEYS, "nodes", "heads", "null"]
"""What libFuzzer may put in, beside the bytes that it sees compared."""
CLAIMS = {"params": params_claim, "symbol": symbol_claim}


def main() -> None:
    """Read the command line and run until the time is over or a claim fails."""
    parser = argparse.ArgumentParser(
        prog="python -m suites.meta.converters.mxnet.fuzz_readers", description=__doc__
    )
    parser.add_argument("what", choices=CLAIMS)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports():
        for module in (arrays, params, symbol):
            importlib.reload(module)
    with tempfile.TemporaryDirectory() as corpus:
        for i, data in enumerate(seeds(options.what)):
            (Path(corpus) / str(i)).write_bytes(data)
        words = Path(corpus) / "words"
        words.write_text("".join(f"{json.dumps(json.dumps(token))}\n" for token in TOKENS))
        flags = [f"-dict={words}", f"-max_total_time={options.seconds}", "-max_len=4096", "-timeout=10"]
        atheris.Setup([sys.argv[0], *flags, corpus], CLAIMS[options.what])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
