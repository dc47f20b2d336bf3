"""Small modules drawn by hypothesis: layers with any combination of their parameters."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from fixtures.exporting.specimens import Specimen

SEED, COUNT = 20261, 40
"""What is drawn by the stage `exporter-traps`, and how many: equal ones count once."""
CHOICES: dict[str, dict[str, tuple[object, ...]]] = {
    "nn.Conv2d(4, 8, {kernel}, stride={stride}, padding={padding}, dilation={dilation}, groups={groups},"
    " bias={bias}, padding_mode={mode!r})": {
        "kernel": (1, 2, 3, (3, 2)), "stride": (1, 2, (1, 2)), "padding": (0, 1, (1, 2)),
        "dilation": (1, 2, (2, 1)), "groups": (1, 2, 4), "bias": (True, False),
        "mode": ("zeros", "reflect", "replicate", "circular"),
    },
    "nn.ConvTranspose2d(4, 8, {kernel}, stride={stride}, padding={padding}, output_padding={more},"
    " groups={groups}, dilation={dilation})": {
        "kernel": (2, 3, (3, 2)), "stride": (1, 2, (3, 2)), "padding": (0, 1), "more": (0, 1, (1, 0)),
        "groups": (1, 2, 4), "dilation": (1, 2),
    },
    "nn.MaxPool2d({kernel}, stride={stride}, padding={padding}, dilation={dilation}, ceil_mode={ceil})": {
        "kernel": (2, 3, (3, 2)), "stride": (1, 2, 3), "padding": (0, 1), "dilation": (1, 2),
        "ceil": (True, False),
    },
    "nn.AvgPool2d({kernel}, stride={stride}, padding={padding}, ceil_mode={ceil},"
    " count_include_pad={count})": {
        "kernel": (2, 3, (3, 2)), "stride": (1, 2, 3), "padding": (0, 1), "ceil": (True, False),
        "count": (True, False),
    },
    "F.interpolate(x, {to}, mode={mode!r}, align_corners={corners})": {
        "to": ("scale_factor=2.0", "scale_factor=(1.5, 0.5)", "size=(7, 11)", "size=(4, 3)"),
        "mode": ("nearest", "bilinear", "bicubic", "area"), "corners": (None, True, False),
    },
    "F.pad(x, {pads}, mode={mode!r})": {
        "pads": ((1, 2), (0, 1, 2, 3), (-1, 2, 0, 1), (-1, -2, -1, 0)),
        "mode": ("constant", "reflect", "replicate", "circular"),
    },
    "x[..., {start}:{stop}:{step}]": {
        "start": ("", 1, -5), "stop": ("", 6, -1, 50), "step": ("", 2, 3),
    },
    "x.{reduction}({axes}, keepdim={keep})": {
        "reduction": ("mean", "sum", "amax", "amin", "std", "var", "logsumexp"),
        "axes": (1, -1, (2, 3), (1, -1)), "keep": (True, False),
    },
    "F.group_norm(x, {groups}).{after}": {
        "groups": (1, 2, 4), "after": ("relu()", "softmax(1)", "log_softmax(-1)", "flatten(1)", "flip(2)"),
    },
    "torch.cat([x.{first}, x.{second}], {axis})": {
        "first": ("roll(1, 2)", "flip(3)", "sigmoid()", "clamp(-1, 1)"),
        "second": ("relu()", "sort(1)[0]", "transpose(0, 1).transpose(1, 0)", "cumsum(2)"),
        "axis": (0, 1, -1),
    },
}  # fmt: skip
"""Code with places to fill -> the values of each place."""
SHAPES = ((2, 4, 9, 7), (1, 4, 8, 8), (2, 4, 6, 10))


@st.composite
def layers(draw: st.DrawFn) -> Specimen:
    """Draw code, the value of each of its places and a shape; what torch itself refuses is refused."""
    text = draw(st.sampled_from(list(CHOICES)))
    values = {place: draw(st.sampled_from(choices)) for place, choices in CHOICES[text].items()}
    code = text.format(**values)
    specimen = Specimen(code, code, {"x": draw(st.sampled_from(SHAPES))})
    assume(_runs(specimen))
    return specimen


def _runs(specimen: Specimen) -> bool:
    """Say whether torch takes the module and its input."""
    import torch

    try:
        specimen.module()(*map(torch.from_numpy, specimen.values(0).values()))
    except (RuntimeError, ValueError, IndexError, AssertionError):
        return False
    return True


@cache
def drawn_layers(number: int = SEED, count: int = COUNT) -> tuple[Specimen, ...]:
    """Draw specimens, the same ones for the same number and the same release of hypothesis."""
    found: dict[str, Specimen] = {}

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(layers())
    def collect(one: Specimen) -> None:
        found.setdefault(one.name, one)

    collect()
    return tuple(found.values())
