"""Grants: what is signed comes back, and nobody else can sign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showcase.core.grants import BUCKET_SECONDS, Grant, issue, parse

KEY = b"k" * 32
NOW = datetime(2026, 9, 12, 20, 0, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "asset"), [("work", ""), ("preview", ""), ("preview", "7f3a9c0d"), ("page", "7f3a9c0d")]
)
def test_a_grant_says_what_was_signed(kind: str, asset: str) -> None:
    token, expires = issue(KEY, kind, 4_711, NOW, HOUR, asset)
    assert parse(KEY, token) == Grant(kind, 4_711, expires, asset)


def test_it_ends_at_the_end_of_a_bucket_so_that_viewers_share_it() -> None:
    early = issue(KEY, "work", 1, NOW, HOUR)
    late = issue(KEY, "work", 1, NOW + timedelta(seconds=BUCKET_SECONDS - 1), HOUR)
    assert early == late
    assert early[1] == datetime(2026, 9, 12, 21, 5, tzinfo=UTC)


def test_it_never_ends_before_it_should() -> None:
    on_the_dot = datetime(2026, 9, 12, 20, 0, tzinfo=UTC)
    assert issue(KEY, "work", 1, on_the_dot, HOUR)[1] == on_the_dot + HOUR


def test_it_can_stand_in_a_path() -> None:
    token, _ = issue(KEY, "preview", 2**31, NOW, HOUR, "7f3a9c0d")
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_another_key_does_not_open_it() -> None:
    token, _ = issue(KEY, "work", 1, NOW, HOUR)
    assert parse(b"x" * 32, token) is None


@pytest.mark.parametrize("token", ["", ".", "..", "...", "w1", "w1.5.0", "w1.5.0.", "é.é.é.é", "\udc80.\udc80", "\0"])
def test_nonsense_is_no_grant(token: str) -> None:
    assert parse(KEY, token) is None


@given(st.data())
def test_a_changed_grant_is_none(data: st.DataObject) -> None:
    token, _ = issue(KEY, "preview", 1_000, NOW, HOUR, "7f3a9c0d")
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda c: c != token[at]))
    assert parse(KEY, token[:at] + other + token[at + 1 :]) is None
    assert parse(KEY, token[:at] + token[at + 1 :]) is None
    assert parse(KEY, token[:at] + other + token[at:]) is None


@given(st.text())
def test_no_text_is_taken_for_a_grant(text: str) -> None:
    assert parse(KEY, text) is None


def test_it_may_name_a_territory_and_an_access_code() -> None:
    plain, expires = issue(KEY, "screening", 7, NOW, HOUR)
    for territory, code in (("AT", 0), ("AT", 300), (None, 300)):
        token, _ = issue(KEY, "screening", 7, NOW, HOUR, "", territory, code)
        assert token != plain
        assert parse(KEY, token) == Grant("screening", 7, expires, "", territory, code)
    # What was given out before grants named one is still one, and viewers whose country is not known share theirs.
    assert parse(KEY, plain) == Grant("screening", 7, expires)
    assert plain.count(".") == 3
