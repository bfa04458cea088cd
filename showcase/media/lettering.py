"""Words set in the house's type, or in a system's font for scripts it does not have. Blocks (Pillow, fontconfig)."""

from __future__ import annotations

import logging
import math
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageDraw, ImageFont

log = logging.getLogger(__name__)

# Archivo comes in parts by script; which part has a character is seen by asking it.
_PARTS = (
    "archivo-latin-wdth-normal.woff2",
    "archivo-latin-ext-wdth-normal.woff2",
    "archivo-vietnamese-wdth-normal.woff2",
)
_NOWHERE = "\U0010ffff"
"""A code point that is no character: what a font draws for it is what it draws for all that it does not have."""

_JOINERS = "\u200c\u200d"
_FALLBACK_S = 5
_ASKED = 64  # the size in pixels at which a font is asked what it has


@dataclass(frozen=True, slots=True)
class Style:
    """How words are set: the weight (100 to 900), the width in percent (62 to 125), space between letters in em."""

    weight: int
    width: int = 100
    tracking: float = 0.0


@dataclass(frozen=True, slots=True)
class _Source:
    """A font file. `path` None is the one that Pillow brings; `own` is one of the house's, with axes."""

    path: str | None
    index: int = 0
    own: bool = False


Measure = Callable[[str], float]
"""The width of words in pixels."""

_Font = ImageFont.FreeTypeFont


class Lettering:
    """Chooses a font for each character, measures and draws. `fonts` is the folder of the house's."""

    def __init__(self, fonts: Path) -> None:
        files = [fonts / name for name in _PARTS]
        self._own = [_Source(str(f), own=True) for f in files if f.is_file()] or [_Source(None)]
        self._loaded: dict[tuple[_Source, Style, int], _Font | None] = {}
        self._known: dict[tuple[_Source, str], bool] = {}
        self._sources: dict[tuple[str, bool], _Source | None] = {}

    def settable(self, text: str, style: Style) -> str:
        """The words as they can be set: without what cannot be seen, and without signs (as emoji) that no font has.

        Empty if a letter is among what no font has: half a name is worse than none.
        """
        kept = []
        for char in unicodedata.normalize("NFC", " ".join(text.split())):
            kind = unicodedata.category(char)
            if (kind[0] == "C" and char not in _JOINERS) or _selects(char):
                continue
            if char in _JOINERS or self._source(char, style) is not None:
                kept.append(char)
            elif kind[0] in "LNM":
                return ""
        return " ".join("".join(kept).split())

    def length(self, text: str, style: Style, size: int) -> float:
        """How wide the words are from the ink of the first letter on, in pixels."""
        runs = self._runs(text, style)
        return sum(self._advance(source, run, style, size) for source, run in runs) - self._bearing(runs, style, size)

    def rise(self, text: str, style: Style, size: int) -> int:
        """How high the words stand above their baseline, in pixels."""
        tops = [self._font(s, style, size).getbbox(run, anchor="ls")[1] for s, run in self._runs(text, style)]
        return -math.floor(min(tops, default=0))

    def draw(
        self,
        canvas: ImageDraw.ImageDraw,
        at: tuple[float, float],
        text: str,
        style: Style,
        size: int,
        fill: tuple[int, ...],
    ) -> None:
        """Draw one line of words; `at` is where its baseline and the ink of its first letter start."""
        x, y = at
        runs = self._runs(text, style)
        x -= self._bearing(runs, style, size)
        for source, run in runs:
            font = self._font(source, style, size)
            if source.own:
                for offset, char in self._letters(font, run, style, size):
                    canvas.text((x + offset, y), char, fill=fill, font=font, anchor="ls")
            else:
                canvas.text((x, y), run, fill=fill, font=font, anchor="ls")
            x += self._advance(source, run, style, size)

    def _advance(self, source: _Source, run: str, style: Style, size: int) -> float:
        tracking = style.tracking * size * len(run) if source.own else 0.0
        return float(self._font(source, style, size).getlength(run)) + tracking

    def _bearing(self, runs: Sequence[tuple[_Source, str]], style: Style, size: int) -> int:
        """Pixels from where words start to their ink; less than 0 where that hangs over, as of a j."""
        if not runs:
            return 0
        source, run = runs[0]
        # The first letter is the leftmost one, but for scripts that run from right to left.
        mask, (left, _) = self._font(source, style, size).getmask2(run[0] if source.own else run, "L", anchor="ls")
        ink = mask.getbbox()
        return int(left) + ink[0] if ink else 0

    @staticmethod
    def _letters(font: _Font, run: str, style: Style, size: int) -> list[tuple[float, str]]:
        """Letters and where they stand, with kerning; Pillow knows no space between letters."""
        return [
            (font.getlength(run[: n + 1]) - font.getlength(char) + style.tracking * size * n, char)
            for n, char in enumerate(run)
        ]

    def _runs(self, text: str, style: Style) -> list[tuple[_Source, str]]:
        """The words in pieces of one font. Spaces and marks stay with what they follow, for shaping."""
        runs: list[tuple[_Source, str]] = []
        for char in text:
            if runs and self._takes(runs[-1][0], char, style):
                runs[-1] = (runs[-1][0], runs[-1][1] + char)
            elif (source := self._source(char, style)) is not None:
                runs.append((source, char))
        return runs

    def _takes(self, source: _Source, char: str, style: Style) -> bool:
        """Whether a character stays with the font of the one before it. Latin letters go back to the house's font."""
        if char.isspace() or char in _JOINERS:
            return True
        return not (char.isascii() and source not in self._own) and self._has(source, char, style)

    def _has(self, source: _Source, char: str, style: Style) -> bool:
        """Whether a font has a character."""
        if (source, char) not in self._known:
            font = self._font_or_none(source, style, _ASKED)
            self._known[source, char] = font is not None and (
                char.isspace() or bytes(font.getmask(char)) != bytes(font.getmask(_NOWHERE))
            )
        return self._known[source, char]

    def _source(self, char: str, style: Style) -> _Source | None:
        """The first font that has a character: the house's, else one that fontconfig knows."""
        key = (char, style.weight >= 600)
        if key not in self._sources:
            own = next((s for s in self._own if self._has(s, char, style)), None)
            self._sources[key] = own or self._system(char, style)
        return self._sources[key]

    def _system(self, char: str, style: Style) -> _Source | None:
        """A system's font for a character, by fontconfig's own choice; None where there is neither."""
        tool = shutil.which("fc-match")
        if tool is None:
            return None
        weight = "bold" if style.weight >= 600 else "regular"
        pattern = f"sans:{weight}:scalable=true:charset={ord(char):x}"
        try:
            said = subprocess.run(
                [tool, "-f", "%{file}\n%{index}", pattern], capture_output=True, timeout=_FALLBACK_S, check=True
            ).stdout.decode()
            path, _, index = said.partition("\n")
            found = _Source(path, int(index) & 0xFFFF)  # above are named instances of variable fonts
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            log.warning("lettering: no font for U+%04X: %s", ord(char), error)
            return None
        return found if self._has(found, char, style) else None

    def _font(self, source: _Source, style: Style, size: int) -> _Font:
        font = self._font_or_none(source, style, size)
        if font is None:
            raise OSError(f"{source.path} cannot be used at {size} pixels")
        return font

    def _font_or_none(self, source: _Source, style: Style, size: int) -> _Font | None:
        key = (source, style, size)
        if key not in self._loaded:
            try:
                self._loaded[key] = _load(source, style, size)
            except OSError:
                self._loaded[key] = None  # broken, or a font of bitmaps in other sizes
        return self._loaded[key]


