"""The build backend: hatchling for an editable install, and a refusal for everything else.

The suite runs from its checkout: packages with the names fixtures and suites must not lie in site-packages,
where they would hide others. An editable install puts the checkout on the path, gives `trt-parity`, and lets
pytest find the suites in any folder (`trt_parity.py`).
"""

from __future__ import annotations

from typing import NoReturn

from hatchling.build import build_editable, get_requires_for_build_editable

__all__ = ["build_editable", "build_sdist", "build_wheel", "get_requires_for_build_editable"]

REFUSAL = (
    "trt-parity runs from its checkout and is no package: its names fixtures and suites must not lie in "
    "site-packages. In the checkout: pip install --editable ."
)


def build_wheel(*_: object, **__: object) -> NoReturn:
    """Refuse: raise SystemExit that says what to do instead."""
    raise SystemExit(REFUSAL)


def build_sdist(*_: object, **__: object) -> NoReturn:
    """Refuse: raise SystemExit that says what to do instead."""
    raise SystemExit(REFUSAL)
