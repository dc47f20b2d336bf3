"""Where the tests find the real Darknet: Debian's package."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixtures.runtimes.darknet_library import DEBIAN


def debian_library() -> Path:
    """Return Debian's libdarknet.so; skip the test where there is none, fail it in CI."""
    if not DEBIAN.is_file():
        reason = f"{DEBIAN} is no file: install Debian's package darknet (apt-get install darknet)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return DEBIAN
