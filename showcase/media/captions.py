"""Captions as they are uploaded (WebVTT or SRT, in whatever letters) to clean WebVTT, cues and a transcript.

The libraries forgive or drop what they do not understand; an artist wants to know which line is wrong. So this is a
reader of our own: strict with times, gentle with the rest. Each line is looked at a constant number of times.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from showcase.core.languages import normal_tag
from showcase.core.storyboard import timestamp
from showcase.errors import MediaError
from showcase.media.sniff import HEAD_BYTES, sniff

LIMIT_KB = 1_024
LIMIT_CUES = 20_000
_DEEPEST = 16  # tags within tags; deeper ones are left out
_QUOTED = 80  # characters of a faulty line that are told

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")
_ASIDE = re.compile(r"NOTE(?:[ \t].*)?|STYLE[ \t]*|REGION[ \t]*")
_TIME = r"(?:(\d{1,4}):)?([0-5]\d):([0-5]\d)[.,](\d{3})"
_TIMING = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t]+(.*))?[ \t]*", re.ASCII)
_MEANT_AS_TIMING = re.compile(r"[ \t]*[\d:.,]+[ \t]*-->", re.ASCII)
_NUMBER = re.compile(r"[ \t]*\d{1,9}[ \t]*", re.ASCII)

# WebVTT 3.4; `region` is left out as its definition is, and "middle" is what older files say for "center".
_PERCENT = r"(?:100(?:\.0+)?|\d{1,2}(?:\.\d{1,9})?)%"
_SETTINGS = {
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(rf"(?:-?\d{{1,4}}|{_PERCENT})(?:,(?:start|center|end))?", re.ASCII),
    "position": re.compile(rf"{_PERCENT}(?:,(?:line-left|center|line-right))?", re.ASCII),
    "size": re.compile(_PERCENT, re.ASCII),
    "align": re.compile(r"start|center|end|left|right"),
}

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)((?:\.[^\s<>.]+)*)(?:\s+([^<>]*))?>", re.ASCII)
_MOMENT = re.compile(r"<\d[\d:.]*>", re.ASCII)  # a karaoke time inside a cue
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")  # Advanced SubStation in SRT, as {\an8}
_TOP = re.compile(r"\{\\an[789]\}")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});", re.ASCII)
_CLASS = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")
_KEPT = frozenset({"i", "b", "u", "c", "v", "ruby", "rt", "lang"})


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: when it stands, in microseconds, and its text without markup, lines parted by a line feed."""

    start_us: int
    end_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Captions:
    """`vtt` is WebVTT that is safe to hand out, `cues` the same in order of time, `transcript` one line a cue."""

    vtt: str
    cues: tuple[Cue, ...]
    transcript: str


@dataclass(slots=True)
class _Block:
    """A cue as it stands in the file."""

    start_us: int
    end_us: int
    settings: str
    lines: list[str]


