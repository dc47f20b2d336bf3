"""The digest of a torch network is of its description and of every number in its state."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reference_models.pytorch.state import digest, fill

torch = pytest.importorskip("torch", reason="torch is not installed; run `tox run -e meta`")


def network() -> Any:
    """Return a network with weights, a bias, running statistics and a counter, all 1 or 0."""
    layers = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    for value in layers.state_dict().values():
        value.fill_(1)
    return layers


def scaled(name: str) -> Callable[[Any], None]:
    """Return what changes the last number of one tensor."""
    return lambda net: net.state_dict()[name].view(-1)[-1:].mul_(2)


@pytest.mark.parametrize("name", sorted(network().state_dict()))
def test_every_number_is_in_the_digest(name: str) -> None:
    """One weight, bias, statistic or counter that differs is another network."""
    other = network()
    scaled(name)(other)
    assert digest("net", other) != digest("net", network())


@pytest.mark.parametrize(
    "change",
    [
        lambda net: net.half(),
        lambda net: setattr(net[0], "weight", torch.nn.Parameter(net[0].weight.reshape(2, 1, 9, 1))),
        lambda net: net.register_buffer("another", torch.zeros(1)),
    ],
    ids=["dtype", "shape", "name"],
)
def test_names_shapes_and_types_are_in_the_digest(change: Callable[[Any], object]) -> None:
    """Equal bytes under another name or in another shape are another network."""
    other = network()
    change(other)
    assert digest("net", other) != digest("net", network())


def test_the_description_is_in_the_digest() -> None:
    """What the state does not show is told apart by the description; equal ones are equal."""
    assert digest("net", network()) == digest("net", network()) != digest("other", network())


@pytest.mark.parametrize(("name", "value"), [("0.weight", "nan"), ("1.running_var", "-1"), ("1.bias", "inf")])
def test_a_reference_model_is_never_filled_with_broken_numbers(name: str, value: str) -> None:
    """File, tensor, count and place are named, and how a model of the user's own may have them."""
    state = network().state_dict()
    state[name].view(-1)[0] = float(value)
    with pytest.raises(ValueError, match=rf"^a\.pt: {name}: 1 of .*allow_nonfinite = true in a model file$"):
        fill(network(), state, Path("a.pt"), "")
