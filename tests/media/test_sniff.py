"""What a file is by its first bytes, and what is turned away."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showcase.core.failures import FAILURES, sentence
from showcase.errors import MediaError
from showcase.media.sniff import HEAD_BYTES, KINDS, media, sniff
from tests.media.conftest import Make, lavfi


@pytest.mark.parametrize(
    ("source", "container", "demuxer"),
    [
        ("landscape", "mp4", "mov,mp4,m4a,3gp,3g2,mj2"),
        ("ten_bit", "mov", "mov,mp4,m4a,3gp,3g2,mj2"),
        ("odd", "matroska", "matroska,webm"),
        ("interlaced", "mpegts", "mpegts"),
        ("sound_only", "wav", "wav"),
        ("still", "png", None),
    ],
)
def test_real_files_are_recognised(
    source: str, container: str, demuxer: str | None, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(source)
    found = media(path.read_bytes()[:HEAD_BYTES])
    assert (found.container, found.demuxer) == (container, demuxer)


@pytest.mark.parametrize(
    ("ending", "container"),
    [
        ("flac", "flac"),
        ("mp3", "mp3"),
        ("aac", "aac"),
        ("aiff", "aiff"),
        ("caf", "caf"),
        ("w64", "w64"),
        ("ogg", "ogg"),
        ("m4a", "m4a"),
        ("avi", "avi"),
        ("mpg", "mpeg"),
        ("mxf", "mxf"),
        ("wma", "asf"),
        ("webm", "webm"),
        ("flv", "flv"),
    ],
)
def test_sounds_and_films_of_every_kind_are_recognised(make: Make, ending: str, container: str) -> None:
    picture = ending in ("mpg", "mxf", "avi")
    made = make(
        f"kind.{ending}",
        *lavfi("sine=sample_rate=48000:d=0.3"),
        *(lavfi("testsrc2=s=64x64:r=25:d=0.3") if picture else ()),
        *(("-c:a", "libopus") if ending == "webm" else ()),
    )
    assert media(made.read_bytes()[:HEAD_BYTES]).container == container


HOSTILE = {
    b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n": "playlist",
    b"\xef\xbb\xbf\n #EXTM3U\nx": "playlist",
    "#EXTM3U\nx".encode("utf-16"): "playlist",
    b"[playlist]\nFile1=x": "playlist",
    b'<?xml version="1.0"?><MPD xmlns="x">': "playlist",
    b"ffconcat version 1.0\nfile /etc/passwd\n": "playlist",
    b"file 'x.mp4'\n": "playlist",
    b"v=0\no=- 0 0 IN IP4 0.0.0.0\n": "playlist",
    b'<svg xmlns="http://www.w3.org/2000/svg"/>': "svg",
    b'<?xml version="1.0"?><svg/>': "svg",
    b"<!DOCTYPE html><title>": "web-page",
    b"<tt>": "web-page",
    b"%PDF-1.7": "document",
    b"PK\x03\x04": "archive",
    b"\x7fELF": "program",
    b"#!/bin/sh\n": "program",
    b"glTF\x02\0\0\0": "model",
    b'{"asset": {"version": "2.0"}}': "model",
    b"8BPS\0\x01": "image-kind",
    b"WEBVTT\n\n00:00.000 --> 00:01.000\n": "captions-as-film",
    "WEBVTT\n".encode("utf-16"): "captions-as-film",
    b"1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\n": "captions-as-film",
    b"": "empty",
    b"just words": "unknown-kind",
    bytes(4096): "unknown-kind",
}


@pytest.mark.parametrize("head", HOSTILE, ids=range(len(HOSTILE)))
def test_what_cannot_be_shown_is_turned_away_in_words(head: bytes) -> None:
    with pytest.raises(MediaError) as refused:
        media(head)
    assert refused.value.code == HOSTILE[head]
    assert sentence(refused.value.code, refused.value.params) == FAILURES[HOSTILE[head]].format(**refused.value.params)


@given(st.binary(max_size=600))
def test_any_bytes_are_known_or_turned_away(head: bytes) -> None:
    try:
        code = sniff(head).container
    except MediaError as error:
        code = error.code
    assert code in {*(k.container for k in KINDS), "empty", "unknown-kind"}
