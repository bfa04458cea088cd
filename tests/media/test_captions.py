"""Captions: WebVTT and SRT in, safe WebVTT out, and the line at fault where something is wrong."""

from __future__ import annotations

import re

import pysubs2
import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from showcase.core.failures import FAILURES, sentence
from showcase.errors import MediaError
from showcase.media.captions import LIMIT_CUES, LIMIT_KB, Captions, Cue, read

SRT = "1\n00:00:01,000 --> 00:00:02,500\nBonjour\nà tous\n\n2\n00:00:03,000 --> 00:00:04,000\nFin\n"
READ = Captions(
    "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nBonjour\nà tous\n\n00:00:03.000 --> 00:00:04.000\nFin\n",
    (Cue(1_000_000, 2_500_000, "Bonjour\nà tous"), Cue(3_000_000, 4_000_000, "Fin")),
    "Bonjour à tous\nFin",
)


def vtt(body: str) -> Captions:
    return read(f"WEBVTT\n\n{body}".encode(), "a.vtt")


def cue(text: str, settings: str = "") -> str:
    """The text of one cue after reading and writing it."""
    written = vtt(f"00:01.000 --> 00:02.000 {settings}\n{text}\n").vtt
    return written.removeprefix("WEBVTT\n\n00:00:01.000 --> 00:00:02.000").strip("\n")


@pytest.mark.parametrize(
    "data",
    [
        SRT.encode(),
        SRT.encode("utf-8-sig"),
        SRT.encode("utf-16"),
        b"\xfe\xff" + SRT.encode("utf-16-be"),
        SRT.encode("cp1252"),
        SRT.replace("\n", "\r\n").encode(),
        SRT.replace("\n", "\r").encode(),
        b"\n\n" + SRT.encode(),
        ("WEBVTT - a title\nKind: captions\n\n" + SRT.replace(",", ".")).encode(),
        ("WEBVTT\n\nSTYLE\n::cue { color: red }\n\nNOTE\nfirst\n\n" + SRT.replace(",", ".")).encode(),
        SRT.replace("1\n00", "00").replace("2\n00", "00").encode(),
        SRT.replace("\n\n2\n", "\n2\n").encode(),
        SRT.replace("Bonjour\n", "Bonjour\n\n").encode(),
    ],
    ids=[
        "utf-8", "mark", "utf-16", "utf-16-be", "cp1252", "crlf", "cr", "blank-first", "webvtt", "style", "no-numbers",
        "no-gap", "gap-in-text",
    ],
)  # fmt: skip
def test_captions_are_read_in_every_usual_writing(data: bytes) -> None:
    assert read(data, "captions.srt") == READ


def test_what_was_written_is_read_the_same() -> None:
    assert read(READ.vtt.encode(), "a.vtt") == READ


def test_libraries_read_what_is_written() -> None:
    assert [(c.start, c.end, c.text) for c in webvtt.from_string(READ.vtt)] == [
        ("00:00:01.000", "00:00:02.500", "Bonjour\nà tous"),
        ("00:00:03.000", "00:00:04.000", "Fin"),
    ]
    assert [(e.start, e.end, e.plaintext) for e in pysubs2.SSAFile.from_string(READ.vtt)] == [
        (1_000, 2_500, "Bonjour\nà tous"),
        (3_000, 4_000, "Fin"),
    ]


def test_cues_are_sorted_and_repeats_are_said_once() -> None:
    found = vtt("00:05.000 --> 00:06.000\nb\n\n00:01.000 --> 00:02.000\na\n\n00:03.000 --> 00:04.000\n<i>a</i>\n")
    assert [c.start_us for c in found.cues] == [1_000_000, 3_000_000, 5_000_000]
    assert found.transcript == "a\nb"


def test_hours_may_be_many() -> None:
    assert vtt("100:00:00.000 --> 100:00:01.000\na\n").cues == (Cue(360_000_000_000, 360_001_000_000, "a"),)


