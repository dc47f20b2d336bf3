"""Pictures on disk as an input of a network, each read when it is asked for: thousands need no memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reference_models import inputs

KINDS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


@dataclass(frozen=True)
class Pictures:
    """Letterboxed pictures, RGB; of 0..255, (value - mean) * scale, each for all channels or for three."""

    files: tuple[Path, ...]
    width: int
    height: int
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1 / 255,)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> np.ndarray:
        """Return one picture, (3, height, width) float32. Raise OSError for a file that is none."""
        mean, scale = (np.asarray(value, np.float32)[:, None, None] for value in (self.mean, self.scale))
        try:
            pixels = inputs.letterbox(self.files[number], self.width, self.height)[0] * np.float32(255)
        except OSError as error:  # of one that is cut short it does not say which
            raise OSError(
                f"{self.files[number]} cannot be read as a picture ({error}); copy it again"
            ) from error
        return np.asarray((pixels - mean) * scale, np.float32)


def in_folder(folder: Path) -> tuple[Path, ...]:
    """Return the pictures of a folder, by name."""
    return tuple(sorted(file for file in folder.iterdir() if file.suffix.lower() in KINDS))
