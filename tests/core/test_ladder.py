"""From what a source is to what is made of it."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showcase.core.ladder import (
    LONGEST_SIDE,
    AudioPlan,
    AudioStream,
    Colour,
    Plan,
    Probe,
    VideoStream,
    as_kept,
    audio_plan,
    constant_rate,
    image_widths,
    levelling_db,
    plan,
    rungs,
    scale_filters,
    to_keep,
)


def film(video: VideoStream | None = None, *audio: AudioStream, us: int = 10_000_000) -> Probe:
    return Probe("mp4", "mov", us, 1, video, audio)


def sound(index: int = 1, **changes: object) -> AudioStream:
    values: dict[str, object] = {"index": index, "codec": "aac", "rate": 48_000, "channels": 2, "end_us": 10_000_000}
    return AudioStream(**(values | changes))  # type: ignore[arg-type]


PICTURE = VideoStream(0, "h264", 1280, 720, end_us=10_000_000)


@pytest.mark.parametrize(
    ("size", "made"),
    [
        ((1920, 1080), ["v240 426x240", "v360 640x360", "v480 854x480", "v720 1280x720", "v1080 1920x1080"]),
        ((1080, 1920), ["v240 240x426", "v360 360x640", "v480 480x854", "v720 720x1280", "v1080 1080x1920"]),
        ((1920, 804), ["v240 574x240", "v360 860x360", "v480 1146x480", "v720 1720x720", "v804 1920x804"]),
        ((640, 480), ["v240 320x240", "v360 480x360", "v480 640x480"]),
        ((1024, 500), ["v240 492x240", "v360 738x360", "v480 984x480"]),
        ((176, 144), ["v144 176x144"]),
        ((351, 201), ["v200 350x200"]),
        ((8000, 1000), ["v240 1920x240", "v360 2880x360", "v480 3840x480", "v512 4096x512"]),
        ((8192, 8192), ["v240", "v360", "v480", "v720", "v1080", "v1440", "v2160 2160x2160"]),
    ],
)
def test_rungs_go_by_the_short_side_and_rise(size: tuple[int, int], made: list[str]) -> None:
    names = [f"{r.name} {r.width}x{r.height}" for r in rungs(size)]
    assert [n if " " in m else n.split()[0] for n, m in zip(names, made, strict=True)] == made


@given(st.integers(16, 16_384), st.integers(16, 16_384))
def test_nothing_is_ever_enlarged_or_odd(width: int, height: int) -> None:
    made = rungs((width, height))
    assert made
    assert [r.short for r in made] == sorted({r.short for r in made})
    for rung in made:
        assert rung.width <= width
        assert rung.height <= height
        assert max(rung.width, rung.height) <= LONGEST_SIDE
        assert (rung.width % 2, rung.height % 2) == (0, 0)
        assert 0 < rung.average < rung.peak
    assert [r.average for r in made] == sorted(r.average for r in made)


def test_sixty_frames_get_more_bits_than_thirty() -> None:
    assert [(r.average, r.peak) for r in rungs((640, 360), Fraction(30))] == [(250_000, 350_000), (700_000, 1_000_000)]
    assert [(r.average, r.peak) for r in rungs((640, 360), Fraction(60))] == [(350_000, 490_000), (980_000, 1_400_000)]


@pytest.mark.parametrize(
    ("fps", "vfr", "made"),
    [
        (Fraction(24_000, 1_001), False, Fraction(24_000, 1_001)),
        (Fraction(25), False, Fraction(25)),
        (Fraction(18), False, Fraction(18)),
        (Fraction(120), False, Fraction(60)),
        (Fraction(100), False, Fraction(50)),
        (Fraction(2), False, Fraction(6)),
        (Fraction(1, 10), False, Fraction(5)),
        (Fraction(0), False, Fraction(25)),
        (Fraction(293, 10), True, Fraction(30_000, 1_001)),
        (Fraction(1), True, Fraction(24_000, 1_001)),
    ],
)
def test_a_frame_rate_is_kept_where_it_can_be(fps: Fraction, vfr: bool, made: Fraction) -> None:
    assert constant_rate(fps, vfr=vfr) == made


def test_a_film_is_as_long_as_its_picture_to_the_frame() -> None:
    made = plan(film(PICTURE, sound(end_us=10_400_000), us=10_400_000))
    assert (made.kind, made.length_us, made.frames, made.fps, made.first) == ("film", 10_000_000, 250, Fraction(25), 2)
    assert made.samples == 480_000


def test_the_last_picture_stays_where_the_sound_goes_on() -> None:
    made = plan(film(PICTURE, sound(end_us=14_000_000), us=14_000_000))
    assert made.length_us == 14_000_000
    assert "tpad=stop_mode=clone:stop_duration=5.000000,trim=end_frame=350" in made.prepare


def test_the_length_of_an_audio_description_is_that_of_its_film() -> None:
    made = plan(film(None, sound()), length_us=12_000_000, lang="fr")
    assert made == Plan("sound", 12_000_000, audio=AudioPlan("a-fr", "fr", (1,), ""))


def test_a_still_gets_widths_it_fills() -> None:
    picture = VideoStream(0, "png", 4000, 3000)
    assert plan(Probe("png", "", 0, 1, picture, still=True)) == Plan("still", 0, image_widths=(640, 1_280, 2_560))
    assert [image_widths(w) for w in (300, 640, 700, 1_000, 9_000)] == [
        (300,),
        (640,),
        (640,),
        (640, 1_000),
        (640, 1_280, 2_560),
    ]


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ((), AudioPlan("a-und", "und", (), "")),
        ((sound(language="ko"),), AudioPlan("a-ko", "ko", (1,), "")),
        ((sound(1, language="en"), sound(2, language="fr", default=True)), AudioPlan("a-fr", "fr", (2,), "")),
        ((sound(channels=1),), AudioPlan("a-und", "und", (1,), "pan=stereo|c0=c0|c1=c0")),
        ((sound(1, channels=1), sound(2, channels=1)), AudioPlan("a-und", "und", (1, 2), "")),
        (
            (sound(1, channels=1, language="en"), sound(2, channels=1, language="fr")),
            AudioPlan("a-en", "en", (1,), "pan=stereo|c0=c0|c1=c0"),
        ),
        (
            (sound(channels=6, layout="5.1"),),
            AudioPlan("a-und", "und", (1,), "alimiter=limit=0.95:level=disabled:latency=1"),
        ),
    ],
    ids=["silent", "stereo", "default", "mono", "two-mono", "two-languages", "surround"],
)
def test_every_work_has_one_stereo_track(streams: tuple[AudioStream, ...], expected: AudioPlan) -> None:
    assert audio_plan(streams) == expected


def test_what_the_artist_says_about_the_language_counts() -> None:
    assert audio_plan((sound(language="en"),), "pt-BR") == AudioPlan("a-pt-BR", "pt-BR", (1,), "")
    assert audio_plan((), "fr") == AudioPlan("a-fr", "fr", (), "")


@pytest.mark.parametrize(
    ("sar", "rotation", "shown"),
    [
        (Fraction(1), 0, (720, 576)),
        (Fraction(64, 45), 0, (1024, 576)),
        (Fraction(1), 90, (576, 720)),
        (Fraction(64, 45), 270, (576, 1024)),
        (Fraction(1), 180, (720, 576)),
    ],
)
def test_a_picture_is_shown_upright_in_square_pixels(sar: Fraction, rotation: int, shown: tuple[int, int]) -> None:
    assert VideoStream(0, "h264", 720, 576, sar=sar, rotation=rotation).displayed == shown


def test_untagged_pictures_are_taken_for_what_they_usually_are() -> None:
    small, large = VideoStream(0, "h264", 720, 576), VideoStream(0, "h264", 1280, 720)
    tagged = VideoStream(0, "h264", 720, 576, colour=Colour(matrix="bt709"))
    assert [s.split("in_color_matrix=")[1][:5] for s in (scale_filters(v, 426, 240) for v in (small, large))] == [
        "bt601",
        "bt709",
    ]
    assert "in_color_matrix" not in scale_filters(tagged, 426, 240)


def test_high_dynamic_range_is_brought_down() -> None:
    assert "tonemap" in scale_filters(VideoStream(0, "hevc", 1920, 1080, colour=Colour(transfer="smpte2084")), 640, 360)
    assert "tonemap" not in scale_filters(VideoStream(0, "hevc", 1920, 1080), 640, 360)


def test_a_probe_is_kept_as_json_and_is_the_same_again() -> None:
    video = VideoStream(0, "h264", 1920, 1080, sar=Fraction(12, 11), fps=Fraction(24000, 1001), colour=Colour("bt709"))
    whole = Probe(
        "mp4", "mov", 5_000_000, 900, video, (AudioStream(1, "aac", 48_000, 2, default=True),), spherical=True
    )
    for probe in (whole, Probe("wav", "wav", 5_000_000, 900), Probe("png", "", 0, 9, video, still=True, cover=1)):
        assert as_kept(json.loads(json.dumps(to_keep(probe)))) == probe


@pytest.mark.parametrize("kept", [None, {}, {"container": "mp4"}, {**to_keep(Probe("wav", "wav", 1, 9)), "later": 1}])
def test_what_another_release_kept_is_not_taken(kept: dict[str, object] | None) -> None:
    assert as_kept(kept) is None


def test_levelling_goes_to_the_target_but_not_over_the_peak() -> None:
    assert levelling_db(None) == 0
    assert levelling_db({"integrated": None, "true_peak": None}) == 0
    assert levelling_db({"integrated": -16.04, "true_peak": -0.5}) == -6.96
    assert levelling_db({"integrated": -33.0, "true_peak": -14.0}) == 10.0
    assert levelling_db({"integrated": -33.0, "true_peak": -4.0}) == 3.0
