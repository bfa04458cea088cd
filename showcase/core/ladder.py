"""What a source is (`Probe`), what is made of it (`plan`), and what came out (`Rendition`).

Pure: numbers in, numbers and filter descriptions out. The rates and the order stand in the project's streaming
notes; a rung is named after the short side of the displayed picture, so portrait works keep their quality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

SAMPLE_RATE = 48_000
AAC_FRAME = 1_024  # samples; also the encoder's priming
SEGMENT_S = 4
GOP_S = 2
MAX_FPS = Fraction(60)
MIN_FPS = Fraction(5)  # below, a four-second segment could be without a frame
LONGEST_SIDE = 4_096  # pixels; what hardware decoders of H.264 take
IMAGE_WIDTHS = (640, 1_280, 2_560)

# short side: (average, peak) bit/s, crf, x264 preset
_RUNGS: dict[int, tuple[int, int, int, str]] = {
    240: (250_000, 350_000, 24, "veryfast"),
    360: (700_000, 1_000_000, 23, "veryfast"),
    480: (1_200_000, 1_700_000, 23, "faster"),
    720: (2_500_000, 3_500_000, 22, "faster"),
    1080: (4_500_000, 6_500_000, 21, "faster"),
    1440: (9_000_000, 13_000_000, 21, "veryfast"),
    2160: (16_000_000, 23_000_000, 21, "veryfast"),
}
_FIRST = 360  # rungs up to this short side are made before all others: the work is playable then
_COMMON_RATES = tuple(
    Fraction(*r)
    for r in (
        (24_000, 1_001),
        (24, 1),
        (25, 1),
        (30_000, 1_001),
        (30, 1),
        (48, 1),
        (50, 1),
        (60_000, 1_001),
        (60, 1),
    )
)


@dataclass(frozen=True, slots=True)
class Colour:
    """How numbers mean light, in FFmpeg's names ("bt709", "smpte2084", "unknown")."""

    matrix: str = "unknown"
    primaries: str = "unknown"
    transfer: str = "unknown"
    full_range: bool = False

    @property
    def hdr(self) -> bool:
        """Whether the picture is PQ or HLG and must be brought to standard range."""
        return self.transfer in ("smpte2084", "arib-std-b67")


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The picture of a source. Sizes in pixels as coded; times in microseconds from the file's start."""

    index: int
    codec: str
    width: int
    height: int
    sar: Fraction = Fraction(1)
    rotation: int = 0  # degrees clockwise to turn it upright: 0, 90, 180, 270
    fps: Fraction = Fraction(25)
    vfr: bool = False
    interlaced: bool = False
    pix_fmt: str = "yuv420p"
    bit_depth: int = 8
    alpha: bool = False
    rgb: bool = False
    colour: Colour = Colour()
    start_us: int = 0
    end_us: int = 0

    @property
    def displayed(self) -> tuple[int, int]:
        """Width and height as shown, before rounding to even: square pixels, upright."""
        width, height = max(1, round(self.width * self.sar)), self.height
        return (height, width) if self.rotation % 180 else (width, height)


