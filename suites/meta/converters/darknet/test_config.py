"""The cfg parser reads what Darknet reads, and names the line of what it refuses."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.converters.darknet import config, network, pooling
from fixtures.converters.darknet.weights import WeightsReader
from fixtures.converters.errors import ConversionError

NET = "[net]\nwidth=32\nheight=32\nchannels=3\n"
CONV = "[convolutional]\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
NAME = Path("net.cfg")
KEYS = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
VALUES = st.from_regex(r"[a-z0-9.,\-]{1,12}", fullmatch=True)
SECTIONS = st.lists(st.tuples(KEYS, st.dictionaries(KEYS, VALUES, max_size=5)), max_size=6)


def parse(text: str) -> config.Config:
    """Parse cfg text under one file name."""
    return config.parse(text, NAME)


@given(SECTIONS, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", " ", "\t"]))
def test_sections_round_trip(sections: list[tuple[str, dict[str, str]]], newline: str, blank: str) -> None:
    """Every section, key and value comes back, whatever the line ends and blanks are."""
    lines = ["[net]", "# a comment"]
    for name, values in [*sections, ("maxpool", {})]:
        lines += [f"[{name}]", *(f"{blank}{key}{blank}={blank}{v}" for key, v in values.items())]
    read = parse(newline.join(lines)).layers
    expected = [(config.ALIASES.get(name, name), values) for name, values in sections]
    got = [(s.name, {key: value.text for key, value in s.values.items()}) for s in read[:-1]]
    assert got == expected
    assert [section.index for section in read] == list(range(len(read)))


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    """No input makes the parser raise anything but its own error."""
    with contextlib.suppress(ConversionError):
        assert network.resolve(parse(data.decode("utf-8-sig", "replace"))).layers


@pytest.mark.parametrize(
    ("text", "expected"),
    [("416abc", 416), ("+7", 7), ("-4", -4), ("12#comment", 12), ("8.9", 8)],
)
def test_integers_are_read_as_atoi_reads_them(text: str, expected: int) -> None:
    """A tail that is no digit is dropped."""
    assert parse(f"[net]\nwidth={text}\n[maxpool]").net.integer("width", 0) == expected


def test_the_first_of_two_equal_keys_wins() -> None:
    """A duplicate key is read as Darknet reads it."""
    assert parse("[net]\nwidth=32\nwidth=64\n[maxpool]").net.integer("width", 0) == 32


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    """A cfg saved by a Windows editor is read."""
    path = tmp_path / "net.cfg"
    path.write_bytes(b"\xef\xbb\xbf" + (NET + CONV).replace("\n", "\r\n").encode())
    assert config.read(path).net.integer("width", 0) == 32


BAD = {
    "unknown section": (NET + "[convolutionl]\nfilters=8\n", 5, "convolutionl"),
    "unknown activation": (NET + CONV.replace("leaky", "leeky"), 10, "leeky"),
    "no [net] first": (CONV, 1, "[net]"),
    "no layers": (NET, None, "no layer"),
    "key outside a section": ("width=3\n" + NET, 1, "before any"),
    "line that is no assignment": (NET + "width\n", 5, "key=value"),
    "value that is no number": (NET + CONV.replace("=8", "=x"), 6, "'x'"),
    "negative size": (NET + CONV.replace("=8", "=-8"), 6, "filters=-8"),
    "zero stride": (NET + CONV.replace("stride=1", "stride=0"), 8, "stride=0"),
    "route beyond the first layer": (NET + CONV + "[route]\nlayers=-4\n", 12, "layers"),
    "route of unequal sizes": (
        NET + CONV + CONV.replace("stride=1", "stride=2") + "[route]\nlayers=0,1\n", 18, "unequal",
    ),
    "shortcut of shapes that no stride joins": (
        NET + CONV + "[convolutional]\nsize=1\nstride_x=2\n[shortcut]\nfrom=0\n", 15, "no one stride",
    ),
    "groups that do not divide": (NET + CONV + "groups=3\nfilters=9\n", 11, "groups=3"),
    "wrong class count": (NET + CONV + "[yolo]\nmask=0\nclasses=80\n", 13, "85 channels"),
    "output without pixels": (
        NET + CONV.replace("size=3", "size=99").replace("pad=1", "pad=0"), 5, "output would be",
    ),
    "value that is not converted": (NET + CONV + "coordconv=1\n", 11, "coordconv"),
    "unknown key": (NET + CONV + "paddding=1\n", 11, "Did you mean padding"),
    "unknown key of [net]": ("[net]\nwidht=3\n" + NET[6:] + CONV, 2, "Did you mean width"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "named"), BAD.values(), ids=BAD)
def test_bad_cfg_is_named(text: str, line: int | None, named: str) -> None:
    """Each defect is one error with the file, the line and what is wrong there."""
    with pytest.raises(ConversionError) as caught:
        network.resolve(parse(text))
    assert named in str(caught.value)
    assert caught.value.where == ("net.cfg" if line is None else f"net.cfg:{line}")


@pytest.mark.parametrize(
    ("length", "keys", "out", "pads"),
    [
        (13, {"size": 2, "stride": 1}, 13, (0, 0, 1, 1)),
        (13, {"size": 2, "stride": 2}, 7, (0, 0, 1, 1)),
        (12, {"size": 2, "stride": 2}, 6, (0, 0, 0, 0)),
        (13, {"size": 5, "stride": 1}, 13, (2, 2, 2, 2)),
        (12, {"size": 3, "stride": 2, "padding": 0}, 5, (0, 0, 0, 0)),
    ],
)
def test_maxpool_pads_as_darknet_pads(
    length: int, keys: dict[str, int], out: int, pads: tuple[int, ...]
) -> None:
    """Output size and pads are Darknet's, odd sizes and stride 1 included."""
    lines = "".join(f"{key}={value}\n" for key, value in keys.items())
    text = f"[net]\nwidth={length}\nheight={length}\nchannels=3\n[maxpool]\n{lines}"
    layer = network.resolve(parse(text)).layers[0]
    assert layer.shape == (3, out, out)
    assert pooling.pool_pads(layer.section, layer.input_shapes[0]) == pads


