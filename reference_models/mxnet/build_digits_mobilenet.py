"""Writes the symbol of digits-mobilenet: ``python -m reference_models.mxnet.build_digits_mobilenet FILE``."""

from __future__ import annotations

import sys
from pathlib import Path

from reference_models.mxnet.build_gender_age import symbol
from reference_models.mxnet.process import import_mxnet

CLASSES = 10


def main(path: Path) -> None:
    """Write the file, as MXNet saves a symbol."""
    symbol(import_mxnet(), CLASSES, fix_gamma=False).save(str(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
