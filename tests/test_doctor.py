"""`showcase doctor` says what is missing, in words, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from showcase import doctor
from showcase.settings import Settings


def found(settings: Settings) -> dict[str, str]:
    return {check.name: check.level for check in doctor.run(settings)}


def test_a_new_machine_is_fit_and_stays_as_it_was(tmp_path: Path) -> None:
    levels = found(Settings(data=tmp_path / "data", port=0))
    assert [name for name, level in levels.items() if level == "bad"] == []
    assert levels["database"] == "good"
    assert list(tmp_path.iterdir()) == []


def test_an_old_schema_is_told_and_left(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(Settings(data=tmp_path, database=database_url, port=0))["database"] == "good"
    monkeypatch.setattr("showcase.store.database.head", lambda: "9999")
    assert found(Settings(data=tmp_path, database=database_url, port=0))["database"] == "warn"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path,
        ffmpeg="/nowhere/ffmpeg",
        database="postgresql+asyncpg://nobody@127.0.0.1:1/none",
        base_url="http://x.example",
    )
    levels = found(settings)
    assert (levels["FFmpeg"], levels["database"], levels["address"]) == ("bad", "bad", "warn")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert found(Settings(data=tmp_path / "file", port=0))["data folder"] == "bad"


def test_what_says_where_viewers_are_is_tried(tmp_path: Path) -> None:
    given = {"data": tmp_path, "port": 0}
    behind = {"territory_header": "CF-IPCountry"}
    levels = [
        found(Settings(**given, **more))["territories"]
        for more in ({}, behind, behind | {"trusted_proxies": 1}, {"territory_database": tmp_path / "none.mmdb"})
    ]
    assert levels == ["warn", "bad", "good", "bad"]
