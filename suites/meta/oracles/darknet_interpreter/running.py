"""What a layer sees while a network runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from suites.meta.oracles.darknet_interpreter.weights import Array, Parameters, Weights


@dataclass
class Running:
    """A network on its way. outputs: of the layers so far, [net] not counted.

    epsilon: of BatchNorm, added to the variance. fold: put BatchNorm into the weights first. steps: of
    recurrent layers, the batch is steps times the sequences. folder: where other files of a cfg are.
    """

    data: Array
    weights: Weights
    epsilon: float
    fold: bool
    steps: int
    folder: Path
    outputs: list[Array] = field(default_factory=list)
    shared: dict[int, Parameters] = field(default_factory=dict)

    @property
    def index(self) -> int:
        """Number of the layer that is being computed."""
        return len(self.outputs)

    @property
    def dtype(self) -> np.dtype:
        """What everything is computed in."""
        return self.data.dtype

    def absolute(self, number: int) -> int:
        """Layer number of an index in the cfg: a negative one counts back from this layer, all counted."""
        absolute = number if number >= 0 else self.index + number
        if not 0 <= absolute < self.index:
            raise ValueError(f"layer {self.index} refers to layer {number}, which there is not")
        return absolute

    def output(self, number: int) -> Array:
        """Return what an earlier layer holds, by an index of the cfg."""
        return self.outputs[self.absolute(number)]

    def ready(self, parameters: Parameters) -> Parameters:
        """Return parameters in the form asked for, folded or not."""
        return parameters.folded(self.epsilon) if self.fold else parameters
