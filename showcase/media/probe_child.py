"""The half of `probe` that reads the file, run as a process of its own: `python -I probe_child.py MODE DEMUXER`.

Standard input is the file; one JSON object goes to standard output. It stands alone (nothing of Showcase is
imported) so that little is loaded beside the libraries that parse a stranger's bytes.

MODE "streams" demuxes the whole file with PyAV: the header's word on its length is not taken, each packet's time is.
MODE "image" reads the header of a still with Pillow.
"""

from __future__ import annotations

import heapq
import json
import sys
from collections import Counter
from typing import Any

MAX_STREAMS = 64
MAX_IMAGE_PIXELS = 200_000_000
MAX_VIDEO_PIXELS = 8_192 * 8_192
JUMP_US = 10_000_000  # a transport stream that jumps further has lost its clock; FFmpeg closes such gaps too
BACK_US = -100_000  # and takes one that goes back further for the start of another recording
GAP_US = 600_000_000  # ten minutes without a single packet: the times are not to be believed
LAST_US = 10_000_000  # so long may the last packet last, whatever it says
DECODE_FRAMES = 8
DEFAULT, ATTACHED_PIC = 0x0001, 0x0400  # AV_DISPOSITION_…
WINDOW = 34  # packets to put into order: more than H.264 may reorder


