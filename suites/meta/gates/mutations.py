"""Damaged files made of sound ones, the same in every run: what every reader is tried with.

Bytes are cut, changed, repeated or spliced; of a text also lines and words; of a zip archive the members too,
with the checksums of what they then hold, so that a reader behind the archive sees the damage.
"""

from __future__ import annotations

import io
import os
import random
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence

COUNT = int(os.environ.get("TRT_PARITY_FUZZ", "250"))
"""Damaged files that each reader is tried with; the weekly run tries a thousand."""
Change = Callable[[bytes, random.Random], bytes]
NUMBERS = (
    "0", "-1", "1", "2", "7", "16", "255", "65536", "1048576", "2147483648", "9223372036854775808", "1e9",
    "0.5", "-0.0", "1e39", "1e-46", "nan", "inf", "-inf", "9" * 400, "0x10", "١٢",
)  # fmt: skip
"""What stands in place of a number."""
WORDS = (
    "", " ", "x", "=", "[", "]", "[[1]]", "{", "}", '"', "'", ",", "#", ";", "\\", "\0", "\x1b[31m", "\ufeff",
    "é漢", "\ud7ff", "null", "true", "None", "../..", "/", "a" * 3000, "[" * 2000, "{\"a\":" * 500,
)  # fmt: skip
"""What stands in place of a word, or between two."""
FIELDS = (
    0, 1, 2, 127, 128, 255, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FC00000,
    0x7F800000, 0xFF800000, 0xBF800000,
)  # fmt: skip
"""What stands in place of four bytes: ends of ranges, and NaN, infinities and -1 as float32."""


def _place(data: bytes | Sequence[object], by: random.Random) -> int:
    return by.randrange(len(data)) if len(data) else 0


def _cut(data: bytes, by: random.Random) -> bytes:
    return data[: _place(data, by)]


def _drop(data: bytes, by: random.Random) -> bytes:
    at = _place(data, by)
    return data[:at] + data[at + by.choice((1, 2, 4, 16, 256)) :]


def _set(data: bytes, by: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(by.choice((1, 1, 2, 8))):
        if made:
            made[_place(made, by)] = by.randrange(256)
    return bytes(made)


def _flip(data: bytes, by: random.Random) -> bytes:
    made = bytearray(data)
    if made:
        made[_place(made, by)] ^= 1 << by.randrange(8)
    return bytes(made)


def _field(data: bytes, by: random.Random) -> bytes:
    at = _place(data, by) // 4 * 4
    return data[:at] + by.choice(FIELDS).to_bytes(4, "little") + data[at + 4 :]


def _insert(data: bytes, by: random.Random) -> bytes:
    at = _place(data, by)
    return data[:at] + by.randbytes(by.choice((1, 4, 8, 64))) + data[at:]


def _repeat(data: bytes, by: random.Random) -> bytes:
    at = _place(data, by)
    return data[:at] + data[max(0, at - by.choice((1, 8, 64, 1024))) :]


def _blank(data: bytes, by: random.Random) -> bytes:
    at, count = _place(data, by), by.choice((4, 16, 256))
    return data[:at] + by.choice((b"\0", b"\xff")) * count + data[at + count :]


def _append(data: bytes, by: random.Random) -> bytes:
    return data + by.choice((b"\0", bytes(4), bytes(8), b"\n", by.randbytes(40), data[:100]))


BYTES: tuple[Change, ...] = (_cut, _drop, _set, _flip, _field, _insert, _repeat, _blank, _append)
"""Changes of any file."""


def _lines(change: Callable[[list[str], random.Random], None]) -> Change:
    def changed(data: bytes, by: random.Random) -> bytes:
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        change(lines, by)
        return "\n".join(lines).encode("utf-8", "surrogateescape")

    return changed


def _delete_line(lines: list[str], by: random.Random) -> None:
    del lines[_place(lines, by)]


def _double_line(lines: list[str], by: random.Random) -> None:
    lines.insert(_place(lines, by), by.choice(lines))


def _swap_lines(lines: list[str], by: random.Random) -> None:
    a, b = _place(lines, by), _place(lines, by)
    lines[a], lines[b] = lines[b], lines[a]


def _new_line(lines: list[str], by: random.Random) -> None:
    lines.insert(_place(lines, by), by.choice(WORDS))


def _replaced(pattern: str, values: Sequence[str]) -> Change:
    def changed(data: bytes, by: random.Random) -> bytes:
        text = data.decode("utf-8", "surrogateescape")
        if not (found := list(re.finditer(pattern, text))):
            return data
        match = by.choice(found)
        made = text[: match.start()] + by.choice(values) + text[match.end() :]
        return made.encode("utf-8", "surrogateescape")

    return changed


TEXT: tuple[Change, ...] = (
    _lines(_delete_line), _lines(_double_line), _lines(_swap_lines), _lines(_new_line),
    _replaced(r"-?\d+(\.\d+)?", NUMBERS), _replaced(r"-?\d+(\.\d+)?", NUMBERS),
    _replaced(r"[A-Za-z_]+", WORDS),
    _replaced(r"\W", WORDS),
)  # fmt: skip
"""Changes of a text, to be tried beside `BYTES`."""


def in_archive(changes: Sequence[Change]) -> Change:
    """Make the change of one member of a zip archive, stored with its right checksum, or of its name."""

    def changed(data: bytes, by: random.Random) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = [(info.filename, archive.read(info)) for info in archive.infolist()]
        except Exception:  # damaged by the change before, in any way that zipfile raises something for
            return data
        # the first member of torch's archives is the pickle that says what the others are
        at = 0 if by.random() < 0.4 else _place(members, by)
        name, content = members[at]
        members[at] = (name, by.choice(changes)(content, by)) if by.random() < 0.95 else (name + "x", content)
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for each, content in members:
                archive.writestr(zipfile.ZipInfo(each), content)
        return made.getvalue()

    return changed


def mutations(
    sound: Sequence[bytes], changes: Sequence[Change], count: int, seed: int = 0
) -> Iterator[bytes]:
    """Yield so many damaged files, each made of a sound one by one to three changes, all from one seed.

    One in fifty is spliced of two sound ones. None is equal to a sound one.
    """
    by = random.Random(seed)  # noqa: S311
    while count:
        data = by.choice(sound)
        if by.random() < 0.02:
            data = data[: _place(data, by)] + (other := by.choice(sound))[_place(other, by) :]
        for _ in range(by.choice((1, 1, 1, 2, 3))):
            data = by.choice(changes)(data, by)
        if data not in sound:
            count -= 1
            yield data
