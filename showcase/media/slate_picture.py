"""The picture of a slate: a horizon on near-black, titles above it, small lines below, one accent. Blocks (Pillow).

The lowest quarter stays free: there the page draws its countdown.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from showcase.core import hues
from showcase.media.lettering import Lettering, Style, pieces, wrap

WIDTH, HEIGHT = 1_920, 1_080
LEFT, RIGHT, TOP = WIDTH // 10, WIDTH - WIDTH // 10, HEIGHT // 10  # old screens and projectors cut the edges off
HORIZON = 684
ABOVE, BELOW = 62, 86  # from the horizon to the last baseline above it, and to the first one below

TITLE, TEXT = Style(760, 118, -0.022), Style(480, 102, -0.004)
LARGEST, SENTENCE, CROWDED, LEAST = 168, 108, 76, 48
"""Sizes of titles in pixels: at most, of a sentence that stands for one, and at least. From `CROWDED` on there are at
most `FEW` lines."""

FEW = 4
SIZES_TEXT = (42, 40, 38, 34)
LONGEST = 300
"""So many characters of a title are looked at; a name is shorter."""

# The dark scheme of `static/css/tokens.css`; the picture's ground is what stands around pictures (`recipe.BACKGROUND`).
STAGE = (8, 9, 11)
INK = hues.srgb(0.965, 0.005, 90)
INK_2 = hues.srgb(0.79, 0.01, 260)
LINE = hues.srgb(0.36, 0.015, 270)


@dataclass(frozen=True, slots=True)
class _Block:
    """Titles in lines, all at one size; `rise` is the height of the first line over its baseline."""

    size: int
    rise: int
    titles: list[list[str]]

    @property
    def leading(self) -> int:
        """From one baseline to the next."""
        return round(self.size * 1.06)

    @property
    def gap(self) -> int:
        """More between two titles."""
        return round(self.size * 0.34)

    @property
    def lines(self) -> int:
        return sum(map(len, self.titles))

    @property
    def height(self) -> int:
        """From the top of the first line to the last baseline."""
        return self.rise + (self.lines - 1) * self.leading + (len(self.titles) - 1) * self.gap


def draw(path: Path, *, titles: Sequence[str], lines: Sequence[str], hue: float | None, fonts: Path) -> None:
    """Write a PNG of 1920x1080 pixels to `path`.

    `titles` is a festival's name in each of its languages, `lines` what is said below, one for each language. `hue` is
    its city's (OKLCH, degrees); without one the accent is white. `fonts` is the folder of the house's fonts; Pillow's
    own is taken where that is missing. Titles and lines with letters that no font has are left out. Raises OSError.
    """
    letters = Lettering(fonts)
    names = list(dict.fromkeys(t for title in titles if (t := _short(letters.settable(title, TITLE)))))
    said = [t for line in lines if (t := _short(letters.settable(line, TEXT)))]
    picture = Image.new("RGB", (WIDTH, HEIGHT), STAGE)
    canvas = ImageDraw.Draw(picture)
    accent = INK if hue is None else hues.srgb(0.78, 0.15, hue)
    canvas.rectangle((0, HORIZON - 1, WIDTH, HORIZON + 1), fill=LINE)
    canvas.rectangle((LEFT, HORIZON - 5, LEFT + 119, HORIZON + 5), fill=accent)
    if names:
        _titles(canvas, letters, names, LARGEST)
        _said(canvas, letters, said)
    elif said:  # no name: what is to be said takes its place
        _titles(canvas, letters, said, SENTENCE)
    whole = path.with_name(f".{path.name}.part")
    picture.save(whole, "PNG", optimize=True)
    os.replace(whole, path)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _titles(canvas: ImageDraw.ImageDraw, letters: Lettering, names: Sequence[str], largest: int) -> None:
    block = fitted(letters, names, RIGHT - LEFT, HORIZON - ABOVE - TOP, largest)
    y = HORIZON - ABOVE
    for number, title in reversed(list(enumerate(block.titles))):
        for line in reversed(title):
            letters.draw(canvas, (LEFT, y), line, TITLE, block.size, INK if number == 0 else INK_2)
            y -= block.leading
        y -= block.gap


def fitted(letters: Lettering, names: Sequence[str], width: int, height: int, largest: int = LARGEST) -> _Block:
    """The titles as large as they fit: first in few lines, then in many, at last cut off."""
    for sizes, most in ((range(CROWDED, largest + 1), FEW), (range(LEAST, CROWDED), height)):
        low, high = 0, len(sizes)
        best: _Block | None = None
        while low < high:
            middle = (low + high) // 2
            block = _set(letters, names, width, sizes[middle])
            if block is not None and block.height <= height and block.lines <= most:
                best, low = block, middle + 1
            else:
                high = middle
        if best is not None:
            return best
    return _cut(letters, names, width, height)


def _set(letters: Lettering, names: Sequence[str], width: int, size: int) -> _Block | None:
    """The titles at one size, None if a word is too wide for it."""
    titles = []
    for name in names:
        lines = wrap(pieces(name), width, lambda t: letters.length(t, TITLE, size))
        if lines is None:
            return None
        titles.append(lines)
    return _Block(size, letters.rise(titles[0][0], TITLE, size), titles)


def _cut(letters: Lettering, names: Sequence[str], width: int, height: int) -> _Block:
    """The titles at the least size: words parted anywhere, and only as many lines as there is room for."""

    def measure(text: str) -> float:
        return letters.length(text, TITLE, LEAST)

    kept: list[list[str]] = []
    rise = LEAST * 3 // 2
    for name in names:
        lines = wrap(pieces(name), width, measure) or wrap(list(name), width, measure) or []
        kept.append([])
        for line in lines:
            kept[-1].append(line)
            if _Block(LEAST, rise, kept).height > height:
                kept[-1].pop()
                kept = [title for title in kept if title]
                last = kept[-1][-1]
                while last and measure(f"{last}…") > width:
                    last = last[:-1]
                kept[-1][-1] = f"{last.rstrip()}…"
                return _Block(LEAST, rise, kept)
    return _Block(LEAST, rise, kept)


def _said(canvas: ImageDraw.ImageDraw, letters: Lettering, said: Sequence[str]) -> None:
    """Lines side by side where they fit, else one below the other, cut off at the margin."""
    column = (RIGHT - LEFT) // max(1, len(said))
    for size in SIZES_TEXT:
        if all(letters.length(t, TEXT, size) <= column - 2 * size for t in said[:-1]) and all(
            letters.length(t, TEXT, size) <= column for t in said[-1:]
        ):
            for n, text in enumerate(said):
                letters.draw(canvas, (LEFT + n * column, HORIZON + BELOW), text, TEXT, size, INK_2)
            return
    size = SIZES_TEXT[-1]
    for n, text in enumerate(said[:3]):
        shown = text
        while letters.length(shown, TEXT, size) > RIGHT - LEFT:
            shown = f"{shown[:-2].rstrip()}…"
        letters.draw(canvas, (LEFT, HORIZON + BELOW + n * round(size * 1.4)), shown, TEXT, size, INK_2)
