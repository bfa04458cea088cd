"""From a file to renditions, with a real FFmpeg: what is made, in which order, and what is refused."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from PIL import Image

from showcase.core import playlist
from showcase.core.ladder import Probe, Rendition, VideoStream
from showcase.core.timeline import Segments, on_demand
from showcase.errors import MediaError, Unavailable
from showcase.media import derive, transcode
from showcase.media.ffmpeg import Result
from showcase.media.packaging import segment_files
from showcase.media.probe import probe
from showcase.media.transcode import Allowance, Stages, failure
from tests.media.conftest import RED_BLUE, SINE, X264, Make, lavfi
from tests.media.films import AAC_FRAME_US, Made, joined, level, pictures, processed, samples


def same_length(made: Made) -> bool:
    """Whether all renditions are as long as the outcome says, within one frame of AAC."""
    return all(abs(us - made.outcome.duration_us) <= AAC_FRAME_US for us in made.lengths_us().values())


def test_a_film_gets_its_sound_first_then_its_rungs_from_below(landscape_made: Made) -> None:
    assert landscape_made.order == ["a-fr", "v240", "v360", "v480"]
    assert [(r.name, r.kind, r.width, r.height) for r in landscape_made.outcome.renditions] == [
        ("a-fr", "audio", 0, 0),
        ("v240", "video", 428, 240),
        ("v360", "video", 640, 360),
        ("v480", "video", 854, 480),
    ]


def test_picture_and_sound_last_as_long_as_the_source(landscape_made: Made) -> None:
    assert landscape_made.outcome.duration_us == 5_000_000
    assert {n: us for n, us in landscape_made.lengths_us().items() if n != "a-fr"} == dict.fromkeys(
        ("v240", "v360", "v480"), 5_000_000
    )
    assert same_length(landscape_made)
    assert {len(pictures(landscape_made.stream(n))) for n in ("v240", "v360", "v480")} == {125}


def test_every_segment_can_be_played_by_itself(landscape_made: Made) -> None:
    folder = landscape_made.folder / "v360"
    init = (folder / "init.mp4").read_bytes()
    assert [len(pictures(init + f.read_bytes())) for f in segment_files(folder)] == [100, 25]
    # Some readers ignore a second `moov`: the parameter sets (7, 8) stand before each key picture (5) too.
    assert all(b"\x67\x64" in f.read_bytes()[:4_000] for f in segment_files(folder))


def test_key_pictures_come_every_two_seconds_and_the_first_is_shown_at_once(landscape_made: Made) -> None:
    with av.open(io.BytesIO(landscape_made.stream("v480"))) as film:
        assert [n for n, f in enumerate(film.decode(video=0)) if f.key_frame] == [0, 50, 100]
    # The first picture's composition offset is 0, with negative ones after it (ISO/IEC 14496-12 8.8.8): where works are
    # joined, there is neither an edit list nor a shift.
    segment = (landscape_made.folder / "v480" / "s00000.m4s").read_bytes()
    offsets = composition_offsets(segment)
    assert (len(offsets), offsets[0], min(offsets) < 0) == (100, 0, True)


def composition_offsets(segment: bytes) -> list[int]:
    at = segment.index(b"trun") + 4
    flags, count = int.from_bytes(segment[at + 1 : at + 4], "big"), int.from_bytes(segment[at + 4 : at + 8], "big")
    first = at + 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    row = 4 * sum(bool(flags & f) for f in (0x100, 0x200, 0x400, 0x800))
    return [
        int.from_bytes(segment[first + n * row - 4 : first + n * row], "big", signed=True) for n in range(1, count + 1)
    ]


def test_a_player_reads_the_playlists_to_the_end(landscape_made: Made) -> None:
    renditions = landscape_made.outcome.renditions
    for made in renditions:
        text = playlist.media(on_demand(Segments.of("", made.durations_us)))
        (landscape_made.folder / made.name / "index.m3u8").write_text(text)
    sound = landscape_made.rendition("a-fr")
    master = playlist.master(
        [
            playlist.Variant(f"{r.name}/index.m3u8", r.bandwidth, r.average, r.codecs, r.width, r.height, r.fps)
            for r in renditions
            if r.kind == "video"
        ],
        [playlist.Alternative("a-fr/index.m3u8", "Original", "fr", default=True, codecs=sound.codecs)],
        [],
    )
    (landscape_made.folder / "master.m3u8").write_text(master)
    with av.open(str(landscape_made.folder / "master.m3u8")) as film:
        assert [(s.width, s.height) for s in film.streams.video] == [(428, 240), (640, 360), (854, 480)]
        assert len(film.streams.audio) == 1
        counts = Counter(f.width for f in film.decode(film.streams.video))
    assert counts == {428: 125, 640: 125, 854: 125}


def test_nothing_tells_where_it_was_filmed(landscape_made: Made) -> None:
    assert b"48.8566" not in b"".join(landscape_made.stream(n) for n in landscape_made.order)


def test_progress_only_rises_and_ends_at_one(landscape_made: Made) -> None:
    told = [at for at, _ in landscape_made.progress]
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    stages = [stage for _, stage in landscape_made.progress]
    assert list(dict.fromkeys(stages)) == [
        "probe", "v360", "poster", "storyboard", "flashes", "loudness", "ladder", "done",
    ]  # fmt: skip


def test_a_film_gets_its_pictures_and_measures(landscape_made: Made) -> None:
    outcome = landscape_made.outcome
    assert [(i.path.name, i.media_type, i.width, i.height) for i in outcome.poster.images] == [
        ("poster-640.webp", "image/webp", 640, 360),
        ("poster-640.jpg", "image/jpeg", 640, 360),
        ("poster-854.webp", "image/webp", 854, 480),
        ("poster-854.jpg", "image/jpeg", 854, 480),
    ]
    assert outcome.poster.thumbhash
    board = outcome.storyboard
    assert board is not None
    assert (board.interval_us, board.columns, board.rows, board.tiles) == (2_000_000, 3, 1, 3)
    assert (board.tile_width, board.tile_height) == (160, 90)
    with Image.open(board.sheets[0]) as sheet:
        assert sheet.size == (480, 90)
        assert [sheet.getpixel((160 * n + 80, 45)) != (0, 0, 0) for n in range(3)] == [True] * 3
    assert outcome.loudness is not None
    assert outcome.loudness.integrated is not None
    # A sine of an eighth of full scale, 12 dB up, and 3 down as FFmpeg put it on both sides.
    assert (round(outcome.loudness.integrated), round(outcome.loudness.true_peak or 0)) == (-10, -9)
    assert outcome.peaks is not None
    peaks = outcome.peaks.read_bytes()
    assert 990 <= len(peaks) <= 1_000
    assert all(abs(p - 90) <= 5 for p in peaks[10:-10])


async def test_what_is_there_is_not_made_again(landscape: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(landscape, tmp_path, binary=binary, have=frozenset({"a-fr", "v240", "v480"}))
    assert made.order == ["v360"]
    assert made.lengths_us() == {"v360": 5_000_000}
    assert made.outcome.storyboard is not None
    assert made.outcome.poster.images


async def test_where_all_is_there_only_the_pictures_are_made(landscape: Path, tmp_path: Path, binary: str) -> None:
    have = frozenset({"a-fr", "v240", "v360", "v480"})
    made = await processed(landscape, tmp_path, binary=binary, have=have)
    assert (made.order, made.outcome.renditions, made.outcome.duration_us) == ([], (), 5_000_000)
    assert made.outcome.storyboard is not None
    assert made.progress[-1] == (1.0, "done")


async def test_a_lost_sound_track_is_made_alone(silent: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(silent, tmp_path, binary=binary, have=frozenset({"v240"}))
    assert made.order == ["a-und"]


async def test_a_silent_film_gets_a_track_of_silence(silent: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(silent, tmp_path, binary=binary, lang="fr")
    assert made.order == ["a-fr", "v240"]
    assert same_length(made)
    left, right = samples(made.stream("a-fr"))
    assert (set(left), set(right)) == ({0.0}, {0.0})
    assert (made.outcome.loudness, made.outcome.peaks) == (None, None)
    assert made.rendition("v240").fps == 29.97


async def test_a_turned_picture_stands_upright(portrait: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(portrait, tmp_path, binary=binary)
    assert [(r.name, r.width, r.height) for r in made.outcome.renditions if r.kind == "video"] == [
        ("v240", 240, 426),
        ("v360", 360, 640),
    ]
    shown = pictures(made.stream("v360"))[-1]
    assert (shown.width, shown.height) == (360, 640)
    assert (shown.colour(0.5, 0.25), shown.colour(0.5, 0.75)) == ("B", "R")
    image = made.outcome.poster.images[0]
    assert (image.width, image.height) == (360, 640)
    with Image.open(image.path) as poster:
        assert [
            max("RGB", key=lambda c: poster.convert("RGB").getpixel((180, y))["RGB".index(c)]) for y in (160, 480)
        ] == [
            "B",
            "R",
        ]
    board = made.outcome.storyboard
    assert board is not None
    assert (board.tile_width, board.tile_height) == (90, 160)


async def test_wide_pixels_become_square(anamorphic: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(anamorphic, tmp_path, binary=binary)
    assert [(r.name, r.width, r.height) for r in made.outcome.renditions if r.kind == "video"] == [
        ("v240", 320, 240),
        ("v288", 384, 288),
    ]
    shown = pictures(made.stream("v288"))[0]
    assert (shown.width, shown.height) == (384, 288)


async def test_an_odd_size_is_cut_to_even_and_not_enlarged(odd: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(odd, tmp_path, binary=binary)
    assert [(r.name, r.width, r.height) for r in made.outcome.renditions if r.kind == "video"] == [("v240", 318, 240)]
    assert len(pictures(made.stream("v240"))) == 50


async def test_ten_bits_become_eight_and_the_rate_stays(ten_bit: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(ten_bit, tmp_path, binary=binary)
    assert made.rendition("v240").codecs[:9] == "avc1.6400"  # High, eight bits
    assert made.outcome.duration_us == round(Fraction(48 * 1001, 24000) * 1_000_000)
    assert len(pictures(made.stream("v240"))) == 48
    assert same_length(made)


async def test_fields_become_whole_pictures(interlaced: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(interlaced, tmp_path, binary=binary)
    assert [r.fps for r in made.outcome.renditions] == [0.0, 25.0, 25.0]
    assert len(pictures(made.stream("v240"))) * 40_000 == made.outcome.duration_us
    assert same_length(made)
    left, right = samples(made.stream("a-und"))
    # One channel goes to both sides, and as loud as it was: FFmpeg's sine is an eighth of full scale.
    assert [round(level(side, 1, 2), 2) for side in (left, right)] == [0.13, 0.13]


async def test_a_varying_rate_becomes_even(varying: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(varying, tmp_path, binary=binary)
    assert made.rendition("v240").fps == 30.0
    assert len(pictures(made.stream("v240"))) == 120
    assert made.outcome.duration_us == 4_000_000


async def test_a_sound_work_has_its_track_alone(sound_only: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(sound_only, tmp_path, binary=binary)
    assert (made.order, made.outcome.duration_us) == (["a-und"], 5_500_000)
    assert same_length(made)
    assert made.rendition("a-und").durations_us[0] > 3_900_000
    assert made.outcome.poster.images == ()
    assert made.outcome.loudness is not None


async def test_the_cover_of_a_sound_is_its_poster(make: Make, still: Path, tmp_path: Path, binary: str) -> None:
    song = make(
        "song.flac", *SINE, "-i", still, "-map", "0:a", "-map", "1:v", "-t", "1", "-disposition:v", "attached_pic"
    )
    made = await processed(song, tmp_path, binary=binary)
    assert [(i.path.name, i.width, i.height) for i in made.outcome.poster.images] == [
        ("poster-640.webp", 640, 384),
        ("poster-640.jpg", 640, 384),
        ("poster-1280.webp", 1000, 600),
        ("poster-1280.jpg", 1000, 600),
    ]


async def test_two_mono_tracks_are_left_and_right(make: Make, tmp_path: Path, binary: str) -> None:
    source = make(
        "two-mono.mov", *lavfi("sine=frequency=440:sample_rate=48000"), *lavfi("anullsrc=r=48000:cl=mono"),
        "-map", "0:a", "-map", "1:a", "-t", "2", "-c:a", "pcm_s16le",
    )  # fmt: skip
    made = await processed(source, tmp_path, binary=binary)
    left, right = samples(made.stream("a-und"))
    assert (round(level(left, 0.5, 1.5), 2), round(level(right, 0.5, 1.5), 2)) == (0.13, 0.0)


async def test_a_gap_in_the_sound_keeps_its_place(make: Make, tmp_path: Path, binary: str) -> None:
    source = make(
        "gap.mkv", *lavfi("sine=frequency=440:sample_rate=48000:d=2,asetpts='PTS+if(gte(T,1),2/TB,0)'"),
        "-c:a", "pcm_s16le", "-copyts",
    )  # fmt: skip
    made = await processed(source, tmp_path, binary=binary)
    left, _ = samples(made.stream("a-und"))
    assert round(made.outcome.duration_us, -5) == 4_000_000
    assert [level(left, a, b) > 0.1 for a, b in ((0.2, 0.8), (1.2, 2.8), (3.2, 3.8))] == [True, False, True]


async def test_sound_that_starts_late_starts_late(make: Make, tmp_path: Path, binary: str) -> None:
    source = make(
        "late.mkv", *lavfi("testsrc2=s=320x240:r=25:d=3"), "-itsoffset", "1",
        *lavfi("sine=frequency=440:sample_rate=48000:d=2"), *X264, "-c:a", "pcm_s16le",
    )  # fmt: skip
    made = await processed(source, tmp_path, binary=binary)
    left, _ = samples(made.stream("a-und"))
    first = next(n for n, v in enumerate(left) if abs(v) > 0.05) / 48_000
    # The encoder's first frame is heard as well, so what is decoded stands where it did in the source.
    assert round(first, 2) == 1.0


async def test_the_last_picture_stays_while_the_sound_goes_on(make: Make, tmp_path: Path, binary: str) -> None:
    source = make(
        "short-picture.mkv", *lavfi("testsrc2=s=320x240:r=25:d=1"), *lavfi("sine=sample_rate=48000:d=3"), *X264,
        "-c:a", "pcm_s16le",
    )  # fmt: skip
    made = await processed(source, tmp_path, binary=binary)
    assert round(made.outcome.duration_us, -5) == 3_000_000
    assert same_length(made)


async def test_an_audio_description_is_one_track_as_long_as_its_film(
    landscape: Path, tmp_path: Path, binary: str
) -> None:
    made = await processed(landscape, tmp_path, binary=binary, role="audio-description", lang="fr", length_us=6_000_000)
    assert (made.order, made.outcome.duration_us) == (["a-fr"], 6_000_000)
    assert same_length(made)


async def test_a_description_without_sound_is_none(silent: Path, tmp_path: Path, binary: str) -> None:
    with pytest.raises(MediaError, match="no-sound"):
        await processed(silent, tmp_path, binary=binary, role="audio-description")


async def test_what_is_transparent_stands_over_black(make: Make, tmp_path: Path, binary: str) -> None:
    source = make(
        "alpha.mov", *lavfi("color=white:s=320x240:r=25:d=1,format=rgba,geq=r=255:g=255:b=255:a='255*lt(X,160)'"),
        "-c:v", "qtrle",
    )  # fmt: skip
    made = await processed(source, tmp_path, binary=binary)
    shown = pictures(made.stream("v240"))[-1]
    assert (shown.colour(0.25, 0.5), shown.colour(0.75, 0.5)) == ("RGB", "black")


@pytest.fixture(scope="session")
def clip(make: Make) -> Callable[..., bytes]:
    """Two seconds of a transport stream: its size, where its clock starts, the rate of its sound."""

    def made(size: str, starts_s: int, rate: int) -> bytes:
        return make(
            f"clip-{size}-{rate}.ts", *lavfi(f"testsrc2=s={size}:r=25:d=2"),
            *lavfi(f"sine=frequency=440:sample_rate={rate}:d=2"), *X264, "-c:a", "aac",
            "-output_ts_offset", str(starts_s),
        ).read_bytes()  # fmt: skip

    return made


async def test_a_picture_that_changes_its_size_keeps_time(
    clip: Callable[..., bytes], tmp_path: Path, binary: str
) -> None:
    (tmp_path / "sizes.ts").write_bytes(clip("320x240", 0, 48_000) + clip("640x360", 2, 48_000))
    made = await processed(tmp_path / "sizes.ts", tmp_path, binary=binary)
    assert round(made.outcome.duration_us, -5) == 4_000_000
    assert same_length(made)
    shown = pictures(made.stream("v240"))
    assert (len(shown) * 40_000, {(p.width, p.height) for p in shown}) == (made.outcome.duration_us, {(320, 240)})
    left, _ = samples(made.stream("a-und"))
    assert [level(left, at, at + 0.3) > 0.1 for at in (0.5, 1.5, 2.5, 3.5)] == [True] * 4


async def test_recordings_one_after_the_other_play_to_the_end(
    clip: Callable[..., bytes], tmp_path: Path, binary: str
) -> None:
    (tmp_path / "twice.ts").write_bytes(clip("320x240", 0, 48_000) * 2)
    made = await processed(tmp_path / "twice.ts", tmp_path, binary=binary)
    assert round(made.outcome.duration_us, -5) == 4_000_000
    assert same_length(made)


async def test_sound_that_changes_its_rate_is_refused_rather_than_out_of_step(
    clip: Callable[..., bytes], tmp_path: Path, binary: str
) -> None:
    (tmp_path / "rates.ts").write_bytes(clip("320x240", 0, 48_000) + clip("320x240", 2, 44_100))
    with pytest.raises(MediaError) as error:
        await processed(tmp_path / "rates.ts", tmp_path, binary=binary)
    assert (error.value.code, error.value.params) == ("undecodable", {"codec": "aac"})


async def test_high_dynamic_range_is_shown_in_standard_range(make: Make, tmp_path: Path, binary: str) -> None:
    source = make(
        "hdr.mkv", *lavfi("testsrc2=s=320x240:r=25:d=1,format=yuv420p10le,"
        "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"), "-c:v", "libx264", "-preset", "ultrafast",
    )  # fmt: skip
    made = await processed(source, tmp_path, binary=binary)
    assert made.outcome.probe.video is not None
    assert made.outcome.probe.video.colour.hdr
    assert len(pictures(made.stream("v240"))) == 25


async def test_colours_stay_as_they_are(make: Make, tmp_path: Path, binary: str) -> None:
    source = make("colours.mkv", *lavfi(RED_BLUE.format(1)), "-c:v", "ffv1", "-pix_fmt", "gbrp")
    made = await processed(source, tmp_path, binary=binary)
    shown = pictures(made.stream("v360"))[0]
    assert (shown.colour(0.2, 0.5), shown.colour(0.8, 0.5)) == ("R", "B")


async def test_flashes_are_found(make: Make, tmp_path: Path, binary: str) -> None:
    source = make(
        "flashes.mkv", *lavfi("color=black:s=320x240:r=25:d=4,geq=lum='255*gte(T,1)*lt(T,3)*mod(floor(T*12.5),2)':cb=128:cr=128"),
        *X264,
    )  # fmt: skip
    made = await processed(source, tmp_path, binary=binary)
    ((start, end),) = made.outcome.flashes
    assert (round(start, -6), round(end, -6)) == (1_000_000, 3_000_000)


def test_ranges_of_flashes_join() -> None:
    changes = [n * 100_000 for n in range(7)] + [n * 100_000 + 5_000_000 for n in range(6)]
    assert derive.flash_ranges(changes) == ((0, 600_000),)
    assert derive.flash_ranges([n * 100_000 for n in range(20)]) == ((0, 1_900_000),)
    assert derive.flash_ranges([n * 200_000 for n in range(20)]) == ()


async def test_a_still_gets_its_sizes(still: Path, tmp_path: Path, binary: str) -> None:
    made = await processed(still, tmp_path, binary=binary)
    assert (made.order, made.outcome.duration_us) == ([], 0)
    assert [(i.path.name, i.width, i.height) for i in made.outcome.images] == [
        (f"image-{w}.{e}", w, h) for w, h in ((640, 384), (1_000, 600)) for e in ("avif", "webp", "jpg")
    ]
    assert [i.path.name for i in made.outcome.poster.images] == [
        f"image-{w}.{e}" for w in (640, 1_000) for e in ("webp", "jpg")
    ]


async def test_sound_is_made_anew_louder_and_as_long_as_is_asked(landscape: Path, tmp_path: Path, binary: str) -> None:
    made: list[tuple[Rendition, Path]] = []

    async def ready(rendition: Rendition, folder: Path) -> None:
        made.append((rendition, folder))

    await transcode.sound(
        landscape, tmp_path, await probe(landscape), name="a-fr-7", lang="fr", length_us=3_000_000, gain_db=6.0,
        ready=ready, binary=binary, allowance=Allowance(),
    )  # fmt: skip
    ((rendition, folder),) = made
    assert (rendition.name, rendition.kind, rendition.lang, folder) == ("a-fr-7", "audio", "fr", tmp_path / "a-fr-7")
    assert abs(rendition.durations_us[0] - 3_000_000) <= AAC_FRAME_US
    left, _ = samples(joined(folder))
    assert round(level(left, 1, 2), 1) == 0.7  # twice what it was: an eighth, 12 dB up and 3 down


# What goes wrong


async def test_a_playlist_is_refused(tmp_path: Path, landscape: Path, binary: str) -> None:
    (tmp_path / "film.mp4").write_text(f"#EXTM3U\n#EXTINF:5,\n{landscape}\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError, match="playlist"):
        await processed(tmp_path / "film.mp4", tmp_path, binary=binary)


async def test_a_film_damaged_in_the_middle_plays_or_says_where(make: Make, tmp_path: Path, binary: str) -> None:
    source = make("whole.mkv", *lavfi("testsrc2=s=320x240:r=25:d=6"), *X264)
    data = bytearray(source.read_bytes())
    half = len(data) // 2
    data[half : half + 20_000] = bytes(20_000)
    (tmp_path / "damaged.mkv").write_bytes(data)
    made = await processed(tmp_path / "damaged.mkv", tmp_path, binary=binary)
    assert same_length(made)


async def test_a_film_of_which_nothing_can_be_decoded_says_so(make: Make, tmp_path: Path, binary: str) -> None:
    source = make("noise.avi", *lavfi("testsrc2=s=320x240:r=25:d=2"), "-c:v", "mpeg4", "-g", "1")
    data = bytearray(source.read_bytes())
    at = data.index(b"movi")
    chunks = 0
    while (at := data.find(b"00dc", at + 4, data.rindex(b"idx1"))) > 0:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if chunks > 8:
            data[at + 8 : at + 8 + size] = b"\xff" * size
        chunks += 1
    (tmp_path / "noise.avi").write_bytes(data)
    with pytest.raises(MediaError) as error:
        await processed(tmp_path / "noise.avi", tmp_path, binary=binary)
    assert error.value.code in ("undecodable", "damaged")


async def test_a_film_that_costs_too_much_is_ended(make: Make, landscape: Path, tmp_path: Path, binary: str) -> None:
    long = make("long.mp4", "-stream_loop", "20", "-i", landscape, "-c", "copy")

    class Hasty(Allowance):
        def limits(self, length_us: int, *, stalls: bool = True) -> transcode.Limits:
            return transcode.Limits(wall_s=0.6)

    with pytest.raises(MediaError, match="too-demanding"):
        await processed(long, tmp_path, binary=binary, allowance=Hasty())
    assert running_in(tmp_path) == []


async def test_cancelling_ends_the_child_at_once(make: Make, landscape: Path, tmp_path: Path, binary: str) -> None:
    long = make("long.mp4", "-stream_loop", "20", "-i", landscape, "-c", "copy")
    task = asyncio.create_task(processed(long, tmp_path, binary=binary))
    async with asyncio.timeout(30):
        while not running_in(tmp_path):  # noqa: ASYNC110 - the system tells no event
            await asyncio.sleep(0.02)
    task.cancel()
    async with asyncio.timeout(3):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert running_in(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_child_that_somebody_ends_is_not_the_fault_of_the_film(
    make: Make, landscape: Path, tmp_path: Path, binary: str, number: int
) -> None:
    """As the system does where memory runs out, or whoever stops the service: FFmpeg ends by itself with 255 then."""
    long = make("long.mp4", "-stream_loop", "20", "-i", landscape, "-c", "copy")
    task = asyncio.create_task(processed(long, tmp_path, binary=binary))
    async with asyncio.timeout(30):
        while not list(tmp_path.glob("*/*.m4s")):  # noqa: ASYNC110 - the system tells no event
            await asyncio.sleep(0.02)
    for process in running_in(tmp_path):
        os.kill(process, number)
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable, match="interrupted"):
            await task


def running_in(folder: Path) -> list[int]:
    """Processes that work in a folder, by their number."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd")) == folder:
                found.append(int(process.name))
        except OSError:
            continue
    return found