class Refused(Exception):
    """The file is turned away: a failure code and its parameters."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class Track:
    """Times of one stream's packets, gathered while demuxing."""

    def __init__(self, stream: Any, broken_clock: bool) -> None:
        self.to_us = 1_000_000 * stream.time_base
        self.broken_clock = broken_clock
        self.start: int | None = None
        self.end: int | None = None  # times may be negative: a transport stream's, where its clock wrapped round
        self.timed = False
        self.packets = 0
        self.offset = 0
        self.before: int | None = None
        self.deltas: Counter[int] = Counter()
        self._heap: list[int] = []
        self._last: int | None = None

    def add(self, pts: int | None, dts: int | None, duration: int | None) -> None:
        """Note one packet (times in the stream's time base)."""
        when = pts if pts is not None else dts
        if when is None:
            self.packets += 1
            return
        step = dts if dts is not None else when
        if self.before is not None:
            moved_us = (step - self.before) * self.to_us
            if self.broken_clock and not BACK_US <= moved_us <= JUMP_US:
                self.offset -= int(step - self.before)
            elif moved_us > GAP_US:
                raise Refused("gap", at=int(self.before * self.to_us) // 1_000_000)
        self.before = step
        when += self.offset
        self.packets += 1
        self.start = when if self.start is None else min(self.start, when)
        ends = when + min(int(duration or 0), int(LAST_US / self.to_us))
        self.end = ends if self.end is None else max(self.end, ends)
        self.timed = bool(duration)
        heapq.heappush(self._heap, when)
        if len(self._heap) > WINDOW:
            self._pop()

    def _pop(self) -> None:
        when = heapq.heappop(self._heap)
        if self._last is not None and when > self._last and len(self.deltas) < 4_096:
            self.deltas[when - self._last] += 1
        self._last = when

    def finish(self) -> None:
        """No more packets: put the last ones into order, and give the last one a length if it has none."""
        while self._heap:
            self._pop()
        if not self.timed and self.deltas and self._last is not None:
            usual = self.deltas.most_common(1)[0][0]
            self.end = self._last + usual if self.end is None else max(self.end, self._last + usual)

    def times_us(self, start_us: int) -> list[int]:
        """Start and end, counted from `start_us` of the file's clock."""
        if self.start is None or self.end is None:
            return [0, 0]
        return [max(0, int(self.start * self.to_us) - start_us), max(0, int(self.end * self.to_us) - start_us)]

    def frame_rate(self, stated: Any) -> tuple[list[int], bool]:
        """Numerator and denominator of the frame rate, and whether it varies.

        Steps within a tenth of the usual one (or one tick, for clocks of milliseconds) count as the same.
        """
        total = sum(self.deltas.values())
        if total < 2:
            rate = stated or 25
            return [int(rate.numerator), int(rate.denominator)] if hasattr(rate, "numerator") else [25, 1], False
        ordered = sorted(self.deltas.items())
        half, usual = 0, ordered[-1][0]
        for delta, count in ordered:
            half += count
            if 2 * half >= total:
                usual = delta
                break
        slack = max(1.0, usual * 0.1)
        steady = sum(c for d, c in self.deltas.items() if abs(d - usual) <= slack)
        varies = steady < 0.97 * total
        # The mean of the usual steps, for a clock of milliseconds writes 30 a second as 33, 33, 34.
        mean = sum(d * c for d, c in self.deltas.items() if abs(d - usual) <= slack) / steady
        measured = 1_000_000 / float(mean * self.to_us)
        return _usual_rate(measured, stated), varies


def _usual_rate(measured: float, stated: Any) -> list[int]:
    """The rate which the file states, or a usual one, if the measured one is that within the clock's rounding."""
    from fractions import Fraction

    usual = [Fraction(n, d) for n, d in ((24_000, 1_001), (30_000, 1_001), (60_000, 1_001), (120_000, 1_001))]
    usual += [Fraction(n) for n in (24, 25, 30, 48, 50, 60, 100, 120)]
    if stated and abs(float(stated) - measured) < 0.004 * measured:
        usual.insert(0, Fraction(int(stated.numerator), int(stated.denominator)))
    near = min(usual, key=lambda r: abs(float(r) - measured))
    if abs(float(near) - measured) < 0.004 * measured:
        if near.denominator > 100_000:
            near = near.limit_denominator(1_001)
        return [near.numerator, near.denominator]
    odd = Fraction(measured).limit_denominator(100)
    return [max(1, odd.numerator), odd.denominator]


def streams(demuxer: str) -> dict[str, object]:
    """Demux all of standard input and decode its first pictures."""
    import av
    from av import logging as av_logging

    av_logging.set_level(av_logging.PANIC)
    options = {"protocol_whitelist": "fd", "format_whitelist": demuxer}
    try:
        container = av.open("fd:", container_options=options, metadata_errors="replace", timeout=None)
    except (av.FFmpegError, ValueError) as error:
        raise Refused("moov-missing" if "mov" in demuxer else "unreadable") from error
    with container:
        found = container.streams
        if len(found) > MAX_STREAMS:
            raise Refused("too-many-streams", count=len(found), limit=MAX_STREAMS)
        pictures = [s for s in found.video if s.codec_context is not None]
        covers = [s for s in pictures if int(s.disposition) & ATTACHED_PIC]
        films = [s for s in pictures if s not in covers]
        sounds = [s for s in found.audio if s.codec_context is not None]
        video = max(films, key=lambda s: (int(s.disposition) & DEFAULT, s.width * s.height), default=None)
        if video is None and not sounds:
            raise Refused("nothing-to-show")
        if video is not None and video.width * video.height > MAX_VIDEO_PIXELS:
            raise Refused("picture-too-large", width=video.width, height=video.height)
        wanted = [s for s in (video, *sounds) if s is not None]
        tracks = {s.index: Track(s, demuxer in ("mpegts", "mpeg")) for s in wanted}
        claimed_us = int(container.duration or 0)
        start_us = int(container.start_time or 0)
        frames: list[Any] = []
        fed = 0
        try:
            for packet in container.demux(wanted):
                if packet.size == 0 and packet.pts is None and packet.dts is None:
                    continue
                if (
                    video is not None
                    and packet.stream_index == video.index
                    and len(frames) < DECODE_FRAMES
                    and fed < 200
                ):
                    fed += 1
                    try:
                        frames += packet.decode()
                    except av.FFmpegError:
                        pass  # a damaged first picture is not the end of a film
                if not packet.is_discard:
                    tracks[packet.stream_index].add(packet.pts, packet.dts, packet.duration)
        except av.FFmpegError as error:
            reached = max((t.times_us(start_us)[1] for t in tracks.values()), default=0)
            raise Refused("damaged", at=reached // 1_000_000) from error
        if video is not None and not frames:
            try:
                frames += video.codec_context.decode(None)
            except (av.FFmpegError, EOFError, ValueError):
                pass
        for track in tracks.values():
            track.finish()
        if video is not None and not frames:
            if tracks[video.index].packets == 0 and sounds:
                video = None
            else:
                raise Refused("codec", codec=video.codec_context.name)
        times = {i: t.times_us(start_us) for i, t in tracks.items() if t.packets}
        return {
            "duration_us": max((end for _, end in times.values()), default=0),
            "claimed_us": claimed_us,
            "video": None
            if video is None
            else _video(video, frames[0], frames, tracks[video.index], times[video.index]),
            "audio": [_audio(s, times[s.index]) for s in sounds if s.index in times],
            "cover": covers[0].index if covers else None,
            "spherical": any(str(d.type).endswith("SPHERICAL") for f in frames[:1] for d in f.side_data),
        }


def _video(stream: Any, first: Any, frames: list[Any], track: Track, times: list[int]) -> dict[str, object]:
    context = stream.codec_context
    rate, varies = track.frame_rate(stream.average_rate or stream.guessed_rate)
    sar = stream.sample_aspect_ratio or context.sample_aspect_ratio
    shown = first.format
    depth = max((c.bits for c in shown.components), default=8)
    return {
        "index": stream.index,
        "codec": context.name,
        "width": first.width,
        "height": first.height,
        "sar": [sar.numerator, sar.denominator] if sar else [1, 1],
        "rotation": int(first.rotation or 0),
        "fps": rate,
        "vfr": varies,
        "interlaced": sum(bool(f.interlaced_frame) for f in frames) * 2 > len(frames),
        "pix_fmt": shown.name,
        "bit_depth": depth,
        "alpha": any(c.is_alpha for c in shown.components),
        "rgb": bool(shown.is_rgb),
        "colour": [int(first.colorspace), int(first.color_primaries), int(first.color_trc), int(first.color_range)],
        "times": times,
    }


def _audio(stream: Any, times: list[int]) -> dict[str, object]:
    context = stream.codec_context
    return {
        "index": stream.index,
        "codec": context.name,
        "rate": int(context.sample_rate or 0),
        "channels": int(context.channels or 0),
        "layout": str(context.layout.name) if context.layout else "",
        "language": str(stream.language or ""),
        "default": bool(int(stream.disposition) & DEFAULT),
        "times": times,
    }


def image() -> dict[str, object]:
    """Read the header of a still on standard input; nothing is decoded."""
    import warnings

    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(sys.stdin.buffer, formats=("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF")) as picture:
            width, height = picture.size
            if width * height > MAX_IMAGE_PIXELS:
                raise Refused("picture-too-large", width=width, height=height)
            turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            return {
                "width": height if turned else width,
                "height": width if turned else height,
                "mode": picture.mode,
                "frames": int(getattr(picture, "n_frames", 1)),
                "format": str(picture.format).lower(),
            }
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("picture-too-large", width=0, height=0) from error
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError) as error:
        raise Refused("unreadable") from error


def main() -> None:
    """Answer with one JSON object: what was found, or {"refused": code, "params": …}."""
    mode, demuxer = sys.argv[1], sys.argv[2]
    try:
        answer = streams(demuxer) if mode == "streams" else image()
    except Refused as refusal:
        answer = {"refused": refusal.code, "params": refusal.params}
    except MemoryError:
        answer = {"refused": "too-demanding", "params": {}}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