def _load(source: _Source, style: Style, size: int) -> _Font:
    if source.path is None:
        built_in = ImageFont.load_default(size)
        if not isinstance(built_in, _Font):
            raise OSError("this Pillow has no FreeType")
        return built_in
    font = ImageFont.truetype(source.path, size, index=source.index)
    if source.own:
        try:
            font.set_variation_by_axes([style.weight, style.width])
        except (OSError, NotImplementedError):
            log.info("lettering: this FreeType sets no axes; %s stays regular", source.path)
    return font


def _selects(char: str) -> bool:
    return unicodedata.name(char, "").startswith("VARIATION SELECTOR")


def pieces(text: str) -> list[str]:
    """Words as they may be parted at the end of a line: after spaces, and between Han and Kana characters."""
    parts: list[str] = []
    for char in text:
        if parts and not (parts[-1].endswith(" ") or _parted(parts[-1][-1], char)):
            parts[-1] += char
        else:
            parts.append(char)
    return parts


def _parted(before: str, char: str) -> bool:
    """Whether a line may end between two characters of a script without spaces: not before its marks, nor in a bracket."""
    wide = unicodedata.east_asian_width(before) in "WF" and unicodedata.category(before) != "Ps"
    return wide and unicodedata.name(char, "").startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA"))


def wrap(parts: Sequence[str], width: float, measure: Measure) -> list[str] | None:
    """Lines no wider than `width`, as few as can be and of even length; None if a part is too wide by itself."""
    lines = _greedy(parts, width, measure)
    if lines is None or len(lines) < 2:
        return lines
    low, high, best = 0.0, width, lines
    while high - low > 8:
        middle = (low + high) / 2
        tried = _greedy(parts, middle, measure)
        if tried is not None and len(tried) == len(lines):
            high, best = middle, tried
        else:
            low = middle
    return best


def _greedy(parts: Sequence[str], width: float, measure: Measure) -> list[str] | None:
    lines = [""]
    for part in parts:
        if measure(part.rstrip()) > width:
            return None
        if lines[-1] and measure((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines if line]