GARBAGE = bytes(range(128, 256)) * 40


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            NET.encode() + CONV.encode() + GARBAGE + b"\n",
            "a text of .* characters that cannot be printed is no",
        ),
        (NET.encode() + b"[" + GARBAGE + b"]\n", r"unknown section"),
        (NET.encode() + CONV.encode() + b"groups=" + GARBAGE, "groups=a text of .* is no number"),
        (NET.encode() + CONV.replace("=8", "=\x1b[31m" + "x" * 5000).encode(), r"filters='\?\[31mx+\.\.\.'"),
        (NET.encode() + b"x" * 5000 + b"\n", r"'x{80}\.\.\.' \(5000 characters\) is no key=value"),
        (b"\0\0\0\0\2\0\0\0\5\0\0\0" + GARBAGE, r":1: is no text.*Name the \.cfg file first"),
        ((NET + CONV).encode("utf-16"), "is UTF-16, .*Save it as UTF-8"),
    ],
)
def test_no_message_shows_the_bytes_of_a_file(data: bytes, said: str, tmp_path: Path) -> None:
    """A message is one printable line of at most some hundred characters, whatever the file holds."""
    (tmp_path / "net.cfg").write_bytes(data)
    with pytest.raises(ConversionError, match=said) as caught:
        network.resolve(config.read(tmp_path / "net.cfg"))
    text = str(caught.value).replace(str(tmp_path), "")
    assert text.isprintable()
    assert len(text) < 600


def test_a_weights_file_that_is_a_cfg_says_the_order(tmp_path: Path) -> None:
    """Files given the wrong way round are told so on both sides."""
    (tmp_path / "net.cfg").write_text(NET + CONV)
    with pytest.raises(ConversionError, match=r"is text, as a cfg is\. Name the \.cfg file first"):
        WeightsReader(tmp_path / "net.cfg")


@pytest.mark.parametrize("value", ["1e39", "-1e99", "9" * 60])
def test_a_number_beyond_float32_is_refused(value: str) -> None:
    """C's atof would make it infinite, and so would the model's constants be."""
    with pytest.raises(ConversionError, match=r"net\.cfg:12: .*scale_x_y='.*' is more than float32 holds"):
        network.resolve(parse(f"{NET}{CONV}[yolo]\nscale_x_y={value}\nclasses=3\nmask=0\nanchors=1,2\n"))


def test_keys_of_both_parsers_are_known() -> None:
    """What stands in published cfgs and in either parser's code is read without leniency."""
    conv = CONV + "dontsave=1\nsmooth=1\ntruth=1\nnumload=0\n"
    assert network.resolve(parse(NET + "max_epochs=100\nletter_box=1\n" + conv)).layers


def test_an_unknown_key_names_the_option_that_ignores_it() -> None:
    """Command line and model file have a word for it each."""
    with pytest.raises(
        ConversionError, match=r"unknown key 'widht'\. .*--lenient \(lenient = true in a model"
    ):
        network.resolve(parse("[net]\nwidht=3\n" + NET[6:] + CONV))
