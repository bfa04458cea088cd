"""Language tags as people and files write them."""

from __future__ import annotations

import pytest

from showcase.core.languages import direction, normal_tag
from showcase.media.languages import bcp47


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        (" pt_BR ", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sl-ROZAJ", "sl-rozaj"),
        ("gsw", "gsw"),
        ("und", None),
        ("", None),
        ("e", None),
        ("english", None),
        ("en-", None),
        ('en"', None),
        ("en\n", "en"),
        ("en\nfr", None),
        ("en" + "-abcde" * 9, None),
    ],
)
def test_a_tag_gets_its_usual_writing(written: str, tag: str | None) -> None:
    assert normal_tag(written) == tag


@pytest.mark.parametrize(
    ("tag", "way"),
    [
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("fa", "rtl"),
        ("ckb", "rtl"),
        ("az-Arab", "rtl"),
        ("ar-Latn", "ltr"),
        ("sd-Deva", "ltr"),
        ("en", "ltr"),
        ("ko-KR", "ltr"),
        ("und", "ltr"),
    ],
)
def test_the_script_decides_which_way_a_language_runs(tag: str, way: str) -> None:
    assert direction(tag) == way


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("eng", "en"),
        ("fre", "fr"),
        ("fra", "fr"),
        ("ger", "de"),
        ("gsw", "gsw"),
        ("en_us", "en-US"),
        ("por-BR", "pt-BR"),
        ("und", "und"),
        ("zxx", "und"),
        ("", "und"),
        ('"><script>', "und"),
    ],
)
def test_codes_of_media_files_become_tags(code: str, tag: str) -> None:
    assert bcp47(code) == tag
