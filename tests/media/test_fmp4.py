"""Samples out of real segments and back into others."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from showcase.media import fmp4
from showcase.media.fmp4 import Sample
from showcase.media.packaging import Broken, Fragment, boxes, fragments, segment_files
from tests.media.films import Made, samples


@pytest.fixture
def sound(landscape_made: Made) -> Path:
    """A real sound rendition."""
    return landscape_made.folder / "a-fr"


def packets(data: bytes) -> list[tuple[int | None, int | None, bytes]]:
    with av.open(io.BytesIO(data)) as film:
        return [(p.pts, p.duration, bytes(p)) for p in film.demux() if p.size]


def test_samples_are_those_that_a_demuxer_reads(sound: Path) -> None:
    init, segment = (sound / "init.mp4").read_bytes(), segment_files(sound)[0].read_bytes()
    track = fmp4.read(init, segment)
    assert [(s.duration, s.data) for s in track.samples] == [(d, b) for _, d, b in packets(init + segment)]
    assert (track.init, track.number) == (init, 1)


def test_all_fragments_of_a_segment_are_read(sound: Path) -> None:
    init, files = (sound / "init.mp4").read_bytes(), segment_files(sound)
    one, two = (fmp4.read(init, f.read_bytes()).samples for f in files[:2])
    assert fmp4.read(init, files[0].read_bytes() + files[1].read_bytes()).samples == one + two


def test_a_rendition_written_anew_sounds_the_same(sound: Path) -> None:
    init = (sound / "init.mp4").read_bytes()
    old = b"".join(f.read_bytes() for f in segment_files(sound))
    track = fmp4.read(init, old)
    half = len(track.samples) // 2
    first = fmp4.segment(1, track.number, 0, track.samples[:half])
    second = fmp4.segment(2, track.number, sum(s.duration for s in track.samples[:half]), track.samples[half:])
    assert packets(init + first + second) == packets(init + old)
    assert samples(init + first + second) == samples(init + old)


def test_a_segment_says_its_number_its_time_and_its_samples() -> None:
    late = 1 << 40  # half a year at 90 kHz, more than 32 bits hold
    made = fmp4.segment(7, 3, late, [Sample(3_600, 0x2000000, b"key"), Sample(3_600, 0x1010000, b"other")])
    assert fragments(made) == (Fragment(late, 7_200, 2),)
    assert made[made.index(b"mfhd") + 8 :][:4] == (7).to_bytes(4, "big")
    assert made[made.index(b"tfhd") + 8 :][:4] == (3).to_bytes(4, "big")
    # 8.8.7.1: durations are all the same and stand once; 8.8.8.1: sizes and flags stand with each sample.
    assert made[made.index(b"tfhd") + 4 :][:4].hex() == "00020008"
    assert made[made.index(b"trun") + 4 :][:4].hex() == "00000601"
    assert [(k, made[a:b]) for k, a, b in boxes(made) if k == b"mdat"] == [(b"mdat", b"keyother")]
    assert fmp4.read(INIT, made.replace(b"tfhd\0\2\0\x08\0\0\0\3", b"tfhd\0\2\0\x08\0\0\0\1")).samples == (
        Sample(3_600, 0x2000000, b"key"),
        Sample(3_600, 0x1010000, b"other"),
    )


def box(kind: bytes, *words: int, inside: bytes = b"") -> bytes:
    content = b"".join((w & 0xFFFFFFFF).to_bytes(4, "big") for w in words) + inside
    return (8 + len(content)).to_bytes(4, "big") + kind + content


INIT = box(b"moov", inside=box(b"mvex", inside=box(b"trex", 0, 1, 1, 1_024, 2, 0xABC)))


def fragment(*runs: bytes, header: tuple[int, ...] = (0x020000, 1)) -> bytes:
    traf = box(b"tfhd", *header) + box(b"tfdt", 0, 0) + b"".join(runs)
    return box(b"moof", inside=box(b"mfhd", 0, 1) + box(b"traf", inside=traf)) + box(b"mdat", inside=b"aabbccc")


def offset(*runs: bytes, header: tuple[int, ...] = (0x020000, 1)) -> int:
    """Where the bytes of a fragment with runs of these sizes start."""
    return fragment(*runs, header=header).index(b"aabb")


def test_what_is_not_said_holds_from_the_track() -> None:
    run = box(b"trun", 1, 2, offset(box(b"trun", 1, 2, 0)))
    assert fmp4.read(INIT, fragment(run)).samples == (Sample(1_024, 0xABC, b"aa"), Sample(1_024, 0xABC, b"bb"))


def test_what_the_fragment_says_holds_before_the_track_and_the_sample_before_both() -> None:
    header = (0x020000 | 0x2 | 0x8 | 0x10 | 0x20, 1, 9, 500, 2, 0x111)
    first = (0x1 | 0x4 | 0x200, 2)
    at = offset(box(b"trun", *first, 0, 0, 0, 0), box(b"trun", 0x100 | 0x200 | 0x400, 1, 0, 0, 0), header=header)
    runs = box(b"trun", *first, at, 0x222, 2, 2), box(b"trun", 0x100 | 0x200 | 0x400, 1, 600, 3, 0x333)
    # The second run has no offset: its bytes follow those of the first.
    assert fmp4.read(INIT, fragment(*runs, header=header)).samples == (
        Sample(500, 0x222, b"aa"),
        Sample(500, 0x111, b"bb"),
        Sample(600, 0x333, b"ccc"),
    )


@pytest.mark.parametrize(
    ("segment", "why"),
    [
        (b"", "no samples"),
        (fragment(box(b"trun", 0x801, 1, 60, 5)), "another order"),
        (fragment(box(b"trun", 1, 1, 5_000)), "outside"),
        (fragment(box(b"trun", 1, 1, -8)), "outside"),
        (fragment(box(b"trun", 0x201, 9, 60, 5)), "cut off"),
        (fragment(header=(0x020000, 2)), "another track"),
        (fragment(header=(1, 1, 0, 0)), "start of a file"),
        (box(b"moof", inside=box(b"mfhd", 0, 1)), "0 tracks"),
    ],
)
def test_what_cannot_be_taken_apart_is_broken(segment: bytes, why: str) -> None:
    with pytest.raises(Broken, match=why):
        fmp4.read(INIT, segment)


def test_pictures_that_refer_to_later_ones_are_refused(landscape_made: Made) -> None:
    folder = landscape_made.folder / "v360"
    with pytest.raises(Broken, match="another order"):
        fmp4.read((folder / "init.mp4").read_bytes(), segment_files(folder)[0].read_bytes())


@given(st.data())
def test_a_damaged_file_is_broken_or_read(landscape_made: Made, data: st.DataObject) -> None:
    folder = landscape_made.folder / "a-fr"
    init, segment = (folder / "init.mp4").read_bytes(), bytearray(segment_files(folder)[0].read_bytes())
    segment[data.draw(st.integers(0, 1_500))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Broken):
        fmp4.read(init, bytes(segment))
    with contextlib.suppress(Broken):
        fmp4.read(init[: data.draw(st.integers(0, len(init)))], bytes(segment))


def test_a_segment_has_samples() -> None:
    with pytest.raises(ValueError, match="without samples"):
        fmp4.segment(1, 1, 0, [])
