"""Settings: where they come from, which goes first, what is refused, and the key that signs."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from showcase.settings import GIB, Settings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to be in, and an environment without settings."""
    for name in list(os.environ):
        if name.upper().startswith("SHOWCASE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_needs_to_be_set() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert (settings.upload_max, settings.upload_quota) == (50 * GIB, 200 * GIB)
    assert settings.database_url == f"sqlite+aiosqlite:///{Path('media').resolve() / 'showcase.db'}"
    assert (settings.public_url, settings.secure) == ("http://localhost:8080", False)


def test_arguments_go_before_the_environment_and_that_before_the_file(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare / "showcase.toml").write_text('host = "from-file"\nport = 1\nsite_name = "Datei — 潮"\n', "utf-8")
    monkeypatch.setenv("SHOWCASE_HOST", "from-environment")
    monkeypatch.setenv("SHOWCASE_PORT", "2")
    settings = Settings(port=3)
    assert (settings.port, settings.host, settings.site_name) == (3, "from-environment", "Datei — 潮")
    assert settings.log_level == "info"


def test_a_file_elsewhere_is_named_by_the_environment(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / "showcase.toml").write_text("port = 1\nworkers = 7\n")
    other = bare / "other.toml"
    other.write_text("port = 2\n")
    monkeypatch.setenv("SHOWCASE_CONFIG", str(other))
    assert (Settings().port, Settings().workers) == (2, 1)


def test_a_file_that_is_named_and_not_there_is_an_error(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWCASE_CONFIG", str(bare / "absent.toml"))
    with pytest.raises(FileNotFoundError, match=r"SHOWCASE_CONFIG names .*absent\.toml, and there is no such file"):
        Settings()


def test_every_setting_may_come_from_each_source(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "data": "/srv/show",
        "host": "::",
        "port": "9000",
        "base_url": "https://show.example.org/",
        "database": "postgresql+asyncpg://show@db/show",
        "secret": "correct horse",
        "trusted_proxies": "2",
        "log_format": "text",
        "dev": "true",
        "work_max_hours": "1.5",
        "smtp": "smtp://mail.example.org",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"SHOWCASE_{name.upper()}", value)
    from_environment = Settings()
    for name in values:
        monkeypatch.delenv(f"SHOWCASE_{name.upper()}")
    (bare / "showcase.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in values.items()))
    assert from_environment == Settings()
    assert from_environment.data == Path("/srv/show")
    assert from_environment.database_url == "postgresql+asyncpg://show@db/show"
    assert (from_environment.dev, from_environment.work_max_hours, from_environment.trusted_proxies) == (True, 1.5, 2)
    assert (from_environment.public_url, from_environment.secure) == ("https://show.example.org", True)


def test_settings_do_not_change() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_a_setting_that_does_not_exist_is_refused_by_name_wherever_it_comes_from(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare / "showcase.toml").write_text('metrics_tokne = "hush"\n')
    with pytest.raises(ValidationError, match=r"(?s)metrics_tokne.*Extra inputs are not permitted") as refused:
        Settings()
    assert "hush" not in str(refused.value)
    (bare / "showcase.toml").unlink()

    monkeypatch.setenv("SHOWCASE_UPLOAD_QUOTE", "hush")
    with pytest.raises(ValidationError, match=r"(?s)SHOWCASE_UPLOAD_QUOTE.*Extra inputs are not permitted") as refused:
        Settings()
    assert "hush" not in str(refused.value)
    monkeypatch.delenv("SHOWCASE_UPLOAD_QUOTE")

    with pytest.raises(ValidationError, match=r"(?s)prot.*Extra inputs are not permitted"):
        Settings(prot=1)  # type: ignore[call-arg]


def test_variables_of_the_build_and_the_tests_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOWCASE_TEST_REQUIRE", "SHOWCASE_CHROMIUM", "SHOWCASE_NPM_OMIT_DEV"):
        monkeypatch.setenv(name, "1")
    assert Settings().port == 8080


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "SMTP", "SECRET", "BASE_URL"):
        monkeypatch.setenv(f"SHOWCASE_{name}", "")
    settings = Settings()
    assert (settings.port, settings.smtp, settings.secret, settings.base_url) == (8080, None, None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "65536"),
        ("port", "http"),
        ("workers", "-1"),
        ("upload_max", "0"),
        ("job_attempts", "0"),
        ("grant_minutes", "1"),
        ("log_level", "loud"),
        ("trusted_proxies", "all"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SHOWCASE_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        Settings()


def test_secrets_are_not_shown() -> None:
    settings = Settings(secret="hush-1", metrics_token="hush-2", smtp="smtp://u:hush-3@mail")  # type: ignore[arg-type]
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings.model_dump())


def test_every_setting_says_what_it_is() -> None:
    assert [n for n, f in Settings.model_fields.items() if not (f.description or "").endswith(".")] == []


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:8080"),
        ("0.0.0.0", "http://localhost:8080"),
        ("::", "http://localhost:8080"),
        ("192.0.2.1", "http://192.0.2.1:8080"),
        ("2001:db8::1", "http://[2001:db8::1]:8080"),
    ],
)
def test_the_public_address_follows_the_host(host: str, url: str) -> None:
    assert Settings(host=host).public_url == url


def test_the_signing_key_is_made_once_for_its_owner_alone(bare: Path) -> None:
    settings = Settings(data=bare / "new" / "data")
    key = settings.signing_key()
    path = bare / "new" / "data" / "secret.key"
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == key.hex()
    assert settings.signing_key() == Settings(data=bare / "new" / "data").signing_key() == key
    assert Settings(data=bare / "other").signing_key() != key


def test_a_secret_that_is_set_makes_the_same_key_on_every_node(bare: Path) -> None:
    one, two = Settings(secret="hush", data=bare / "one"), Settings(secret="hush", data=bare / "two")  # type: ignore[arg-type]
    assert one.signing_key() == two.signing_key()
    assert len(one.signing_key()) == 32
    assert Settings(secret="hushh").signing_key() != one.signing_key()  # type: ignore[arg-type]
    assert not (bare / "one").exists()


def test_an_empty_secret_is_none(bare: Path) -> None:
    (bare / "showcase.toml").write_text('secret = ""\n')
    assert Settings(data=bare / "one").signing_key() != Settings(data=bare / "two").signing_key()


def test_processes_that_start_together_have_one_key(bare: Path) -> None:
    code = "from showcase.settings import Settings; print(Settings(data='together').signing_key().hex())"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=bare) for _ in range(4)
    ]
    keys = {process.communicate(timeout=60)[0].strip() for process in started}
    assert keys == {(bare / "together" / "secret.key").read_text()}
    assert len(keys.pop()) == 64


def test_a_key_that_was_never_written_is_made(bare: Path) -> None:
    (bare / "secret.key").touch(0o600)
    key = Settings(data=bare).signing_key()
    assert (bare / "secret.key").read_text() == key.hex()


@pytest.mark.parametrize("kept", ["ab", "ab" * 31, "zz" * 32, " "])
def test_a_damaged_key_is_refused_and_left_as_it_is(bare: Path, kept: str) -> None:
    (bare / "secret.key").write_text(kept)
    with pytest.raises(ValueError, match=r"secret\.key is damaged"):
        Settings(data=bare).signing_key()
    assert (bare / "secret.key").read_text() == kept
