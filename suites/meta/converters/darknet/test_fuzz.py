"""Whatever the numbers in a cfg are, there is a valid model of the shapes worked out, or one error."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fixtures.converters.darknet import activations, config, network
from fixtures.converters.darknet import convert as conversion
from fixtures.converters.darknet.config import Section
from fixtures.converters.darknet.registry import KINDS
from fixtures.converters.errors import ConversionError

ODD = st.sampled_from(["", "x", ".5", "180###P6", "9" * 40, "-", "1e3", "0", "-1", "-4", "12", "none"])
USUAL = st.integers(1, 4).map(str) | st.integers(0, 3).map(str)
CHOICES = {
    "activation": sorted(activations.NAMES),
    "weights_type": ["none", "per_channel", "per_feature"],
    "weights_normalization": ["none", "relu", "softmax"],
    "from": ["-1", "0", "-2,0"],
    "layers": ["-1", "0", "-1,-2"],
}
LAYERS = sorted(name for name, kind in KINDS.items() if not kind.terminal)


@st.composite
def layers(draw: st.DrawFn, names: Sequence[str] = LAYERS, odd: int = 20) -> str:
    """A section with some of its keys, one value in `odd` an odd one."""
    name = draw(st.sampled_from(names))
    kind, needed = KINDS[name], {"layers", "from"}
    keys = draw(st.lists(st.sampled_from(sorted(kind.keys | {"clip"})), unique=True, max_size=6))
    lines = []
    for key in sorted({*keys, *(kind.keys & needed)}):
        usual = st.sampled_from(CHOICES[key]) if key in CHOICES else USUAL
        lines.append(f"{key}={draw(ODD if draw(st.integers(1, odd)) == odd else usual)}")
    return "\n".join([f"[{name}]", *lines])


class Zeros:
    """A weight file as long as need be; networks that take more than a million numbers are passed over."""

    def __init__(self, _: Path, floats: int, **__: bool) -> None:
        assume(floats <= 1_000_000)
        self.left = floats
        self.taken: dict[int, int] = {}

    def take(self, shape: tuple[int, ...], section: Section, what: str) -> np.ndarray:
        """Return ones."""
        self.left -= int(np.prod(shape, dtype=np.int64))
        return np.ones(shape, np.float32)

    def look(self, array: np.ndarray, section: Section, what: str) -> None:
        """Let broken numbers be: what the numbers of a cfg make of ones is not judged here."""

    def in_order(self, matrix: np.ndarray) -> np.ndarray:
        """Return the matrix."""
        return matrix

    def finish(self) -> None:
        """Have nothing left over: the network knows how much it takes."""
        assert self.left == 0


@given(
    sections=st.lists(layers(), min_size=1, max_size=5),
    sides=st.tuples(st.integers(1, 9), st.integers(1, 8), st.integers(1, 8)),
    opset=st.sampled_from([10, 13, 18]),
)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_network_converts_to_its_shapes_or_is_refused(
    sections: list[str], sides: tuple[int, int, int], opset: int, tmp_path: Path
) -> None:
    """ONNX infers the shapes that the rules gave, and no input raises anything but ConversionError."""
    cfg = tmp_path / "net.cfg"
    first = "[net]\nchannels={}\nheight={}\nwidth={}".format(*sides)
    cfg.write_text("\n".join([first, "[dropout]", *sections]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "WeightsReader", Zeros)
        try:
            model = conversion.convert(cfg, cfg, opset)
        except ConversionError as error:
            assert error.where.startswith(str(tmp_path))  # noqa: PT017
            return
    onnx.checker.check_model(model)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    for value in inferred.graph.output:
        declared = next(output for output in model.graph.output if output.name == value.name)
        assert value.type == declared.type


TEXT = st.text(st.characters(codec="utf-8"), max_size=200)


@given(st.lists(TEXT | layers(sorted(KINDS), odd=3), max_size=5), st.sampled_from(["\n", "\r\n"]))
@settings(deadline=None)
def test_any_text_is_a_network_or_one_error(sections: list[str], newline: str) -> None:
    """Nonsense between sections, in names and in values is refused, never a crash."""
    text = newline.join(["[net]", "channels=3", "height=8", "width=8", *sections])
    try:
        assert network.resolve(config.parse(text, Path("net.cfg")), lenient=True).layers
    except ConversionError as error:
        assert error.where.startswith("net.cfg")  # noqa: PT017
