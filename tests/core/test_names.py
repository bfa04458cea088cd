"""Names for addresses and files."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showcase.core.names import RESERVED, fold, safe_filename, slugify


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Košice", "kosice"), ("Changsha 长沙", "changsha 长沙"), ("STRASSE", "strasse"), ("ﬁlm", "film")],
)
def test_folding_forgets_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Nuit blanche à Enghien-les-Bains", "nuit-blanche-a-enghien-les-bains"),
        ("  Straße / Ørsted & Łódź œuvre  ", "strasse-orsted-lodz-oeuvre"),
        ("札幌の雪", "work-7"),
        ("札幌 Snow", "snow"),
        ("New", "work-7"),
        ("x", "work-7"),
        ("", "work-7"),
        ("../../etc/passwd", "etc-passwd"),
        ("a" * 79 + " b", "a" * 79),
    ],
)
def test_a_title_becomes_an_address(text: str, slug: str) -> None:
    assert slugify(text, "work-7") == slug


@given(st.text())
def test_every_slug_can_stand_in_an_address(text: str) -> None:
    slug = slugify(text, "work-7")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert 2 <= len(slug) <= 80
    assert slug not in RESERVED


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("film.mp4", "film.mp4"),
        ("C:\\Users\\me\\film.mp4", "film.mp4"),
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        ("", "file"),
        ("gpj.exe\u202e.mp4", "gpj.exe.mp4"),
        ("a\r\nSet-Cookie: b.mov", "aSet-Cookie: b.mov"),
        ("👩\u200d🎨 札幌.mov", "👩\u200d🎨 札幌.mov"),
        ("e\u0301te\u0301.wav", "été.wav"),
        ("x" * 300 + ".mp4", "x" * 196 + ".mp4"),
        ("x" * 199 + " y", "x" * 199),
    ],
)
def test_a_file_name_keeps_its_letters_and_loses_its_tricks(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


@given(st.text())
def test_no_file_name_leaves_its_folder(name: str) -> None:
    safe = safe_filename(name)
    assert safe not in ("", ".", "..")
    assert not set("/\\\0\r\n") & set(safe)
    assert len(safe) <= 200
