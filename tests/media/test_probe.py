"""What a file really holds, and files that lie about it."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from showcase.core.ladder import AudioStream, Colour, Probe, VideoStream
from showcase.errors import MediaError
from showcase.media import ffmpeg
from showcase.media.child import Limits
from showcase.media.probe import probe
from showcase.media.sniff import KINDS
from tests.media.conftest import SINE, X264, Make, lavfi

MP4 = next(k for k in KINDS if k.container == "mp4")
MOV = "mov,mp4,m4a,3gp,3g2,mj2"


async def refused(path: Path, **options: object) -> tuple[str, dict[str, object]]:
    with pytest.raises(MediaError) as error:
        await probe(path, **options)  # type: ignore[arg-type]
    return error.value.code, error.value.params


async def test_a_film_with_sound(landscape: Path) -> None:
    found = await probe(landscape)
    assert found == Probe(
        "mp4",
        MOV,
        5_000_000,
        landscape.stat().st_size,
        VideoStream(0, "h264", 854, 480, fps=Fraction(25), end_us=5_000_000),
        (AudioStream(1, "aac", 48_000, 2, "stereo", "fr", default=True, end_us=5_000_000),),
    )


async def test_a_picture_that_is_to_be_turned(portrait: Path) -> None:
    video = (await probe(portrait)).video
    assert video is not None
    assert (video.width, video.height, video.rotation, video.displayed) == (640, 360, 270, (360, 640))


async def test_pixels_that_are_not_square(anamorphic: Path) -> None:
    video = (await probe(anamorphic)).video
    assert video is not None
    assert (video.sar, video.displayed) == (Fraction(12, 11), (384, 288))


async def test_odd_sizes_and_ten_bits(odd: Path, ten_bit: Path) -> None:
    first, second = (await probe(odd)).video, (await probe(ten_bit)).video
    assert first is not None
    assert second is not None
    assert (first.displayed, first.pix_fmt, first.bit_depth) == ((321, 243), "yuv444p", 8)
    assert (second.pix_fmt, second.bit_depth, second.fps) == ("yuv422p10le", 10, Fraction(24_000, 1_001))
    assert second.colour == Colour()


async def test_fields_in_a_transport_stream(interlaced: Path) -> None:
    found = await probe(interlaced)
    assert found.video is not None
    assert (found.video.interlaced, found.video.fps, found.audio[0].channels) == (True, Fraction(25), 1)
    # A transport stream starts at any time; ours count from its start, and sound comes in whole frames.
    assert abs(found.duration_us - 3_000_000) < 100_000


async def test_a_varying_rate(varying: Path) -> None:
    video = (await probe(varying)).video
    assert video is not None
    assert (video.vfr, video.fps, video.end_us) == (True, Fraction(30), 4_000_000)


async def test_the_rate_of_american_television(silent: Path) -> None:
    found = await probe(silent)
    assert found.video is not None
    assert (found.audio, found.video.fps, found.video.vfr) == ((), Fraction(30_000, 1_001), False)


async def test_sound_alone(sound_only: Path) -> None:
    found = await probe(sound_only)
    assert (found.video, found.audio[0].rate, found.duration_us) == (None, 44_100, 5_500_000)


async def test_a_cover_is_no_film(make: Make, still: Path, sound_only: Path) -> None:
    song = make("song.mp3", "-i", sound_only, "-i", still, "-map", "0:a", "-map", "1:v", "-c:v", "mjpeg", "-t", "1")
    found = await probe(song)
    assert (found.video, found.cover, len(found.audio)) == (None, 1, 1)


async def test_a_still(still: Path) -> None:
    found = await probe(still)
    assert found == Probe("png", "", 0, still.stat().st_size, VideoStream(0, "png", 1_000, 600), still=True)


async def test_a_still_that_is_to_be_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32)).save(tmp_path / "a.jpg", exif=exif)
    found = (await probe(tmp_path / "a.jpg")).video
    assert found is not None
    assert found.displayed == (32, 64)


async def test_a_moving_gif_is_a_film_and_one_that_stands_is_a_still(make: Make, tmp_path: Path) -> None:
    moving = await probe(make("moving.gif", *lavfi("testsrc2=s=64x64:r=10:d=1")))
    assert moving.video is not None
    assert (moving.still, moving.duration_us, moving.video.fps) == (False, 1_000_000, Fraction(10))
    Image.new("P", (64, 64)).save(tmp_path / "a.gif")
    assert (await probe(tmp_path / "a.gif")).still


# What is refused


async def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert await refused(tmp_path / "empty.mp4") == ("empty", {})


async def test_a_playlist_that_is_called_a_film_is_refused_and_never_followed(
    tmp_path: Path, landscape: Path, binary: str
) -> None:
    (tmp_path / "secret.mp4").write_bytes(landscape.read_bytes())
    scripts = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {tmp_path}/secret.mp4\n",
    }
    for demuxer, script in scripts.items():
        film = tmp_path / "film.mp4"
        film.write_text(script)
        assert (await refused(film))[0] == "playlist"
        # Even where the sniffing is passed by, or the wrong demuxer let in, nothing but the descriptor is read.
        assert await refused(film, kind=MP4) == ("moov-missing", {})
        for allowed in (MOV, demuxer, f"{demuxer},{MOV}"):
            assert (await refused(film, kind=replace(MP4, demuxer=allowed)))[0] in ("moov-missing", "unreadable")
            result = await ffmpeg.run(
                binary, ["-map", "0", "-y", "stolen.mkv"], cwd=tmp_path, limits=Limits(wall_s=20), source=film,
                demuxer=allowed,
            )  # fmt: skip
            assert (result.ok, (tmp_path / "stolen.mkv").exists()) == (False, False)


async def test_a_film_that_broke_off_before_its_table_of_contents(landscape: Path, tmp_path: Path) -> None:
    data = landscape.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    assert await refused(tmp_path / "cut.mp4") == ("moov-missing", {})


async def test_a_film_that_broke_off_after_its_table_of_contents(faststart: Path, tmp_path: Path) -> None:
    data = faststart.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 4])
    code, params = await refused(tmp_path / "cut.mp4")
    assert (code, params["stated"]) == ("shorter-than-stated", 5)


async def test_the_header_of_an_mp4_may_claim_ten_hours_as_only_its_samples_count(
    landscape: Path, tmp_path: Path
) -> None:
    data = bytearray(landscape.read_bytes())
    for name, length_at in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24), (b"elst", 12)):
        for match in re.finditer(name, bytes(data)):
            data[match.start() + length_at : match.start() + length_at + 4] = (2_000_000_000).to_bytes(4, "big")
    (tmp_path / "claims.mp4").write_bytes(data)
    assert (await probe(tmp_path / "claims.mp4")).duration_us == 5_000_000


async def test_a_last_picture_of_ten_hours_counts_for_ten_seconds(make: Make, tmp_path: Path) -> None:
    source = make("last.mp4", *lavfi("testsrc2=s=64x64:r=25:d=1,setpts='PTS+if(eq(N,24),1,0)'"), *X264, "-bf", "0",
                  "-fps_mode", "passthrough", "-video_track_timescale", "1000")  # fmt: skip
    data = bytearray(source.read_bytes())
    stts = data.index(b"stts") + 4
    last = stts + 8 * int.from_bytes(data[stts + 4 : stts + 8], "big") + 4  # the length in the last of its entries
    data[last : last + 4] = (36_000_000).to_bytes(4, "big")
    (tmp_path / "last.mp4").write_bytes(data)
    assert (await probe(tmp_path / "last.mp4")).duration_us == 11_000_000


async def test_a_matroska_that_claims_ten_hours(make: Make, tmp_path: Path) -> None:
    data = bytearray(make("claims.mkv", *lavfi("sine=d=3"), "-c:a", "pcm_s16le").read_bytes())
    at = data.index(b"\x44\x89\x88") + 3  # Duration, a float of eight bytes, in milliseconds
    data[at : at + 8] = struct.pack(">d", 36_000_000.0)
    (tmp_path / "claims.mkv").write_bytes(data)
    assert await refused(tmp_path / "claims.mkv") == ("shorter-than-stated", {"stated": 36_000, "found": 3})


@pytest.mark.parametrize("ending", ["wav", "aiff"])
async def test_a_sound_of_which_half_was_copied(make: Make, tmp_path: Path, ending: str) -> None:
    data = make(f"whole.{ending}", *lavfi("sine=d=8")).read_bytes()
    (tmp_path / f"half.{ending}").write_bytes(data[: len(data) // 2])
    assert await refused(tmp_path / f"half.{ending}") == ("shorter-than-stated", {"stated": 8, "found": 4})


async def test_a_sound_that_was_written_into_a_pipe_does_not_know_its_length(make: Make, tmp_path: Path) -> None:
    data = bytearray(make("whole.wav", *lavfi("sine=d=2")).read_bytes())
    for claim in (0xFFFF_FFFF, 0x8000_0024, 0x7FFF_F024, 0):
        data[4:8] = claim.to_bytes(4, "little")
        (tmp_path / "piped.wav").write_bytes(data)
        assert (await probe(tmp_path / "piped.wav")).duration_us == 2_000_000


async def test_a_gap_of_more_than_ten_minutes(make: Make) -> None:
    gap = make("gap.mkv", *lavfi("sine=d=3,asetpts='PTS+if(gte(T,1.5),700/TB,0)'"), "-c:a", "pcm_s16le", "-copyts")
    code, params = await refused(gap)
    assert (code, params) == ("gap", {"at": 1})


async def test_a_film_that_is_longer_than_is_taken(landscape: Path) -> None:
    assert await refused(landscape, max_duration_us=4_000_000) == ("too-long", {"minutes": 0, "limit": 0})


async def test_less_than_a_frame(make: Make) -> None:
    assert await refused(make("blip.wav", *lavfi("sine=d=0.01"))) == ("too-short", {})


async def test_a_picture_of_a_few_pixels(make: Make, tmp_path: Path) -> None:
    tiny = make("tiny.mkv", *lavfi("testsrc2=s=64x8:r=25:d=1"), "-c:v", "ffv1")
    assert await refused(tiny) == ("picture-too-small", {"width": 64, "height": 8})
    Image.new("RGB", (15, 100)).save(tmp_path / "tiny.png")
    assert await refused(tmp_path / "tiny.png") == ("picture-too-small", {"width": 15, "height": 100})


def png(width: int, height: int) -> bytes:
    """A PNG whose header claims this size, with hardly any pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    pixels = chunk(b"IDAT", zlib.compress(bytes(1_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(100_000, 100_000), (20_000, 10_001), (2**31 - 1, 2**31 - 1)])
async def test_an_image_bomb(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "bomb.png").write_bytes(png(*size))
    assert (await refused(tmp_path / "bomb.png"))[0] == "picture-too-large"


async def test_an_mp4_of_too_many_pixels(make: Make, tmp_path: Path) -> None:
    data = make("small.avi", *lavfi("testsrc2=s=64x64:r=25:d=1"), "-c:v", "rawvideo").read_bytes()
    at = data.index(b"strf") + 12
    huge = (20_000).to_bytes(4, "little") * 2
    (tmp_path / "bomb.avi").write_bytes(data[:at] + huge + data[at + 8 :])
    assert (await refused(tmp_path / "bomb.avi"))[0] in ("picture-too-large", "codec", "unreadable")


async def test_a_file_of_nothing_but_data(make: Make, landscape: Path) -> None:
    words = make("words.srt.mkv", *lavfi("sine=d=1"), "-c:a", "pcm_s16le")
    broken = words.with_name("broken.mkv")
    broken.write_bytes(words.read_bytes()[:200])
    assert (await refused(broken))[0] in ("unreadable", "nothing-to-show")


async def test_more_tracks_than_are_read(make: Make, sound_only: Path) -> None:
    many = make("many.mkv", "-i", sound_only, *(["-map", "0:a"] * 65), "-t", "0.2", "-c:a", "pcm_s16le")
    assert await refused(many) == ("too-many-streams", {"count": 65, "limit": 64})


async def test_the_clock_of_a_transport_stream_may_wrap_round(make: Make) -> None:
    around = make(
        "around.ts", *lavfi("testsrc2=s=64x64:r=25:d=3"), *SINE, "-t", "3", *X264, "-c:a", "aac",
        "-output_ts_offset", "95441",
    )  # fmt: skip
    found = await probe(around)
    assert abs(found.duration_us - 3_000_000) < 50_000


async def test_recordings_one_after_the_other_are_as_long_as_all(interlaced: Path, tmp_path: Path) -> None:
    (tmp_path / "twice.ts").write_bytes(interlaced.read_bytes() * 2)
    once, twice = await probe(interlaced), await probe(tmp_path / "twice.ts")
    assert abs(twice.duration_us - 2 * once.duration_us) < 100_000


async def test_a_start_later_than_zero_is_kept(make: Make) -> None:
    late = make(
        "late.mkv", *lavfi("testsrc2=s=64x64:r=25:d=3"), "-itsoffset", "1", *SINE, "-t", "3", *X264, "-c:a", "pcm_s16le"
    )  # fmt: skip
    found = await probe(late)
    assert [a.start_us for a in found.audio] == [1_000_000]