@dataclass(frozen=True, slots=True)
class AudioStream:
    """One sound of a source. `language` is BCP 47 or "und"; times in microseconds from the file's start."""

    index: int
    codec: str
    rate: int
    channels: int
    layout: str = ""
    language: str = "und"
    default: bool = False
    start_us: int = 0
    end_us: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file really holds. `duration_us` is measured, not read from the header; 0 for a still."""

    container: str
    demuxer: str  # the only FFmpeg demuxers that may open it (format_whitelist)
    duration_us: int
    size_bytes: int
    video: VideoStream | None = None
    audio: tuple[AudioStream, ...] = ()
    still: bool = False
    spherical: bool = False
    cover: int | None = None  # index of a cover picture inside a sound file


def to_keep(probe: Probe) -> dict[str, Any]:
    """A probe as JSON can hold it."""
    kept = asdict(probe)
    if kept["video"] is not None:
        kept["video"] |= {name: str(kept["video"][name]) for name in ("sar", "fps")}
    return kept


def as_kept(kept: Mapping[str, Any] | None) -> Probe | None:
    """What `to_keep` made a probe again; None when there is none, or one that another release kept."""
    if kept is None:
        return None
    try:
        video = kept["video"]
        if video is not None:
            exact = {name: Fraction(video[name]) for name in ("sar", "fps")}
            video = VideoStream(**{**video, **exact, "colour": Colour(**video["colour"])})
        return Probe(**{**kept, "video": video, "audio": tuple(AudioStream(**a) for a in kept["audio"])})
    except (KeyError, TypeError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Rung:
    """One video quality to make. Rates in bit/s."""

    name: str
    width: int
    height: int
    average: int
    peak: int
    crf: int
    preset: str

    @property
    def short(self) -> int:
        """The short side in pixels."""
        return min(self.width, self.height)


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """The one stereo 48 kHz AAC-LC track. `streams` are indices in the source: none is silence, two are left and right."""

    name: str
    lang: str
    streams: tuple[int, ...]
    mix: str  # FFmpeg filters that bring the stream(s) to stereo
    bitrate: int = 128_000


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is made of a source.

    `kind` is "film", "sound" or "still". `rungs` ascend; the first `first` of them are made before the others.
    `prepare` are FFmpeg filters for the picture before it is split and scaled (deinterlacing, alpha, constant rate,
    length). `length_us` is what picture and sound both last.
    """

    kind: str
    length_us: int
    fps: Fraction = Fraction(0)
    frames: int = 0
    rungs: tuple[Rung, ...] = ()
    first: int = 0
    prepare: str = ""
    audio: AudioPlan | None = None
    image_widths: tuple[int, ...] = ()

    @property
    def low(self) -> tuple[Rung, ...]:
        """The rungs that make it playable."""
        return self.rungs[: self.first]

    @property
    def high(self) -> tuple[Rung, ...]:
        """The rungs that come after."""
        return self.rungs[self.first :]

    @property
    def samples(self) -> int:
        """Length of the sound in samples at 48 kHz."""
        return round(Fraction(self.length_us * SAMPLE_RATE, 1_000_000))


@dataclass(frozen=True, slots=True)
class Rendition:
    """One stored quality, as measured on its real segments.

    `bandwidth` and `average` are bit/s as RFC 8216bis 4.4.6.2 means BANDWIDTH and AVERAGE-BANDWIDTH;
    `codecs` is RFC 6381; `durations_us` are exact and add up to the length without drift.
    """

    name: str
    kind: str  # "video" | "audio"
    lang: str
    width: int
    height: int
    fps: float
    codecs: str
    bandwidth: int
    average: int
    size_bytes: int
    durations_us: tuple[int, ...]


def plan(probe: Probe, *, length_us: int | None = None, lang: str | None = None) -> Plan:
    """Decide what to make of `probe`.

    `length_us` forces the length (an audio description is as long as its film); `lang` overrides the language
    which the file states.
    """
    if probe.still:
        size = probe.video.displayed if probe.video else (IMAGE_WIDTHS[0], IMAGE_WIDTHS[0])
        return Plan(kind="still", length_us=0, image_widths=image_widths(size[0]))
    audio = audio_plan(probe.audio, lang)
    if probe.video is None:
        return Plan(kind="sound", length_us=length_us or probe.duration_us, audio=audio)
    video = probe.video
    fps = constant_rate(video.fps, vfr=video.vfr)
    end_us = length_us or _film_end(probe)
    frames = max(1, round(Fraction(end_us, 1_000_000) * fps))
    made = rungs(video.displayed, fps)
    return Plan(
        kind="film",
        length_us=round(Fraction(frames * 1_000_000) / fps),
        fps=fps,
        frames=frames,
        rungs=made,
        first=max(1, sum(r.short <= _FIRST for r in made)),
        prepare=_prepare(video, fps, frames, hold_us=max(0, end_us - video.end_us)),
        audio=audio,
    )


