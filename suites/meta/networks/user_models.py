"""A user's package, for tests: networks that are sound, and factories with one thing wrong each."""

from __future__ import annotations

from pathlib import Path

SOUND = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.fc = nn.Linear(8, 10)

    def forward(self, image):
        return self.fc(torch.relu(self.conv(image)).mean((2, 3)))


class Two(Net):
    def forward(self, image, offset):
        return super().forward(image) + offset, image.amax((2, 3))


def small():
    return Net()


def two():
    return Two()


def decode(outputs):
    return {"scores/label": outputs["scores"].argmax(1)}
"""

WRONG = """
import torch
from torch import nn

from nets import Net


class Dict(Net):
    def forward(self, image):
        return {"scores": super().forward(image), "image": image}


class Nested(Net):
    def forward(self, image):
        return super().forward(image), [image, image]


class Number(Net):
    def forward(self, image):
        return super().forward(image), 3


class Wide(Net):
    def forward(self, image):
        return super().forward(image).bfloat16()


class Untraceable(Net):
    def forward(self, image):
        return super().forward(image) + len(str(torch.jit.is_tracing() and 1 / 0))


class Branch(Net):
    def forward(self, image):
        return super().forward(image) if image.sum() > 0 else image.mean((2, 3))


class Count(Net):
    def forward(self, image):
        return super().forward(image) * int(image.amax() * 10)


class Listed(Net):
    def forward(self, image):
        return super().forward(image) * image.mean(0).tolist()[0][0][0]


class Question(Net):
    def __init__(self):
        super().__init__()
        self.register_buffer("times", torch.tensor(2))

    def forward(self, image):
        if image.shape[1] != 3:
            raise ValueError("three channels")
        return super().forward(image) * self.times.item()


def breaks():
    return {}["no such key"]


def needs(width, depth=1):
    return Net()


def number():
    return 3


def half():
    return Net().half()


def elsewhere():
    return Net().to("meta")


plain = 3
"""


def write(folder: Path) -> None:
    """Write the modules `nets`, sound, and `wrong`, and a module that cannot be imported."""
    (folder / "nets.py").write_text(SOUND)
    (folder / "wrong.py").write_text(WRONG)
    (folder / "lacking.py").write_text("import torch\nimport no_such_package\n")
    (folder / "broken.py").write_text("import torch\n\nraise RuntimeError('first line\\nlast line')\n")
    (folder / "typo.py").write_text("def small(:\n")
