"""Playlists: the sentence of RFC 8216 (or its second edition), then what we write."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from showcase.core.playlist import Alternative, Variant, captions, master, media
from showcase.core.timeline import Run, Segments, Window, on_demand

FILM = Segments.of("", [4_004_000, 4_004_000, 1_501_500])


def test_a_work_on_demand_is_whole_and_ended() -> None:
    assert media(on_demand(FILM)) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MAP:URI="init.mp4"\n'
        "#EXTINF:4.004000,\ns00000.m4s\n#EXTINF:4.004000,\ns00001.m4s\n#EXTINF:1.501500,\ns00002.m4s\n"
        "#EXT-X-ENDLIST\n"
    )


def test_a_pinned_window_says_when_each_run_was() -> None:
    at = 1_789_243_200_040_000  # 2026-09-12 20:00:00.040 UTC
    slate = Segments.of("slate/", [1_000_000])
    shown = Window(
        (Run(at, Segments.of("film/", [4_000_000]), 0, 1, 7, 3), Run(at + 4_000_000, slate, 0, 1, 8, 4)), False
    )
    assert media(shown, pinned=True, target_us=6_000_000) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MAP:URI="film/init.mp4"\n#EXT-X-PROGRAM-DATE-TIME:2026-09-12T20:00:00.040Z\n'
        "#EXTINF:4.000000,\nfilm/s00000.m4s\n"
        "#EXT-X-DISCONTINUITY\n"
        '#EXT-X-MAP:URI="slate/init.mp4"\n#EXT-X-PROGRAM-DATE-TIME:2026-09-12T20:00:04.040Z\n'
        "#EXTINF:1.000000,\nslate/s00000.m4s\n"
    )


def test_an_empty_window_is_still_a_playlist() -> None:
    assert media(Window((), ended=False)) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    )


@given(st.lists(st.integers(1, 9_000_000), min_size=1, max_size=20))
def test_no_segment_is_longer_than_the_target(durations_us: list[int]) -> None:
    # 4.3.3.1: "The EXTINF duration of each Media Segment in the Playlist file, when rounded to the nearest integer,
    # MUST be less than or equal to the target duration"
    text = media(on_demand(Segments.of("", durations_us)))
    target = int(re.search(r"TARGETDURATION:(\d+)", text)[1])  # type: ignore[index]
    written = [float(d) for d in re.findall(r"EXTINF:([\d.]+),", text)]
    assert all(int(d + 0.5) <= target for d in written)
    assert [round(d * 1_000_000) for d in written] == durations_us


VARIANTS = [
    Variant("v360/index.m3u8", 900_000, 700_000, "avc1.64001e", 640, 360, 23.976),
    Variant("v720/index.m3u8", 3_000_000, 2_500_000, "avc1.64001f", 1280, 720, 23.976),
]
SOUND = Alternative(
    "a-fr/index.m3u8", "Français", "fr", default=True, bandwidth=140_000, average=128_000, codecs="mp4a.40.2"
)
DESCRIBED = Alternative(
    "../x/a-fr/index.m3u8", 'For "the ears"\n', "fr", described=True, bandwidth=150_000, average=120_000
)
SUBTITLES = Alternative("../y/captions/index.m3u8", "English", "en")


def test_a_film_with_description_and_captions() -> None:
    # 4.4.6.2: BANDWIDTH is "the largest sum of peak segment bit rates that is produced by any playable combination"
    assert master(VARIANTS, [SOUND, DESCRIBED], [SUBTITLES]) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Français",LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="2",URI="a-fr/index.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="For \'the ears\' ",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,'
        'CHARACTERISTICS="public.accessibility.describes-video",CHANNELS="2",URI="../x/a-fr/index.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,'
        'FORCED=NO,CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,'
        'public.accessibility.describes-music-and-sound",URI="../y/captions/index.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=1050000,AVERAGE-BANDWIDTH=828000,CODECS="avc1.64001e,mp4a.40.2",'
        'RESOLUTION=640x360,FRAME-RATE=23.976,AUDIO="audio",SUBTITLES="captions",CLOSED-CAPTIONS=NONE\n'
        "v360/index.m3u8\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=3150000,AVERAGE-BANDWIDTH=2628000,CODECS="avc1.64001f,mp4a.40.2",'
        'RESOLUTION=1280x720,FRAME-RATE=23.976,AUDIO="audio",SUBTITLES="captions",CLOSED-CAPTIONS=NONE\n'
        "v720/index.m3u8\n"
    )


def test_the_sound_of_an_audio_work_is_its_own_variant() -> None:
    assert master([Variant("a-und/index.m3u8", 140_000, 128_000, "mp4a.40.2")], [], []) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2",CLOSED-CAPTIONS=NONE\n'
        "a-und/index.m3u8\n"
    )


def test_tracks_of_one_group_never_share_a_name() -> None:
    # 4.4.6.1.1: "All EXT-X-MEDIA tags in the same Group MUST have different NAME attributes."
    text = master(VARIANTS, [SOUND], [SUBTITLES, SUBTITLES, Alternative("z", "English (2)", "en")])
    assert re.findall(r'TYPE=SUBTITLES.*?NAME="(.*?)"', text) == ["English", "English (2)", "English (2) (2)"]


def test_captions_are_one_file_as_long_as_the_work() -> None:
    assert captions("captions.vtt", 61_500_000) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:62\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXTINF:61.500000,\ncaptions.vtt\n#EXT-X-ENDLIST\n"
    )
