"""Builds networks of the zoo: ``python -m reference_models.mxnet.zoo NAME... --output FOLDER``."""

from __future__ import annotations

import argparse
from pathlib import Path

from reference_models.mxnet.process import import_mxnet
from reference_models.mxnet.zoo.build import build
from reference_models.mxnet.zoo.catalog import ZOO


def main() -> None:
    """Read the command line, then import MXNet and build."""
    parser = argparse.ArgumentParser(prog="python -m reference_models.mxnet.zoo", description=__doc__)
    parser.add_argument(
        "names", nargs="+", choices=[*ZOO, "all"], metavar="NAME", help=", ".join(["all", *ZOO])
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the files; it must exist")
    parser.add_argument("--small", action="store_true", help="the side and the width that tests use")
    options = parser.parse_args()
    mx = import_mxnet()
    for name in ZOO if "all" in options.names else options.names:
        side, width = ZOO[name].small if options.small else (ZOO[name].side, 1)
        build(mx, name, options.output, side=side, width=width)


if __name__ == "__main__":
    main()