def _film_end(probe: Probe) -> int:
    """The picture's end, or the sound's where that goes on for a second or more (the last picture then stays)."""
    assert probe.video is not None  # noqa: S101 - the only caller has checked
    sound_us = max((a.end_us for a in probe.audio), default=0)
    picture_us = probe.video.end_us or probe.duration_us
    return sound_us if sound_us >= picture_us + 1_000_000 else picture_us


# EBU R128 (2023): the programme loudness that an artist may have a work brought to, and the peak it must not pass.
TARGET_LUFS, PEAK_DBTP = -23.0, -1.0


def levelling_db(loudness: Mapping[str, Any] | None) -> float:
    """Decibels that bring sound of this measure (EBU R128) to the target; 0 for silence, or if it was not measured."""
    if not loudness or loudness["integrated"] is None:
        return 0.0
    gain = TARGET_LUFS - loudness["integrated"]
    if loudness["true_peak"] is not None:
        gain = min(gain, PEAK_DBTP - loudness["true_peak"])
    return round(float(gain), 2)


def constant_rate(fps: Fraction, *, vfr: bool) -> Fraction:
    """The frame rate to encode: as it is, at most 60; a varying one becomes the nearest usual rate.

    A rate under 5 is multiplied by a whole number, so that every frame keeps its exact time.
    """
    if fps <= 0:
        return Fraction(25)
    while fps > MAX_FPS:
        fps /= 2  # halving keeps an even rhythm: 120 -> 60, 100 -> 50
    if vfr:
        return min(_COMMON_RATES, key=lambda r: abs(r - fps))
    if fps < MIN_FPS:
        fps *= -(-MIN_FPS // fps)
    return fps


def rungs(size: tuple[int, int], fps: Fraction = Fraction(25)) -> tuple[Rung, ...]:
    """The qualities of a picture of this displayed size, lowest first; nothing is enlarged.

    A source smaller than 240 gives one rung at its own size. One that stands more than a tenth above its highest
    usual rung (a 1920x804 film) gets a rung at its own size on top, for the notes say that nothing is lost needlessly.
    """
    width, height = size
    # At a high rate each frame differs less from the one before: 60 frames need about 1.4 times the bits of 30.
    tenths = 14 if fps > 40 else 10
    short = min(width, height)
    wanted = [s for s in _RUNGS if s <= short]
    if not wanted or (short > 1.1 * wanted[-1] and wanted[-1] < max(_RUNGS)):
        wanted.append(short)
    made: dict[str, Rung] = {}
    for side in wanted:
        w, h = _even_size(width, height, side)
        average, peak, crf, preset = _rates(min(w, h))
        rung = Rung(f"v{min(w, h)}", w, h, average * tenths // 10, peak * tenths // 10, crf, preset)
        made.setdefault(rung.name, rung)
    return tuple(sorted(made.values(), key=lambda r: r.short))


def _even_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Scale so that the short side is `side` or a little less (even), the long one at most `LONGEST_SIDE`."""
    short, long = min(width, height), max(width, height)
    low = max(2, side - side % 2)
    high = max(2, 2 * round(Fraction(long * low, short) / 2)) if low != short else long - long % 2
    if high > LONGEST_SIDE:
        low = max(2, 2 * int(Fraction(short * LONGEST_SIDE, long) / 2))
        high = LONGEST_SIDE
    return (high, low) if width >= height else (low, high)


def _rates(short: int) -> tuple[int, int, int, str]:
    """Rates for any short side: the table's, or between two of its lines by area."""
    if short in _RUNGS:
        return _RUNGS[short]
    sides = list(_RUNGS)
    if short < sides[0]:
        share = Fraction(short, sides[0])
        average, peak, crf, preset = _RUNGS[sides[0]]
        return max(60_000, int(average * share)), max(90_000, int(peak * share)), crf, preset
    low = max(s for s in sides if s < short)
    high = min((s for s in sides if s > short), default=low)
    if low == high:
        return _RUNGS[low]
    share = Fraction(short * short - low * low, high * high - low * low)
    (a0, p0, crf, preset), (a1, p1, _, _) = _RUNGS[low], _RUNGS[high]
    return int(a0 + (a1 - a0) * share), int(p0 + (p1 - p0) * share), crf, preset


def image_widths(width: int) -> tuple[int, ...]:
    """Widths at which a still is offered: the usual ones it fills, or its own where it is between or below."""
    fitting = [w for w in IMAGE_WIDTHS if w <= width]
    if not fitting or (width > 1.2 * fitting[-1] and fitting[-1] < IMAGE_WIDTHS[-1]):
        fitting.append(width)
    return tuple(fitting)


def _prepare(video: VideoStream, fps: Fraction, frames: int, hold_us: int) -> str:
    """Filters before the split: one frame per picture, no alpha, constant rate from 0, exactly `frames` frames."""
    steps = []
    if video.rotation == 0:
        # A stream may change its size on the way; all that follows sees one size. Otherwise frames pass untouched.
        steps.append(f"scale={video.width}:{video.height}")
    if video.interlaced:
        steps.append("bwdif=mode=send_frame:deint=all")
    if video.alpha:
        # Colour times alpha is the picture over black, which is what stands around it in the player.
        steps += [
            "format=gbrap|gbrap10le|gbrap12le|gbrap16le",
            "premultiply=inplace=1",
            "format=gbrp|gbrp10le|gbrp12le|gbrp16le",
        ]
    steps.append(f"fps=fps={fps}:start_time=0")
    # A decoder may hold back some last frames: the picture stands still for them rather than end before the sound. Where
    # more than a second lacks, the picture ends early, and so the damage is seen.
    steps.append(f"tpad=stop_mode=clone:stop_duration={hold_us / 1_000_000 + 1:.6f}")
    steps.append(f"trim=end_frame={frames}")
    return ",".join(steps)


def scale_filters(video: VideoStream, width: int, height: int) -> str:
    """Filters that bring a prepared frame to this size in limited-range BT.709, 8 bit 4:2:0, square pixels."""
    tags = "setsar=1,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    if video.colour.hdr:
        return f"scale={width}:{height}:flags=bicubic,{tone_filters(video)},format=yuv420p,{tags}"
    matrix = ""
    if video.colour.matrix == "unknown" and not (video.rgb or video.alpha):
        # Untagged standard definition is BT.601 by custom, anything larger BT.709.
        matrix = ":in_color_matrix=bt601" if video.height <= 576 else ":in_color_matrix=bt709"
    return f"scale={width}:{height}:flags=bicubic{matrix}:out_color_matrix=bt709:out_range=tv,format=yuv420p,{tags}"


def tone_filters(video: VideoStream) -> str:
    """Filters from PQ or HLG to BT.709; 203 nits is the reference white of ITU-R BT.2408."""
    transfer = video.colour.transfer
    return (
        f"zscale=tin={transfer}:pin=bt2020:min=bt2020nc:t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"
        "tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:p=bt709:r=tv"
    )


def audio_plan(streams: Sequence[AudioStream], lang: str | None = None) -> AudioPlan:
    """Choose the sound: the default stream, else the first; two or more mono streams are left and right of an editor's export."""
    if not streams:
        language = lang or "und"
        return AudioPlan(f"a-{language}", language, (), "")
    chosen = next((s for s in streams if s.default), streams[0])
    language = lang or chosen.language
    name = f"a-{language}"
    if len(streams) >= 2 and all(s.channels == 1 for s in streams) and len({s.language for s in streams}) == 1:
        left, right = streams[0], streams[1]
        return AudioPlan(name, language, (left.index, right.index), "")
    return AudioPlan(name, language, (chosen.index,), _mix(chosen))


def _mix(stream: AudioStream) -> str:
    """Filters to stereo. Mono goes to both sides unchanged; more channels by ITU-R BS.775, overs caught by a limiter.

    FFmpeg's own way would lower mono by 3 dB, and 5.1 by 7.7 dB for integer sources but not for others.
    """
    if stream.channels == 1:
        return "pan=stereo|c0=c0|c1=c0"
    if stream.channels == 2:
        return ""
    if stream.layout.startswith("ambisonic"):
        return "pan=stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0-0.5*c1"  # W and Y: two cardioids to the sides
    return "alimiter=limit=0.95:level=disabled:latency=1"
