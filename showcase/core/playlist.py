"""Timeline to HLS text (RFC 8216, draft-pantos-hls-rfc8216bis). Pure: the same bytes on every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from showcase.core.timeline import Window

US = 1_000_000
MEDIA_TYPE = "application/vnd.apple.mpegurl"


@dataclass(frozen=True, slots=True)
class Variant:
    """A picture rendition (or the sound of an audio work) in a master playlist. Rates in bits per second."""

    uri: str
    bandwidth: int
    average: int
    codecs: str
    width: int = 0
    height: int = 0
    fps: float = 0


@dataclass(frozen=True, slots=True)
class Alternative:
    """A sound or caption rendition beside the picture (EXT-X-MEDIA, RFC 8216bis 4.4.6.1)."""

    uri: str
    name: str
    lang: str
    default: bool = False
    described: bool = False
    channels: int = 2
    bandwidth: int = 0
    average: int = 0
    codecs: str = ""


def master(variants: Sequence[Variant], audio: Sequence[Alternative], captions: Sequence[Alternative]) -> str:
    """The multivariant playlist. Variants come lowest first: players start with the first (RFC 8216bis 6.3.1)."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for track, name in zip(audio, _names(audio), strict=True):
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="{name}",LANGUAGE="{track.lang}",'
            f"DEFAULT={_yes(track.default)},AUTOSELECT=YES,"
            + ('CHARACTERISTICS="public.accessibility.describes-video",' if track.described else "")
            + f'CHANNELS="{track.channels}",URI="{track.uri}"'
        )
    for track, name in zip(captions, _names(captions), strict=True):
        lines.append(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="{name}",LANGUAGE="{track.lang}",'
            f"DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,"
            f'CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,'
            f'public.accessibility.describes-music-and-sound",URI="{track.uri}"'
        )
    # The rates of a variant count the dearest sound that may go with it (RFC 8216bis 4.4.6.2).
    peak = max((a.bandwidth for a in audio), default=0)
    average = max((a.average for a in audio), default=0)
    sound = next((a.codecs for a in audio if a.codecs), "")
    for v in variants:
        codecs = ",".join(c for c in (v.codecs, sound) if c)
        line = f'#EXT-X-STREAM-INF:BANDWIDTH={v.bandwidth + peak},AVERAGE-BANDWIDTH={v.average + average},CODECS="{codecs}"'
        if v.width:
            line += f",RESOLUTION={v.width}x{v.height}"
        if v.fps:
            line += f",FRAME-RATE={v.fps:.3f}"
        if audio:
            line += ',AUDIO="audio"'
        if captions:
            line += ',SUBTITLES="captions"'
        lines += [line + ",CLOSED-CAPTIONS=NONE", v.uri]
    return "\n".join(lines) + "\n"


def media(
    window: Window, *, pinned: bool = False, target_us: int | None = None, numbers: tuple[int, int] = (0, 0)
) -> str:
    """A media playlist of `window`. `pinned`: its times are wall-clock time and are written as such.

    `target_us` fixes the target duration where later segments may be longer than those of this window; `numbers` are the
    media and discontinuity sequence numbers of a window in which there is nothing.
    """
    longest = target_us or max(
        (max(r.segments.durations_us[r.first : r.first + r.count], default=0) for r in window.runs), default=0
    )
    first = window.runs[0] if window.runs else None
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        # Each EXTINF, rounded, is at most this (RFC 8216 4.3.3.1).
        f"#EXT-X-TARGETDURATION:{max(1, (longest + US // 2) // US)}",
        f"#EXT-X-MEDIA-SEQUENCE:{first.sequence if first else numbers[0]}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{first.discontinuity if first else numbers[1]}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if window.ended and not pinned:
        lines.insert(3, "#EXT-X-PLAYLIST-TYPE:VOD")
    before = first.discontinuity if first else 0
    for run in window.runs:
        # One for each number, also where this rendition has nothing between two others: all renditions count alike.
        lines += ["#EXT-X-DISCONTINUITY"] * (run.discontinuity - before)
        before = run.discontinuity
        if run.segments.ending != "vtt":
            lines.append(f'#EXT-X-MAP:URI="{run.segments.prefix}init.mp4"')
        if pinned:
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_moment(run.starts_us)}")
        for index in range(run.first, run.first + run.count):
            lines.append(f"#EXTINF:{run.segments.durations_us[index] / US:.6f},")
            lines.append(f"{run.segments.prefix}s{index:05d}.{run.segments.ending}")
    if window.ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def captions(uri: str, length_us: int) -> str:
    """A media playlist of captions on demand: one WebVTT file, all of it (RFC 8216 3.5)."""
    return (
        "#EXTM3U\n#EXT-X-VERSION:7\n"
        f"#EXT-X-TARGETDURATION:{max(1, -(-length_us // US))}\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        f"#EXTINF:{length_us / US:.6f},\n{uri}\n#EXT-X-ENDLIST\n"
    )


def _names(tracks: Sequence[Alternative]) -> list[str]:
    """What the tracks of a group are called, no two alike (RFC 8216bis 4.4.6.1.1)."""
    names: list[str] = []
    for track in tracks:
        name = first = _quoted(track.name)
        number = 2
        while name in names:
            name = f"{first} ({number})"
            number += 1
        names.append(name)
    return names


def _quoted(text: str) -> str:
    # A quoted-string has no quotes and no line ends in it (RFC 8216 4.2).
    return text.replace('"', "'").replace("\n", " ").replace("\r", " ")


def _yes(value: bool) -> str:
    return "YES" if value else "NO"


def _moment(us: int) -> str:
    return datetime.fromtimestamp(us / US, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