def test_a_cue_that_is_never_seen_is_left_out() -> None:
    found = vtt("00:01.000 --> 00:01.000\nflash\n\n00:02.000 --> 00:03.000\n<b></b>\n\n00:04.000 --> 00:05.000\na\n")
    assert found.cues == (Cue(4_000_000, 5_000_000, "a"),)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<i>a</i> <b>b</b> <u>c</u>", "<i>a</i> <b>b</b> <u>c</u>"),
        ("<c.yellow.bg_blue>a</c>", "<c.yellow.bg_blue>a</c>"),
        ("<v.loud Mary  Ann>Hi", "<v.loud Mary Ann>Hi</v>"),
        ("<lang fr-ca>Oui</lang>", "<lang fr-CA>Oui</lang>"),
        ("<lang x'y>Oui</lang>", "Oui"),
        ("<ruby>漢<rt>kan</rt></ruby>", "<ruby>漢<rt>kan</rt></ruby>"),
        ("<rt>a</rt>", "a"),
        ("<I>a</I>", "<i>a</i>"),
        ("<i>a <b>b</i> c</b>", "<i>a <b>b</b></i> c"),
        ("a</i>", "a"),
        ("<i>a", "<i>a</i>"),
        ('<font color="red">a</font>', "a"),
        ("<00:01.500>a <00:00:01.700>b", "a b"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=alert(1)>a", "a"),
        ("<i onclick=alert(1)>a</i>", "<i>a</i>"),
        ("<v <script>x", "&lt;v x"),
        ("<c.&quot;>a</c>", "<c>a</c>"),
        ("&lt;script&gt; &amp; &eacute; &#233; R&B", "&lt;script&gt; &amp; é é R&amp;B"),
        ("1 < 2 > 0 <3", "1 &lt; 2 &gt; 0 &lt;3"),
        ("a&#10;&#10;00:09.000 --&gt; 00:10.000", "a 00:09.000 --&gt; 00:10.000"),
        ("a&#0;b&#xD800;c", "a\ufffdb\ufffdc"),
        ("a\tb\x07c\u2028d", "a b c d"),
    ],
)
def test_only_safe_markup_is_kept(text: str, kept: str) -> None:
    assert cue(text) == kept


def test_plain_text_has_no_markup_and_says_no_word_twice() -> None:
    found = vtt("00:01.000 --> 00:02.000\n<v Mary><ruby>漢<rt>kan</rt></ruby> &amp; <i>1 &lt; 2</i>\n")
    assert (found.cues[0].text, found.transcript) == ("漢 & 1 < 2", "漢 & 1 < 2")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("line:0 position:10% align:start size:50%", "line:0 position:10% align:start size:50%"),
        ("vertical:rl line:-1,end position:20.5%,line-left", "vertical:rl line:-1,end position:20.5%,line-left"),
        ("align:middle", "align:center"),
        ("line:101% position:x region:a onload:b align:", ""),
    ],
)
def test_settings_that_mean_something_are_kept(written: str, kept: str) -> None:
    assert cue("a", written) == f"{' ' if kept else ''}{kept}\na".strip("\n")


def test_tags_of_substation_in_srt_are_removed_and_the_top_is_kept() -> None:
    found = read(b"1\n00:00:01,000 --> 00:00:02,000 X1:10 X2:20\n{\\an8}{\\i1}Up {here}\n", "a.srt")
    assert found.vtt == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000 line:0\nUp {here}\n"


TIMED = "1\n00:00:01,000 --> 00:00:02,000\na\n\n"


