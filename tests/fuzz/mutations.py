"""Mutations of files, seeded: what slips of a hand, broken disks and bad intentions make of them."""

import random
from collections.abc import Callable

_LONG = 200_000

WORDS = (
    "",
    "0",
    "-1",
    "1e400",
    "-1e-400",
    "nan",
    "Infinity",
    "1_000",
    "9" * 4_301,
    "-" + "9" * 100_000,
    "1" * 5_000 + " kPa",
    "0x10",
    "1e3 degC",
    "40 degC +- 1e9 K",
    "40 +- +- K",
    "fans lost at 1 s over 2 s over 3 s",
    "fans" + " " * 9_000 + "lost" + " " * 9_000 + "at",
    "; ".join(["a  " * 3_000] * 100),
    "1 2 3 kPa",
    "1,5 kPa",
    "1 " * 100_000 + "kPa",
    "1," * 100_000 + "1 %",
    "١٢ kPa",
    "²  K",
    "~",
    "null",
    "[]",
    "[1, 2, 3]",
    "{}",
    "{a: {b: {c: [}",
    "&a",
    "*a",
    "!!python/object/apply:os.system ['false']",
    "<<: *a",
    "|",
    "> folded",
    "'unclosed",
    '"\\u001b]0;title\\u0007"',
    '"\\u202eevil\\u0000"',
    "\x1b[31mred\x1b[0m",
    "\x9b31m",
    "[bold]x[/bold][link=http://x]y",
    "<script>alert(1)</script>",
    '=HYPERLINK("http://x")',
    "@SUM(1)",
    "{{ 7 * 7 }}",
    "$\\frac{1}{$",
    "%s%n",
    "../../etc/passwd",
    "/dev/zero",
    "loop.yaml",
    "folder",
    "pipe",
    "gone.yaml",
    "circle.yaml",
    "a" * 300 + ".yaml",
    "a/" * 3_000 + "b.yaml",
    "x" * _LONG,
    "bad\x00name.yaml",
    '"bad\\0name.yaml"',
    "\ufeff",
    "\u2028",
    "propylene glycol 25 %",
    "water %vol",
)
"""What stands where a value stood."""

Text = Callable[[random.Random, list[str]], list[str]]


def _at(rng: random.Random, lines: list[str]) -> int:
    return rng.randrange(len(lines))


def _drop(rng: random.Random, lines: list[str]) -> list[str]:
    at = _at(rng, lines)
    return lines[:at] + lines[at + rng.choice((1, 1, 1, 5, 40)) :]


def _repeat(rng: random.Random, lines: list[str]) -> list[str]:
    at = _at(rng, lines)
    return lines[:at] + [lines[at]] * rng.choice((2, 2, 3, 2_000)) + lines[at + 1 :]


def _swap(rng: random.Random, lines: list[str]) -> list[str]:
    a, b = _at(rng, lines), _at(rng, lines)
    lines[a], lines[b] = lines[b], lines[a]
    return lines


def _indent(rng: random.Random, lines: list[str]) -> list[str]:
    at = _at(rng, lines)
    lines[at] = rng.choice((" ", "  ", "\t", "      ", " " * 5_000)) + lines[at]
    return lines


def _dedent(rng: random.Random, lines: list[str]) -> list[str]:
    at = _at(rng, lines)
    lines[at] = lines[at].lstrip()
    return lines


def _value(rng: random.Random, lines: list[str]) -> list[str]:
    at = _at(rng, lines)
    head, colon, _ = lines[at].partition(":")
    lines[at] = f"{head}: {rng.choice(WORDS)}" if colon else rng.choice(WORDS)
    return lines


def _key(rng: random.Random, lines: list[str]) -> list[str]:
    at = _at(rng, lines)
    head, _, tail = lines[at].partition(":")
    spaces = head[: len(head) - len(head.lstrip())]
    lines[at] = f"{spaces}{rng.choice((*WORDS, 'base', 'case', 'name', 'sweep', 'tune'))}:{tail}"
    return lines


def _cell(rng: random.Random, lines: list[str]) -> list[str]:
    """One word of a line, as in tables."""
    at = _at(rng, lines)
    comma = "," in lines[at]
    cells = lines[at].split("," if comma else None)
    if cells:
        cells[rng.randrange(len(cells))] = rng.choice((*WORDS, "1/3", "1*2", "...", "];", "%{", "'", "99.9"))
        lines[at] = ("," if comma else " ").join(cells)
    return lines


def _number(rng: random.Random, lines: list[str]) -> list[str]:
    at = _at(rng, lines)
    digits = [place for place, character in enumerate(lines[at]) if character.isdigit()]
    if digits:
        place = rng.choice(digits)
        written = rng.choice(("-", ".", "e9", "e-9", "0" * 50, "9" * 5_000, "_", ",", "+-"))
        lines[at] = lines[at][:place] + written + lines[at][place:]
    return lines


def _insert(rng: random.Random, lines: list[str]) -> list[str]:
    lines.insert(_at(rng, lines), rng.choice(WORDS))
    return lines


def _base(rng: random.Random, lines: list[str]) -> list[str]:
    return [f"base: {rng.choice(WORDS)}", *lines]


def _many(rng: random.Random, lines: list[str]) -> list[str]:
    """Thousands of mistakes in one file."""
    count = rng.choice((100, 5_000, 60_000))
    made = [f"{rng.choice('abcxyz')}{number}: 1" for number in range(count)]
    at = _at(rng, lines)
    return lines[:at] + made + lines[at:]


def _nest(rng: random.Random, lines: list[str]) -> list[str]:
    opening, depth = rng.choice((("[", 13), ("[", 50_000), ("{a: ", 20_000), ("- ", 10_000)))
    lines.insert(_at(rng, lines), "deep: " + opening * depth)
    return lines


LINES: tuple[Text, ...] = (
    _drop,
    _repeat,
    _swap,
    _indent,
    _dedent,
    _value,
    _value,
    _value,
    _key,
    _cell,
    _cell,
    _number,
    _number,
    _insert,
    _base,
    _many,
    _nest,
)


def mutated_text(rng: random.Random, source: bytes) -> bytes:
    """A text file after one to four mutations of its lines, and now and then of its bytes."""
    lines = source.decode("utf-8", errors="replace").split("\n")
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        lines = rng.choice(LINES)(rng, lines) or [""]
    raw = "\n".join(lines).encode("utf-8", errors="replace")
    return mutated_bytes(rng, raw) if rng.random() < 0.1 else raw


def mutated_bytes(rng: random.Random, source: bytes) -> bytes:
    """A file after one to eight mutations of its bytes."""
    raw = bytearray(source)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(raw) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            del raw[at:]
        elif kind == 1 and at < len(raw):
            raw[at] ^= 1 << rng.randrange(8)
        elif kind == 2 and at < len(raw):
            raw[at] = rng.choice((0x00, 0x7F, 0x80, 0xFF))
        elif kind == 3:
            raw[at:at] = rng.randbytes(rng.choice((1, 8, 500)))
        elif kind == 4:
            del raw[at : at + rng.choice((1, 8, 500))]
        else:
            raw[at : at + 8] = rng.choice((b"\xff" * 8, b"\x00" * 8, b"\xff\xff\xff\x7f\x00\x00\x00\x00"))
    return bytes(raw)
