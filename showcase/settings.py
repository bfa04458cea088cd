"""One frozen object of settings, from the environment (`SHOWCASE_*`) and a TOML file.

Order: command line, environment, `showcase.toml` in the current folder or the file named by `SHOWCASE_CONFIG`,
then the defaults below. `docs/operators.md` lists every one; a test keeps it complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

GIB = 1 << 30
KEY_BYTES = 32
PREFIX = "SHOWCASE_"
# Variables of the build and the tests, and the one that names the file.
NOT_SETTINGS = ("SHOWCASE_CONFIG", "SHOWCASE_CHROMIUM", "SHOWCASE_TEST_", "SHOWCASE_NPM_")


class _Environment(EnvSettingsSource):
    """The environment; a variable with our prefix that is no setting is handed on under its name, to be refused."""

    def __call__(self) -> dict[str, Any]:
        names = {f"{PREFIX}{name}".upper() for name in self.settings_cls.model_fields}
        unknown = {
            name: value
            for name, value in os.environ.items()
            if name.upper().startswith(PREFIX)
            and name.upper() not in names
            and not name.upper().startswith(NOT_SETTINGS)
        }
        return super().__call__() | unknown


class Settings(BaseSettings):
    """What an operator may set. Sizes are bytes, times are in the unit their name says."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,  # it may be a secret
    )

    data: Path = Field(Path("media"), description="Folder of the database, the uploads and the media.")
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Port the server listens on.")
    base_url: str | None = Field(
        None,
        description="Public address, as `https://show.example.org`; cookies are secure when it is https.",
    )
    database: str | None = Field(
        None,
        description="SQLAlchemy address; by default SQLite in the data folder, or `postgresql+asyncpg://…`.",
    )
    secret: SecretStr | None = Field(
        None, description="Key that signs grants and forms; made and kept in the data folder when unset."
    )
    site_name: str = Field("City to City", description="Name of the site, in the header and in mails.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["json", "text"] = Field("json", description="One JSON object a line, or plain text.")
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="How many proxies stand in front; as many are believed in `X-Forwarded-For`.",
    )
    territory_header: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]{1,60}$",
        description="Header in which the proxy or CDN in front says the viewer's country, as `CF-IPCountry`; believed only with `SHOWCASE_TRUSTED_PROXIES`.",
    )
    territory_database: Path | None = Field(
        None,
        description="Path of a MaxMind database of countries (`.mmdb`), asked where no header says it; read again when it changes.",
    )
    territory_unknown: Literal["open", "closed"] = Field(
        "open",
        description="Whether works that are closed in some countries are `open` or `closed` to viewers whose country is not known.",
    )
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for `/metrics`; without it only this machine may read them."
    )
    workers: int = Field(1, ge=0, le=64, description="Worker children that `serve` starts; 0 where workers run apart.")
    ffmpeg: str | None = Field(None, description="Path of FFmpeg (7 or newer); else PATH, else the bundled one.")
    ffmpeg_memory: int = Field(4 * GIB, ge=GIB // 2, description="Memory one FFmpeg may take, in bytes.")
    work_max_hours: float = Field(6, gt=0, le=48, description="Longest work that is taken, in hours.")
    upload_max: int = Field(50 * GIB, gt=0, description="Largest file that is taken, in bytes.")
    upload_quota: int = Field(200 * GIB, gt=0, description="What one artist may keep here, in bytes.")
    upload_expiry_hours: float = Field(
        168, gt=0, description="Hours after its last byte that an unfinished upload is kept."
    )
    disk_reserve: int = Field(2 * GIB, ge=0, description="Bytes of the disk that uploads and processing leave free.")
    job_attempts: int = Field(3, ge=1, le=20, description="How often a job is tried before it counts as failed.")
    grant_minutes: int = Field(
        60, ge=2, le=24 * 60, description="Minutes a permission to watch lasts before it is renewed."
    )
    publish_ahead: float = Field(
        12, ge=6, le=60, description="Seconds before its moment that a segment of a premiere or channel can be fetched."
    )
    viewer_cap: int = Field(
        0, ge=0, description="Viewers at most on this server; 0: no cap. More are told at the door."
    )
    bandwidth_budget: float = Field(
        0, ge=0, description="Megabits of media a second at most; 0: no budget. Beyond it nobody new is let in."
    )
    session_days: int = Field(30, ge=1, le=365, description="Days after its last use that a sign-in lasts.")
    signin_minutes: int = Field(30, ge=1, le=24 * 60, description="Minutes a sign-in link lasts.")
    invitation_days: int = Field(14, ge=1, le=365, description="Days an invitation lasts.")
    smtp: SecretStr | None = Field(
        None,
        description="Mail server, as `smtp://user:password@host:587` (or `smtps://`); unset: a local outbox page.",
    )
    mail_from: str = Field("showcase@localhost", description="Sender of mails.")
    dev: bool = Field(False, description="Read templates and static files again at each request.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        named = os.environ.get("SHOWCASE_CONFIG")
        if named and not Path(named).is_file():
            raise FileNotFoundError(f"SHOWCASE_CONFIG names {named}, and there is no such file")
        file = TomlConfigSettingsSource(settings_cls, named or "showcase.toml")
        return init_settings, _Environment(settings_cls), file

    @property
    def database_url(self) -> str:
        """The database's address, with the default filled in."""
        return self.database or f"sqlite+aiosqlite:///{(self.data / 'showcase.db').resolve()}"

    @property
    def public_url(self) -> str:
        """Where people reach the site, without a slash at the end."""
        if self.base_url:
            return self.base_url.rstrip("/")
        host = "localhost" if self.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else self.host  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether people come by https, so that cookies may say so."""
        return self.public_url.startswith("https://")

    def signing_key(self) -> bytes:
        """The key that signs grants and forms: 32 bytes, made once and kept beside the database.

        Several nodes must share it: set `SHOWCASE_SECRET` there. Raises OSError when the folder is not writable,
        ValueError when the kept key is damaged.
        """
        if self.secret is not None and (secret := self.secret.get_secret_value()):
            return hashlib.blake2b(secret.encode(), digest_size=32).digest()
        path = self.data / "secret.key"
        if path.is_file() and (kept := path.read_text()):
            return _key(path, kept)
        self.data.mkdir(parents=True, exist_ok=True)
        # Processes that start together must not see a key that is half written, nor make two.
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if kept := file.read():
                return _key(path, kept)
            key = secrets.token_bytes(KEY_BYTES)
            file.write(key.hex())
            file.flush()
            os.fsync(file.fileno())
            return key


def shipped(name: str) -> Path:
    """Return `static` or `templates`: inside the package (from a wheel) or beside it (a checkout)."""
    package = Path(__file__).resolve().parent
    for base in (package, package.parent):
        if (base / name).is_dir():
            return base / name
    raise FileNotFoundError(f"neither {package / name} nor {package.parent / name} is a folder")


def _key(path: Path, kept: str) -> bytes:
    key = bytes.fromhex(kept) if re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}\s*", kept) else b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} is damaged; remove it to have a new one made (links that were given out then end)")
    return key