def read(data: bytes, filename: str) -> Captions:
    """Read captions. The name only helps to say what is wrong: the content decides what it is.

    Raises MediaError: captions-empty, captions-too-large, captions-kind, captions-encoding, captions-time,
    captions-order, captions-too-many.
    """
    if len(data) > LIMIT_KB * 1_024:
        raise MediaError("captions-too-large", limit=LIMIT_KB)
    lines = _decoded(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise MediaError("captions-empty")
    webvtt = _HEADER.fullmatch(lines[first]) is not None
    if webvtt:
        # The header goes on to the first empty line, or to a cue where that was forgotten.
        while first < len(lines) and lines[first].strip() and "-->" not in lines[first]:
            first += 1
    elif not _looks_like_srt(lines, first, filename):
        raise MediaError("captions-kind")
    blocks = _blocks(lines, first, webvtt=webvtt)
    blocks.sort(key=lambda b: (b.start_us, b.end_us))
    cues: list[Cue] = []
    written = ["WEBVTT", ""]
    for block in blocks:
        text = "\n".join(block.lines)
        settings = _settings(block.settings) if webvtt else "line:0" if _TOP.search(text) else ""
        marked, plain = _clean(text if webvtt else _OVERRIDE.sub("", text))
        if not plain:
            continue
        cues.append(Cue(block.start_us, block.end_us, plain))
        times = f"{timestamp(block.start_us)} --> {timestamp(block.end_us)}"
        written += [f"{times} {settings}".rstrip(), marked, ""]
    if not cues:
        raise MediaError("captions-empty")
    return Captions("\n".join(written), tuple(cues), _transcript(cues))


def _decoded(data: bytes) -> str:
    """The letters: by a byte order mark, else UTF-8, else Windows' Western letters where all of them are defined."""
    marked = next(((data[len(bom) :], name) for bom, name in _BOMS if data.startswith(bom)), None)
    if marked is None and data:
        try:
            if sniff(data[:HEAD_BYTES]).container != "captions":
                raise MediaError("captions-kind")  # a film, a picture, a page
        except MediaError as error:
            if error.code != "unknown-kind":
                raise
    for rest, name in [marked] if marked else [(data, "utf-8"), (data, "cp1252")]:
        try:
            text = rest.decode(name)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:  # UTF-16 without its mark, or no text at all
            return text
    raise MediaError("captions-encoding")


def _looks_like_srt(lines: Sequence[str], first: int, filename: str) -> bool:
    if "-->" in lines[first]:
        return True
    if not _NUMBER.fullmatch(lines[first]):
        return False
    # A number, then times. Where the name says SRT, whatever stands there instead is told as a fault in its line.
    return "-->" in "".join(lines[first + 1 : first + 2]) or filename.lower().endswith((".srt", ".vtt"))


def _blocks(lines: Sequence[str], first: int, *, webvtt: bool) -> list[_Block]:
    """The cues from line `first` on (counted from 0), in the order of the file."""
    found: list[_Block] = []
    block: _Block | None = None  # the cue whose text is being read
    heading: int | None = None  # a line that may be the number or name of the next cue
    aside = False  # in a comment or style sheet
    gap = True  # the line before was empty
    for n in range(first, len(lines)):
        line = lines[n].strip("\ufeff")
        if not line.strip():
            if heading is not None and (webvtt or not _NUMBER.fullmatch(lines[heading])):
                _not_a_time(lines, heading)
            aside, gap = False, True
            continue
        if aside:
            continue
        if gap and webvtt and heading is None and _ASIDE.fullmatch(line):
            aside, block = True, None
            continue
        opens = gap or heading is not None or block is None
        if "-->" in line and (opens or _MEANT_AS_TIMING.match(line)):
            if block is not None and not opens and block.lines and _NUMBER.fullmatch(block.lines[-1]):
                block.lines.pop()  # the empty line before the number was forgotten
            block = _timed(lines, n)
            heading = None
            if block.end_us > block.start_us:
                if len(found) == LIMIT_CUES:
                    raise MediaError("captions-too-many", limit=LIMIT_CUES)
                found.append(block)
        elif heading is not None:
            _not_a_time(lines, n)
        elif block is None or (gap and (webvtt or _NUMBER.fullmatch(line))):
            heading = n
        else:
            block.lines.append(line)  # an empty line inside the text of SRT is common, and forgiven
        gap = False
    if heading is not None and not _NUMBER.fullmatch(lines[heading]):
        _not_a_time(lines, heading)
    return found


def _not_a_time(lines: Sequence[str], n: int) -> NoReturn:
    text = _CONTROLS.sub(" ", lines[n]).strip()
    raise MediaError("captions-time", line=n + 1, text=text[:_QUOTED])


def _timed(lines: Sequence[str], n: int) -> _Block:
    """The cue that line `n` opens. A time has three decimals, for "1,5" is read as 1.005 by some and 1.500 by others."""
    match = _TIMING.fullmatch(lines[n].strip("\ufeff"))
    if match is None:
        _not_a_time(lines, n)
    start_us, end_us = _us(match.groups()[:4]), _us(match.groups()[4:8])
    if end_us < start_us:
        raise MediaError("captions-order", line=n + 1)
    return _Block(start_us, end_us, match[9] or "", [])


def _us(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, thousandths = (int(p or 0) for p in parts)
    return (((hours * 60 + minutes) * 60 + seconds) * 1_000 + thousandths) * 1_000


def _settings(text: str) -> str:
    """The settings that mean something, each once."""
    kept: dict[str, str] = {}
    for word in text.split():
        name, _, value = word.partition(":")
        if name == "align" and value == "middle":
            value = "center"
        if name in _SETTINGS and _SETTINGS[name].fullmatch(value):
            kept[name] = value
    return " ".join(f"{name}:{value}" for name, value in kept.items())


def _clean(text: str) -> tuple[str, str]:
    """The text with safe, balanced markup, and without any. No line of either is empty."""
    marked: list[str] = []
    plain: list[str] = []
    open_tags: list[str] = []
    at = 0

    def say(words: str) -> None:
        letters = _letters(words)
        marked.append(_escaped(letters))
        if "rt" not in open_tags:  # how a word is read aloud is not said twice
            plain.append(letters)

    def close(name: str) -> None:
        while open_tags:
            last = open_tags.pop()
            marked.append(f"</{last}>")
            if last == name:
                return

    text = _MOMENT.sub("", text)
    for tag in _TAG.finditer(text):
        say(text[at : tag.start()])
        at = tag.end()
        closing, name, classes, note = tag[1], tag[2].lower(), tag[3], tag[4] or ""
        if closing:
            if name in open_tags:
                close(name)
        elif name in _KEPT and len(open_tags) < _DEEPEST and (opening := _opening(name, classes, note, open_tags)):
            open_tags.append(name)
            marked.append(opening)
    say(text[at:])
    close("")
    return _without_empty_lines("".join(marked)), _without_empty_lines("".join(plain))


def _opening(name: str, classes: str, note: str, within: Sequence[str]) -> str | None:
    """A start tag as WebVTT writes it (4.2.2), None where it means nothing."""
    if name == "rt" and "ruby" not in within:
        return None
    dotted = "".join(f".{c}" for c in classes.split(".")[:9] if _CLASS.fullmatch(c))
    if name == "lang":
        tag = normal_tag(note)
        return None if tag is None else f"<lang{dotted} {tag}>"
    if name == "v":
        voice = " ".join(_letters(note).split())[:200]
        return f"<v{dotted} {_escaped(voice)}>" if voice else None
    return f"<{name}{dotted}>"


def _letters(text: str) -> str:
    """Characters for their HTML names, and no control character but the ends of lines."""
    # The ends of lines are kept apart, so that none comes in by its number.
    return "\n".join(_CONTROLS.sub(" ", _ENTITY.sub(lambda m: html.unescape(m[0]), line)) for line in text.split("\n"))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _without_empty_lines(text: str) -> str:
    return "\n".join(line for line in (" ".join(raw.split(" ")).strip() for raw in text.split("\n")) if line)


def _transcript(cues: Sequence[Cue]) -> str:
    """What is said, one line a cue; a cue that repeats the one before it (as rolling captions do) is left out."""
    said: list[str] = []
    for cue in cues:
        line = " ".join(cue.text.split())
        if not said or said[-1] != line:
            said.append(line)
    return "\n".join(said)
