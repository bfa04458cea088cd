"""Times, codecs and rates as they stand in real segments."""

from __future__ import annotations

import contextlib
import io
import shutil
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from showcase.core.ladder import AudioPlan, Plan
from showcase.media import ffmpeg, recipe
from showcase.media.child import Limits
from showcase.media.packaging import (
    Broken,
    boxes,
    codecs,
    fragments,
    join_tail,
    measure,
    peak_rate,
    playlist,
    segment_files,
    timescale,
)
from tests.media.films import Made, joined, samples


@pytest.fixture
def audio(landscape_made: Made, tmp_path: Path) -> Path:
    """A copy of a real sound rendition that may be broken."""
    return Path(shutil.copytree(landscape_made.folder / "a-fr", tmp_path / "a-fr"))


def test_a_rendition_is_measured_as_it_was_handed_over(landscape_made: Made) -> None:
    folder = landscape_made.folder / "v360"
    again = measure(folder, "v360", width=640, height=360, fps=Fraction(25))
    assert again == landscape_made.rendition("v360")
    assert again.durations_us == (4_000_000, 1_000_000)
    assert again.size_bytes == sum(f.stat().st_size for f in folder.iterdir())
    assert (again.kind, again.codecs[:7], again.fps) == ("video", "avc1.64", 25.0)
    assert again.average <= again.bandwidth


def test_sound_is_named_by_its_object_type(landscape_made: Made) -> None:
    made = landscape_made.rendition("a-fr")
    assert (made.kind, made.lang, made.codecs, made.width, made.fps) == ("audio", "fr", "mp4a.40.2", 0, 0.0)


def test_segments_follow_each_other_without_a_hole(landscape_made: Made) -> None:
    for name in ("a-fr", "v240"):
        flat = [f for file in segment_files(landscape_made.folder / name) for f in fragments(file.read_bytes())]
        assert flat[0].starts == 0
        assert [b.starts for _, b in pairwise(flat)] == [a.starts + a.length for a, _ in pairwise(flat)]


def test_lengths_are_those_a_demuxer_reads(landscape_made: Made) -> None:
    for name in ("a-fr", "v240"):
        with av.open(io.BytesIO(landscape_made.stream(name))) as film:
            length = sum(Fraction(p.duration or 0) * p.time_base for p in film.demux() if p.size and p.time_base)
        assert round(length * 1_000_000) == sum(landscape_made.rendition(name).durations_us)


async def test_a_short_tail_joins_the_segment_before(binary: str, tmp_path: Path) -> None:
    plan = Plan("sound", 4_050_000, audio=AudioPlan("a-und", "und", (), ""))
    (tmp_path / "a-und").mkdir()
    result = await ffmpeg.run(binary, recipe.only_sound(plan), cwd=tmp_path, limits=Limits(wall_s=60))
    assert result.ok
    folder = tmp_path / "a-und"
    before = joined(folder)
    assert len(segment_files(folder)) == 2
    join_tail(folder)
    assert len(segment_files(folder)) == 1
    made = measure(folder, "a-und")
    assert len(made.durations_us) == 1
    assert abs(made.durations_us[0] - 4_050_000) <= 21_334
    assert len(samples(joined(folder))[0]) == len(samples(before)[0])
    join_tail(folder)  # one segment stays as it is
    assert measure(folder, "a-und") == made


def test_a_hole_between_segments_is_broken(audio: Path) -> None:
    (audio / "s00002.m4s").write_bytes((audio / "s00001.m4s").read_bytes())
    with pytest.raises(Broken, match="s00002"):
        measure(audio, "a-fr")


def test_a_rendition_that_does_not_start_at_zero_is_broken(audio: Path) -> None:
    (audio / "s00000.m4s").unlink()
    with pytest.raises(Broken, match="does not start at 0"):
        measure(audio, "a-fr")


def test_a_rendition_without_segments_is_broken(audio: Path) -> None:
    for file in segment_files(audio):
        file.unlink()
    with pytest.raises(Broken, match="no segments"):
        measure(audio, "a-fr")


def test_a_segment_that_is_cut_off_is_broken(audio: Path) -> None:
    file = audio / "s00001.m4s"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Broken):
        measure(audio, "a-fr")


@given(st.data())
def test_a_damaged_file_is_broken_or_read(landscape_made: Made, data: st.DataObject) -> None:
    for read, name in ((fragments, "s00000.m4s"), (codecs, "init.mp4"), (timescale, "init.mp4")):
        content = bytearray((landscape_made.folder / "v240" / name).read_bytes()[:2_000])
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
        with contextlib.suppress(Broken):
            assert read(bytes(content))


def test_boxes_of_sixty_four_bits_are_read() -> None:
    large = (1).to_bytes(4, "big") + b"mdat" + (20).to_bytes(8, "big") + b"abcd"
    assert list(boxes(large)) == [(b"mdat", 16, 20)]


@pytest.mark.parametrize(
    ("sizes", "durations_s", "rate"),
    [
        ([500_000], [4], 1_000_000),
        ([500_000, 1_000_000, 500_000], [4, 4, 4], 2_000_000),
        ([500_000, 100_000], [4, 0.1], 1_170_732),  # a tail of nothing is no peak by itself, only with its neighbour
        ([250_000], [1], 2_000_000),  # shorter than half a target: the average is all there is
    ],
)
def test_the_peak_is_that_of_runs_of_about_a_target_duration(
    sizes: list[int], durations_s: list[float], rate: int
) -> None:
    assert peak_rate(sizes, [round(d * 1_000_000) for d in durations_s]) == rate


def test_a_playlist_of_our_own_lists_every_segment(landscape_made: Made) -> None:
    assert playlist(landscape_made.rendition("v360"), "v360") == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        '#EXT-X-MAP:URI="v360/init.mp4"\n'
        "#EXTINF:4.000000,\nv360/s00000.m4s\n#EXTINF:1.000000,\nv360/s00001.m4s\n#EXT-X-ENDLIST\n"
    )
