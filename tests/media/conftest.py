"""Small real sources, made once a run by FFmpeg's own generators."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from showcase.errors import Unavailable
from showcase.media import ffmpeg
from tests.media.films import Made, made_from
from tests.summary import MEDIA, missing

settings.register_profile("unhurried", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("unhurried")

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def binary() -> str:
    """The FFmpeg that Showcase would run."""
    try:
        return ffmpeg.binary()
    except Unavailable as error:
        missing(MEDIA, str(error))


@pytest.fixture(scope="session")
def make(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make a file: its name, then FFmpeg's arguments before it."""
    folder = tmp_path_factory.mktemp("sources")

    def run(name: str, *arguments: str | Path) -> Path:
        target = folder / name
        command = [binary, "-nostdin", "-hide_banner", "-v", "error", "-y", *map(str, arguments), str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return target

    return run


def lavfi(graph: str) -> tuple[str, str, str, str]:
    return ("-f", "lavfi", "-i", graph)


X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
SINE = lavfi("sine=frequency=440:sample_rate=48000,volume=12dB,aformat=channel_layouts=stereo")
RED_BLUE = "color=red:s=320x360:r=25[l];color=blue:s=320x360:r=25[r];[l][r]hstack,trim=duration={}"


@pytest.fixture(scope="session")
def landscape(make: Make) -> Path:
    """854x480, 25 a second, 5 s, with a French sound track."""
    return make(
        "landscape.mp4", *lavfi("testsrc2=s=854x480:r=25"), *SINE, "-t", "5", *X264, "-c:a", "aac",
        "-metadata:s:a:0", "language=fra", "-metadata", "location=+48.8566+002.3522/",
    )  # fmt: skip


@pytest.fixture(scope="session")
def landscape_made(landscape: Path, binary: str, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """All that is made of `landscape`."""
    return made_from(landscape, tmp_path_factory.mktemp("landscape"), binary=binary)


@pytest.fixture(scope="session")
def portrait(make: Make) -> Path:
    """640x360 as coded, to be turned: red is on the left as coded."""
    flat = make("flat.mp4", *lavfi(RED_BLUE.format(2)), *X264)
    return make("portrait.mp4", "-display_rotation", "90", "-i", flat, "-c", "copy")


@pytest.fixture(scope="session")
def anamorphic(make: Make) -> Path:
    """352x288 of pixels that are wider than high: 384x288 as shown."""
    return make("anamorphic.mp4", *lavfi("testsrc2=s=352x288:r=25:d=2,setsar=12/11"), *X264)


@pytest.fixture(scope="session")
def odd(make: Make) -> Path:
    """321x243, which no 4:2:0 picture can be."""
    return make(
        "odd.mkv",
        *lavfi("testsrc2=s=322x244:r=25:d=2,format=yuv444p,scale=321:243"),
        "-c:v",
        "ffv1",
        "-pix_fmt",
        "yuv444p",
    )


@pytest.fixture(scope="session")
def ten_bit(make: Make) -> Path:
    """ProRes 4:2:2 at ten bits, 24000/1001 a second."""
    return make(
        "ten-bit.mov", *lavfi("testsrc2=s=320x240:r=24000/1001:d=2"), "-c:v", "prores_ks", "-pix_fmt", "yuv422p10le"
    )


@pytest.fixture(scope="session")
def interlaced(make: Make) -> Path:
    """Two fields a frame in a transport stream, with mono sound."""
    return make(
        "interlaced.ts", *lavfi("testsrc2=s=352x288:r=50,interlace"),
        *lavfi("sine=frequency=440:sample_rate=48000,aformat=channel_layouts=mono"), "-t", "3",
        "-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-b:v", "2M", "-c:a", "mp2",
    )  # fmt: skip


@pytest.fixture(scope="session")
def varying(make: Make) -> Path:
    """A rate that changes all the time, as of a phone or a screen recording: 30 a second, of which some are missing."""
    return make(
        "varying.mp4", *lavfi("testsrc2=s=320x240:r=30:d=4,select='not(eq(mod(n,7),3)+eq(mod(n,5),1))'"), *X264,
        "-fps_mode", "vfr",
    )  # fmt: skip


@pytest.fixture(scope="session")
def silent(make: Make) -> Path:
    """A film without sound, 2 s, at 30000/1001 a second."""
    return make("silent.mp4", *lavfi("testsrc2=s=320x240:r=30000/1001:d=2"), *X264)


@pytest.fixture(scope="session")
def sound_only(make: Make) -> Path:
    """Five and a half seconds of sound at 44.1 kHz."""
    return make("sound.wav", *lavfi("sine=frequency=440:sample_rate=44100:d=5.5,aformat=channel_layouts=stereo"))


@pytest.fixture(scope="session")
def still(make: Make) -> Path:
    """A PNG, red on the left and blue on the right."""
    return make("still.png", *lavfi("color=red:s=500x600[l];color=blue:s=500x600[r];[l][r]hstack"), "-frames:v", "1")


@pytest.fixture(scope="session")
def faststart(make: Make, landscape: Path) -> Path:
    """`landscape` with its table of contents first."""
    return make("faststart.mp4", "-i", landscape, "-c", "copy", "-movflags", "+faststart")
