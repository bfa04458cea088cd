"""The tables. Times are aware UTC, durations integer microseconds, texts that people read stand in `texts`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.TypeDecorator[datetime]):
    """An aware moment in UTC; SQLite would hand it back naive."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id() -> sa.Column[int]:
    # SQLite counts only INTEGER PRIMARY KEY up by itself.
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True)


def _to(column: str, *, name: str, null: bool = False, index: bool = True, **kw: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.ForeignKey(column, **kw), nullable=null, index=index)


cities = sa.Table(
    "cities",
    METADATA,
    sa.Column("slug", sa.String(60), primary_key=True),
    sa.Column("name_en", sa.String(120), nullable=False),
    sa.Column("name_fr", sa.String(120), nullable=False),
    sa.Column("name_local", sa.String(120), nullable=False),
    sa.Column("lang_local", sa.String(35), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("zone", sa.String(60), nullable=False),
    sa.Column("latitude", sa.Float, nullable=False),
    sa.Column("longitude", sa.Float, nullable=False),
    sa.Column("hue", sa.Float, nullable=False),
    sa.Column("languages", sa.JSON, nullable=False),
    sa.Column("website", sa.String(300)),
    sa.Column("joined_year", sa.Integer),
    sa.Column("retired_at", Instant),
)

# The festivals a city is known for, as facts with their source; one edition of one is a row of its own elsewhere.
city_festivals = sa.Table(
    "city_festivals",
    METADATA,
    _id(),
    _to("cities.slug", name="city", ondelete="CASCADE"),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("months", sa.JSON, nullable=False),
    sa.Column("frequency", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(120), nullable=False),
    sa.Column("confidence", sa.String(20), nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("note", sa.Text),
)

people = sa.Table(
    "people",
    METADATA,
    _id(),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("slug", sa.String(120), nullable=False, unique=True),
    sa.Column("lang", sa.String(2), nullable=False),
    sa.Column("password_hash", sa.String(200)),
    # When it was shown that the address is theirs; none for whoever came by a link that was handed to them.
    sa.Column("verified_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("disabled_at", Instant),
)

# role: administrator (city is null), staff or artist of a city.
roles = sa.Table(
    "roles",
    METADATA,
    _id(),
    _to("people.id", name="person", ondelete="CASCADE"),
    sa.Column("role", sa.String(20), nullable=False),
    _to("cities.slug", name="city", null=True),
    sa.UniqueConstraint("person", "role", "city"),
)

sessions = sa.Table(
    "sessions",
    METADATA,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("public_id", sa.String(24), nullable=False, unique=True),
    _to("people.id", name="person", ondelete="CASCADE"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("user_agent", sa.String(300), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
)

# kind: signin, invitation (single use) or api (until revoked). Only hashes are kept.
tokens = sa.Table(
    "tokens",
    METADATA,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("public_id", sa.String(24), nullable=False, unique=True),
    sa.Column("kind", sa.String(20), nullable=False),
    _to("people.id", name="person", null=True, ondelete="CASCADE"),
    sa.Column("email", sa.String(254)),
    sa.Column("role", sa.String(20)),
    sa.Column("city", sa.ForeignKey("cities.slug")),
    sa.Column("label", sa.String(200), nullable=False, server_default=""),
    sa.Column("made_by", sa.ForeignKey("people.id", ondelete="SET NULL")),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("used_at", Instant),
)

outbox = sa.Table(
    "outbox",
    METADATA,
    _id(),
    sa.Column("recipient", sa.String(254), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False, index=True),
    sa.Column("sent_at", Instant),
    sa.Column("error", sa.Text),
)

works = sa.Table(
    "works",
    METADATA,
    _id(),
    sa.Column("slug", sa.String(120), nullable=False, unique=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("medium", sa.String(20), nullable=False),
    sa.Column("year", sa.Integer),
    sa.Column("original_lang", sa.String(35)),
    sa.Column("link", sa.Text),
    sa.Column("minimum_age", sa.Integer),
    sa.Column("levelled", sa.Boolean, nullable=False),
    sa.Column("spherical", sa.Boolean, nullable=False),
    sa.Column("on_view", sa.Boolean, nullable=False),
    sa.Column("on_view_from", Instant),
    sa.Column("on_view_until", Instant),
    sa.Column("poster", sa.JSON),
    sa.Column("made_by", sa.ForeignKey("people.id", ondelete="SET NULL")),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("published_at", Instant, index=True),
)

work_cities = sa.Table(
    "work_cities",
    METADATA,
    sa.Column("work", sa.ForeignKey("works.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("city", sa.ForeignKey("cities.slug"), primary_key=True, index=True),
    sa.Column("position", sa.Integer, nullable=False),
)

# Who may edit a work beside the staff of its cities.
work_authors = sa.Table(
    "work_authors",
    METADATA,
    sa.Column("work", sa.ForeignKey("works.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("person", sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True),
)

credits = sa.Table(
    "credits",
    METADATA,
    _id(),
    _to("works.id", name="work", ondelete="CASCADE"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(100), nullable=False),
    _to("cities.slug", name="city", null=True),
    _to("people.id", name="person", null=True, ondelete="SET NULL"),
)

# What may be done with a work (core/rights). No row: nothing is stated, and everything may be.
rights = sa.Table(
    "rights",
    METADATA,
    sa.Column("work", sa.ForeignKey("works.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("starts_at", Instant),
    sa.Column("ends_at", Instant),
    sa.Column("territories_mode", sa.String(12), nullable=False),
    sa.Column("territories", sa.JSON, nullable=False),
    sa.Column("uses", sa.JSON, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)

# The music in a work, in order.
cues = sa.Table(
    "cues",
    METADATA,
    _id(),
    _to("works.id", name="work", ondelete="CASCADE"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("composer", sa.String(200), nullable=False),
    sa.Column("publisher", sa.String(200), nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("replay", sa.Boolean, nullable=False),
)

texts = sa.Table(
    "texts",
    METADATA,
    sa.Column("entity", sa.String(20), primary_key=True),
    sa.Column("entity_id", sa.BigInteger, primary_key=True),
    sa.Column("field", sa.String(30), primary_key=True),
    sa.Column("lang", sa.String(35), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)

uploads = sa.Table(
    "uploads",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    _to("people.id", name="person", ondelete="CASCADE"),
    _to("works.id", name="work", ondelete="CASCADE"),
    sa.Column("role", sa.String(24), nullable=False),
    sa.Column("lang", sa.String(35), nullable=False),
    sa.Column("filename", sa.String(255), nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("asset", sa.String(32)),
)

assets = sa.Table(
    "assets",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    _to("works.id", name="work", ondelete="CASCADE"),
    sa.Column("role", sa.String(24), nullable=False),
    sa.Column("lang", sa.String(35), nullable=False),
    sa.Column("label", sa.String(120), nullable=False, server_default=""),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("taken", sa.Boolean, nullable=False),
    sa.Column("filename", sa.String(255), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("stage", sa.String(30), nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("duration_us", sa.BigInteger),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("made_by", sa.ForeignKey("people.id", ondelete="SET NULL"), index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("work", "role", "lang", "version"),
)

# One quality of an asset: pictures, sound or captions. `durations_us` are its segments, in order.
renditions = sa.Table(
    "renditions",
    METADATA,
    _id(),
    _to("assets.id", name="asset", ondelete="CASCADE"),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("lang", sa.String(35), nullable=False),
    sa.Column("folder", sa.String(200), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("fps", sa.Float, nullable=False),
    sa.Column("codecs", sa.String(60), nullable=False),
    sa.Column("bandwidth", sa.Integer, nullable=False),
    sa.Column("average", sa.Integer, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("durations_us", sa.JSON, nullable=False),
    sa.UniqueConstraint("asset", "name"),
)

jobs = sa.Table(
    "jobs",
    METADATA,
    _id(),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False, index=True),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("worker", sa.String(80)),
    sa.Column("lease_until", Instant),
    sa.Column("run_after", Instant, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Index("ix_jobs_state_run_after", "state", "run_after"),
)

# What happened, for whoever listens: pages, caches, other nodes. Pruned after an hour.
events = sa.Table(
    "events",
    METADATA,
    _id(),
    sa.Column("topic", sa.String(40), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,
)

# One edition of a festival; without a city it is the network's.
festivals = sa.Table(
    "festivals",
    METADATA,
    _id(),
    sa.Column("slug", sa.String(120), nullable=False, unique=True),
    _to("cities.slug", name="city", null=True),
    sa.Column("zone", sa.String(60), nullable=False),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date, nullable=False),
    sa.Column("hue", sa.Float),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    # Names of places beside the one that feeds the channel.
    sa.Column("rooms", sa.JSON, nullable=False, server_default="[]"),
    # Its picture: {"folder", "files": [{"name", "type", "width", "height", "size"}], "thumbhash"}.
    sa.Column("picture", sa.JSON),
)

# Works that a festival's channel shows between its screenings, in order.
loops = sa.Table(
    "loops",
    METADATA,
    _id(),
    _to("festivals.id", name="festival", ondelete="CASCADE"),
    sa.Column("position", sa.Integer, nullable=False),
    _to("works.id", name="work", ondelete="CASCADE"),
)

# `*_local` is what stands on the clock of `zone`; `*_at` follows from it and is there to be searched by.
screenings = sa.Table(
    "screenings",
    METADATA,
    _id(),
    sa.Column("slug", sa.String(120), nullable=False, unique=True),
    _to("festivals.id", name="festival"),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("zone", sa.String(60), nullable=False),
    sa.Column("starts_local", sa.DateTime, nullable=False),
    sa.Column("ends_local", sa.DateTime, nullable=False),
    sa.Column("starts_at", Instant, nullable=False, index=True),
    sa.Column("ends_at", Instant, nullable=False, index=True),
    sa.Column("minimum_age", sa.Integer),
    sa.Column("made_by", sa.ForeignKey("people.id", ondelete="SET NULL")),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("replay_until_local", sa.DateTime),
    sa.Column("replay_until_at", Instant),
    # Empty: the room that feeds the channel.
    sa.Column("room", sa.String(60), nullable=False, server_default=""),
    # It lasts at most two to the power of this hours; the last one says nothing (see screenings.touching).
    sa.Column("span", sa.Integer, nullable=False, server_default="15"),
    # Only with an access code.
    sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_screenings_span_starts_at", "span", "starts_at"),
)

# Codes that let guests into closed screenings. Only hashes are kept.
access_codes = sa.Table(
    "access_codes",
    METADATA,
    _id(),
    _to("screenings.id", name="screening", ondelete="CASCADE"),
    sa.Column("label", sa.String(120), nullable=False),
    sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("uses", sa.Integer, nullable=False),
    sa.Column("max_uses", sa.Integer),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
)

# Festivals in whose programme a screening stands beside its host's.
screening_hosts = sa.Table(
    "screening_hosts",
    METADATA,
    sa.Column("screening", sa.ForeignKey("screenings.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("festival", sa.ForeignKey("festivals.id", ondelete="CASCADE"), primary_key=True, index=True),
)

slots = sa.Table(
    "slots",
    METADATA,
    _id(),
    _to("screenings.id", name="screening", ondelete="CASCADE"),
    sa.Column("position", sa.Integer, nullable=False),
    _to("works.id", name="work", ondelete="CASCADE"),
    # No foreign key: a version that is removed leaves a conflict that is told, not a hole.
    sa.Column("version", sa.String(32)),
    sa.Column("pause_s", sa.Integer, nullable=False, server_default="0"),
)

# What channels have published: `anchor` is all that may still be asked for and must not change (core/channel).
channels = sa.Table(
    "channels",
    METADATA,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("anchor", sa.JSON, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)

# What fills the gaps of channels, by its design. `renditions` are those of its body and of each of its leads.
slates = sa.Table(
    "slates",
    METADATA,
    sa.Column("design", sa.String(32), primary_key=True),
    sa.Column("folder", sa.String(200), nullable=False),
    sa.Column("renditions", sa.JSON, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
)

# Who changed what of a screening; `before` and `after` are the fields that differ, as JSON (store/history).
history = sa.Table(
    "history",
    METADATA,
    _id(),
    _to("screenings.id", name="screening", ondelete="CASCADE"),
    sa.Column("person", sa.ForeignKey("people.id", ondelete="SET NULL")),
    sa.Column("at", Instant, nullable=False),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
)