FILM = Probe("mp4", "mov", 1, 1, VideoStream(0, "h264", 64, 64))


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Result(1, "exit", 2_500_000, "x", b"", 1.0), MediaError("damaged", at=2)),
        (Result(69, "exit", 9_000_000, "x", b"", 1.0), MediaError("undecodable", codec="h264")),
        *((Result(-9, reason, 3, "x", b"", 1.0), MediaError("too-demanding")) for reason in ("wall", "stall", "cpu")),
        (Result(-signal.SIGXCPU, "signal", 0, "x", b"", 1.0), MediaError("too-demanding")),
        (Result(-signal.SIGXFSZ, "signal", 0, "x", b"", 1.0), MediaError("too-demanding")),
        (Result(-signal.SIGSEGV, "signal", 2_500_000, "x", b"", 1.0), MediaError("damaged", at=2)),
        (Result(-signal.SIGKILL, "signal", 0, "x", b"", 1.0), Unavailable("interrupted")),
        (Result(-signal.SIGTERM, "signal", 0, "x", b"", 1.0), Unavailable("interrupted")),
        # FFmpeg catches SIGTERM and ends by itself; -1 is another thing that looks like it.
        (Result(255, "exit", 0, "x", b"", 1.0), Unavailable("interrupted")),
        (Result(255, "exit", 0, "Operation not permitted", b"", 1.0), MediaError("damaged", at=0)),
        (Result(1, "exit", 0, "No space left on device", b"", 1.0), Unavailable("disk-full")),
        (Result(0, "done", 0, "No space left on device", b"", 1.0), Unavailable("disk-full")),
        *(
            (Result(1, "exit", 0, f"x: {said}.", b"", 1.0), MediaError("too-demanding"))
            for said in (
                "Cannot allocate memory",
                "Resource temporarily unavailable",
                "malloc of size 64 failed",
                "Generic error in an external library",
                "Error while opening encoder",
            )
        ),
    ],
)
def test_a_failure_is_told_to_whose_fault_it_is(result: Result, expected: MediaError | Unavailable) -> None:
    told = failure(result, FILM)
    assert (type(told), told.code, told.params) == (type(expected), expected.code, expected.params)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False).returncode:
        pytest.skip("only root can make a disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


async def test_a_disk_that_becomes_full_is_not_the_fault_of_the_film(
    make: Make, small_disk: Path, binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg itself may end well, with its files cut short."""

    noise = make("noise.mkv", *lavfi("nullsrc=s=640x360:r=25:d=12,geq=random(1)*255:128:128"), *X264)
    # Before it begins it looks whether there is room.
    with pytest.raises(Unavailable, match="disk-full"):
        await processed(noise, small_disk, binary=binary)
    assert list(small_disk.glob("*/*.m4s")) == []
    monkeypatch.setattr(transcode, "_needed_bytes", lambda *_: 0)
    with pytest.raises(Unavailable, match="disk-full"):
        await processed(noise, small_disk, binary=binary)
    assert list(small_disk.glob("*/*.m4s")) != []


async def test_room_is_left_for_others(silent: Path, tmp_path: Path, binary: str) -> None:
    with pytest.raises(Unavailable, match="disk-full"):
        await processed(silent, tmp_path, binary=binary, allowance=Allowance(reserve_bytes=1 << 60))


async def test_flashes_that_cannot_be_looked_for_are_unknown_and_not_none(
    landscape_made: Made, tmp_path: Path, binary: str
) -> None:
    (tmp_path / "low.m3u8").write_text("no playlist")
    nothing = derive.Input("0:v:0", playlist="low.m3u8")
    assert await derive.flashes(binary, nothing, tmp_path, Allowance().limits(1)) is None
    assert landscape_made.outcome.flashes == ()


def test_stages_never_go_back() -> None:
    told: list[float] = []
    stages = Stages({"a": 1, "b": 3}, lambda at, _: told.append(at))
    stages.enter("a")
    for fraction in (0.5, 0.2, 7.0):
        stages.at(fraction)
    stages.enter("b")
    stages.at(-1.0)
    stages.at(0.5)
    stages.done()
    assert told == [0.0, 0.125, 0.125, 0.25, 0.25, 0.25, 0.625, 1.0]
    assert all(a <= b for a, b in pairwise(told))