@pytest.mark.parametrize(
    ("data", "code", "params"),
    [
        (b"", "captions-empty", {}),
        (b"\xef\xbb\xbf \r\n\n", "captions-empty", {}),
        (b"WEBVTT\n", "captions-empty", {}),
        (b"1\n00:00:01,000 --> 00:00:02,000\n\n", "captions-empty", {}),
        (b" " * (LIMIT_KB * 1024 + 1), "captions-too-large", {"limit": LIMIT_KB}),
        (b"[Script Info]\nTitle: x\n", "captions-kind", {}),
        (b"just a text\nof two lines", "captions-kind", {}),
        (b"<tt xmlns='x'/>", "captions-kind", {}),
        (b"#EXTM3U\n", "captions-kind", {}),
        (b"\x00\x00\x00\x20ftypisom\0\0\0\0", "captions-kind", {}),
        (b"WEBVTTX\n\n00:01.000 --> 00:02.000\na", "captions-kind", {}),
        (SRT.encode("utf-16-le"), "captions-encoding", {}),
        (SRT.encode("utf-16")[:-1], "captions-encoding", {}),
        (SRT.encode() + b"\x81\xff", "captions-encoding", {}),
        (b"1\n00:00:01 --> 00:00:02\na", "captions-time", {"line": 2, "text": "00:00:01 --> 00:00:02"}),
        (b"1\n00:00:01,000 -> 00:00:02,000\na", "captions-time", {"line": 2, "text": "00:00:01,000 -> 00:00:02,000"}),
        (b"00:00:01,5 --> 00:00:02,000\na", "captions-time", {"line": 1, "text": "00:00:01,5 --> 00:00:02,000"}),
        (
            f"{TIMED}2\n00:00:61,000 --> 00:00:62,000\nb".encode(),
            "captions-time",
            {"line": 6, "text": "00:00:61,000 --> 00:00:62,000"},
        ),
        (
            f"{TIMED}00:00:05,000 --> tomorrow\nb".encode(),
            "captions-time",
            {"line": 5, "text": "00:00:05,000 --> tomorrow"},
        ),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\na\n\nlost words\n\n", "captions-time", {"line": 6, "text": "lost words"}),
        (f"{TIMED}2\n00:00:05,000 --> 00:00:04,999\nb".encode(), "captions-order", {"line": 6}),
        (
            b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\na\n\n" * (LIMIT_CUES + 1),
            "captions-too-many",
            {"limit": LIMIT_CUES},
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_is_wrong_is_said_with_its_line(data: bytes, code: str, params: dict[str, object]) -> None:
    with pytest.raises(MediaError) as refused:
        read(data, "a.srt")
    assert (refused.value.code, refused.value.params) == (code, params)
    assert sentence(code, params) == FAILURES[code].format(**params)


def test_a_long_faulty_line_is_told_in_part() -> None:
    with pytest.raises(MediaError) as refused:
        read(b"1\n" + b"x" * 5_000, "a.srt")
    assert refused.value.params == {"line": 2, "text": "x" * 80}


def test_a_text_that_begins_with_a_number_is_no_captions_unless_its_name_says_so() -> None:
    with pytest.raises(MediaError, match="captions-kind"):
        read(b"1\nonce upon a time\n", "notes.txt")


@pytest.mark.parametrize(
    "line", ["<" * 300, "<i>" * 300, "</i>" * 300, "&" * 300, "<v " * 300, "<c.a.b" * 300, "{\\" * 300, "-->" * 300]
)
def test_work_on_hostile_text_is_bounded(line: str) -> None:
    body = "\n".join([line] * (700_000 // len(line)))
    found = read(f"1\n00:00:01,000 --> 00:00:02,000\n{body}\nend\n".encode(), "a.srt")
    assert len(found.vtt) < 5 * LIMIT_KB * 1024
    assert found.cues[0].text.endswith("end")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80))
def test_no_text_gets_out_of_its_cue(text: str) -> None:
    try:
        found = read(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\nend\n".encode(), "a.vtt")
    except MediaError as error:
        assert error.code in ("captions-time", "captions-order")  # noqa: PT017
        return
    assert len(re.findall("-->", found.vtt)) == len(found.cues)
    assert re.fullmatch(r"[^<>]*", re.sub(r"</?(?:i|b|u|c|v|ruby|rt|lang)(?:[. ][^<>]*)?>|-->", "", found.vtt))
    assert read(found.vtt.encode(), "a.vtt").vtt == found.vtt
