"""Files of works: one row a version, its renditions, and the uploads that become them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from showcase.core.models import SOUND_ROLES, VERSIONED_ROLES, Asset, Rendition
from showcase.errors import Conflict, NotFound, TooLarge, Unavailable
from showcase.store import jobs
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import assets, renditions, uploads, works


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in progress. How much has come is what the storage holds, not a column: it cannot disagree."""

    id: str
    person: int
    work: int
    role: str
    lang: str
    filename: str
    metadata: str
    size: int
    created_at: datetime
    expires_at: datetime
    asset: str | None


def new_id() -> str:
    """A name for an asset or an upload: 80 random bits, letters and digits."""
    return secrets.token_hex(10)


def of_works(tx: sa.Connection, ids: Iterable[int], *, renditions: bool) -> dict[int, list[Asset]]:
    """The files of each work, oldest first; without `renditions` these come without their segments (lists need none)."""
    rows = list(
        tx.execute(sa.select(assets).where(assets.c.work.in_(list(ids))).order_by(assets.c.created_at, assets.c.id))
    )
    found: dict[int, list[Asset]] = {}
    by_asset = _renditions(tx, [r.id for r in rows], segments=renditions)
    for r in rows:
        found.setdefault(r.work, []).append(Asset(**r._mapping, renditions=tuple(by_asset.get(r.id, ()))))
    return found


def _renditions(tx: sa.Connection, ids: list[str], *, segments: bool = True) -> dict[str, list[Rendition]]:
    found: dict[str, list[Rendition]] = {}
    columns = [c for c in renditions.c if segments or c.name != "durations_us"]
    query = sa.select(*columns).where(renditions.c.asset.in_(ids))
    for r in tx.execute(query.order_by(renditions.c.kind, renditions.c.height, renditions.c.id)):
        found.setdefault(r.asset, []).append(
            Rendition(
                name=r.name,
                kind=r.kind,
                lang=r.lang,
                width=r.width,
                height=r.height,
                fps=r.fps,
                codecs=r.codecs,
                bandwidth=r.bandwidth,
                average=r.average,
                size_bytes=r.size_bytes,
                durations_us=tuple(r.durations_us) if segments else (),
                folder=r.folder,
            )
        )
    return found


def asset(tx: sa.Connection, id: str) -> Asset:
    """One file with its renditions. Raises NotFound."""
    row = tx.execute(sa.select(assets).where(assets.c.id == id)).first()
    if row is None:
        raise NotFound()
    return Asset(**row._mapping, renditions=tuple(_renditions(tx, [id]).get(id, ())))


def kept_bytes(tx: sa.Connection, person: int) -> int:
    """What a person's files and promised uploads take of their quota."""
    stored = tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(assets.c.size), 0)).where(assets.c.made_by == person))
    coming = tx.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(uploads.c.size), 0)).where(
            uploads.c.person == person, uploads.c.asset.is_(None)
        )
    )
    return int(stored or 0) + int(coming or 0)


def works_of(tx: sa.Connection, ids: Iterable[str]) -> dict[str, int]:
    """The works that files belong to; files that are not there are left out."""
    rows = tx.execute(sa.select(assets.c.id, assets.c.work).where(assets.c.id.in_(set(ids))))
    return {id: work for id, work in rows}


def work_of(tx: sa.Connection, id: str) -> int:
    """The work that a file belongs to, which never changes. Raises NotFound."""
    return _work_of(tx, id)


def begin_upload(
    tx: sa.Connection,
    now: datetime,
    id: str,
    person: int,
    work: int,
    *,
    role: str,
    lang: str,
    filename: str,
    metadata: str,
    size: int,
    expires: datetime,
    quota: int | None = None,
    room: int | None = None,
) -> None:
    """Promise an upload.

    Raises TooLarge (`quota`) when the person's files and promises would go beyond `quota`, Unavailable (`disk-full`)
    when all promises together would take more than `room` (bytes; what has come of them counts as room).
    """
    one_at_a_time(tx, "promises")
    if quota is not None and kept_bytes(tx, person) + size > quota:
        raise TooLarge("quota")
    promised = tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(uploads.c.size), 0)).where(uploads.c.asset.is_(None)))
    if room is not None and int(promised or 0) + size > room:
        raise Unavailable("disk-full")
    tx.execute(
        uploads.insert().values(
            id=id,
            person=person,
            work=work,
            role=role,
            lang=lang,
            filename=filename,
            metadata=metadata,
            size=size,
            created_at=now,
            expires_at=expires,
        )
    )


def upload(tx: sa.Connection, id: str) -> Upload:
    """An upload in progress, or finished and not yet forgotten. Raises NotFound."""
    row = tx.execute(sa.select(uploads).where(uploads.c.id == id)).first()
    if row is None:
        raise NotFound()
    return Upload(**row._mapping)


def uploads_of(tx: sa.Connection, work: int) -> list[Upload]:
    """The unfinished uploads of a work."""
    query = sa.select(uploads).where(uploads.c.work == work, uploads.c.asset.is_(None)).order_by(uploads.c.created_at)
    return [Upload(**r._mapping) for r in tx.execute(query)]


def prolong_upload(tx: sa.Connection, id: str, expires: datetime) -> None:
    """Bytes came: keep an unfinished upload longer."""
    tx.execute(uploads.update().where(uploads.c.id == id).values(expires_at=expires))


def expired_uploads(tx: sa.Connection, now: datetime) -> list[str]:
    """Uploads whose time is over."""
    return list(tx.scalars(sa.select(uploads.c.id).where(uploads.c.expires_at < now)))


def unfinished_uploads(tx: sa.Connection) -> set[str]:
    """The ids of all uploads that still want bytes."""
    return set(tx.scalars(sa.select(uploads.c.id).where(uploads.c.asset.is_(None))))


def forget_upload(tx: sa.Connection, id: str) -> None:
    """Remove an upload's row; the caller removes its bytes."""
    tx.execute(uploads.delete().where(uploads.c.id == id))


def finish_upload(tx: sa.Connection, now: datetime, id: str, keep: timedelta) -> Asset:
    """The last byte is here: the asset and its job in one transaction. A second call returns the same asset."""
    one_at_a_time(tx, f"upload {id}")
    done = upload(tx, id)
    if done.asset is not None:
        return asset(tx, done.asset)
    new = add(
        tx,
        now,
        id,
        done.work,
        role=done.role,
        lang=done.lang,
        filename=done.filename,
        size=done.size,
        person=done.person,
    )
    tx.execute(uploads.update().where(uploads.c.id == id).values(asset=id, expires_at=now + keep))
    return new


def add(
    tx: sa.Connection,
    now: datetime,
    id: str,
    work: int,
    *,
    role: str,
    lang: str,
    filename: str,
    size: int,
    person: int | None,
) -> Asset:
    """A new version of a file, queued for processing. Its original lies in the storage under its id already."""
    one_at_a_time(tx, f"versions {work}")
    same = sa.and_(assets.c.work == work, assets.c.role == role, assets.c.lang == lang)
    last = tx.scalar(sa.select(sa.func.max(assets.c.version)).where(same)) or 0
    tx.execute(
        assets.insert().values(
            id=id,
            work=work,
            role=role,
            lang=lang,
            label="",
            version=last + 1,
            taken=False,
            filename=filename,
            size=size,
            state="queued",
            stage="queued",
            progress=0.0,
            details={},
            made_by=person,
            created_at=now,
        )
    )
    enqueue(tx, now, id, role)
    _told(tx, now, id, work)
    return asset(tx, id)


def enqueue(tx: sa.Connection, now: datetime, id: str, role: str) -> None:
    """Let a worker process a file. Captions are a kind of their own: they must not wait behind a film."""
    jobs.enqueue(tx, now, "captions" if role == "captions" else "process", id)


def cancel(tx: sa.Connection, now: datetime, id: str) -> bool:
    """Stop whatever is being made of a file. Returns whether a worker is at it, who then tells that it is cancelled."""
    kinds = ("process", "ladder", "captions", "level", "poster", "old-sounds", "still")
    running = {kind for kind in kinds if jobs.cancel(tx, now, kind, id)}
    return not running.isdisjoint(("process", "ladder", "captions"))


def climb(tx: sa.Connection, now: datetime, id: str) -> None:
    """Let a worker make the higher qualities of a file, after whatever of others is not playable yet."""
    jobs.enqueue(tx, now, "ladder", id, priority=-10)


def report(
    tx: sa.Connection,
    now: datetime,
    id: str,
    *,
    state: str | None = None,
    stage: str | None = None,
    progress: float | None = None,
    error: Mapping[str, Any] | None = None,
    sha256: str | None = None,
    duration_us: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Note how processing goes; what is not given stays. `details` is merged into what is there."""
    row = tx.execute(sa.select(assets.c.work, assets.c.details).where(assets.c.id == id).with_for_update()).first()
    if row is None:
        raise NotFound()
    given = {"state": state, "stage": stage, "progress": progress, "sha256": sha256, "duration_us": duration_us}
    values: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    if state is not None:
        values["error"] = dict(error) if error is not None else None
    if details is not None:
        values["details"] = {**row.details, **details}
    if values:
        tx.execute(assets.update().where(assets.c.id == id).values(**values))
    _told(tx, now, id, row.work)


def add_rendition(tx: sa.Connection, now: datetime, id: str, new: Rendition) -> None:
    """A rendition is in the storage, whole: it may be played. Doing it twice keeps the newer one.

    Raises NotFound when the file was removed meanwhile.
    """
    work = _work_of(tx, id)
    tx.execute(renditions.delete().where(renditions.c.asset == id, renditions.c.name == new.name))
    tx.execute(
        renditions.insert().values(
            asset=id,
            name=new.name,
            kind=new.kind,
            lang=new.lang,
            folder=new.folder,
            width=new.width,
            height=new.height,
            fps=new.fps,
            codecs=new.codecs,
            bandwidth=new.bandwidth,
            average=new.average,
            size_bytes=new.size_bytes,
            durations_us=list(new.durations_us),
        )
    )
    _told(tx, now, id, work)


def drop_old_sounds(tx: sa.Connection, now: datetime, id: str, keep: int) -> list[str]:
    """Forget all but the `keep` newest sounds of a file; returns the folders of the others. Raises NotFound."""
    work = _work_of(tx, id)
    sounds = sa.select(renditions.c.id, renditions.c.folder).where(
        renditions.c.asset == id, renditions.c.kind == "audio"
    )
    old = list(tx.execute(sounds.order_by(renditions.c.id.desc()).offset(keep)))
    if old:
        tx.execute(renditions.delete().where(renditions.c.id.in_([r.id for r in old])))
        _told(tx, now, id, work)
    return [r.folder for r in old]


def fit_sounds(tx: sa.Connection, now: datetime, work: int) -> None:
    """Let the sounds that play with the film of a work be made anew where they are not as long as it."""
    film = sa.select(assets.c.duration_us).where(assets.c.work == work, assets.c.role == "work", assets.c.taken)
    if (length_us := tx.scalar(film)) is None:
        return
    others = sa.and_(assets.c.role.in_(SOUND_ROLES), assets.c.state == "ready", assets.c.duration_us != length_us)
    for id in list(tx.scalars(sa.select(assets.c.id).where(assets.c.work == work, others))):
        jobs.enqueue(tx, now, "level", id)


def take(tx: sa.Connection, now: datetime, id: str) -> None:
    """Let this version be the one that plays. Raises Conflict (`not-ready`) when it cannot be played yet."""
    one_at_a_time(tx, f"versions {_work_of(tx, id)}")
    chosen = asset(tx, id)
    if not (chosen.playable or chosen.state == "ready"):
        raise Conflict("not-ready")
    tx.execute(
        assets.update()
        .where(assets.c.work == chosen.work, assets.c.role == chosen.role, assets.c.lang == chosen.lang)
        .values(taken=assets.c.id == id)
    )
    if chosen.role == "work":
        if chosen.state == "ready":
            jobs.enqueue(tx, now, "level", id)  # it may have been switched while another version played
        fit_sounds(tx, now, chosen.work)
    _told(tx, now, id, chosen.work)


def take_if_first(tx: sa.Connection, now: datetime, id: str) -> bool:
    """Take this version when nothing of its kind is taken yet: there is nothing it could change. Returns whether."""
    one_at_a_time(tx, f"versions {_work_of(tx, id)}")
    new = asset(tx, id)
    others = sa.and_(assets.c.work == new.work, assets.c.role == new.role, assets.c.lang == new.lang, assets.c.taken)
    if new.role not in VERSIONED_ROLES or tx.scalar(sa.select(assets.c.id).where(others)) is not None:
        return False
    if not (new.playable or new.state == "ready"):
        return False
    take(tx, now, id)
    return True


def drop_taken(tx: sa.Connection, now: datetime, id: str) -> None:
    """Stop showing this version (captions or a description that should not be shown). Raises NotFound."""
    work = _work_of(tx, id)
    tx.execute(assets.update().where(assets.c.id == id).values(taken=False))
    _told(tx, now, id, work)


def set_label(tx: sa.Connection, now: datetime, id: str, label: str) -> None:
    """Name a track for menus ('English, for the deaf'). Raises NotFound."""
    work = _work_of(tx, id)
    tx.execute(assets.update().where(assets.c.id == id).values(label=label.strip()[:120]))
    _told(tx, now, id, work)


def remove(tx: sa.Connection, now: datetime, id: str) -> None:
    """Remove a file's rows and let a worker remove its bytes. Raises Conflict (`in-use`) while it is what plays."""
    gone = asset(tx, id)
    owner = tx.execute(sa.select(works.c.state, works.c.poster).where(works.c.id == gone.work)).one()
    if gone.taken and gone.role == "work" and owner.state == "published":
        raise Conflict("in-use")
    if owner.poster is not None and owner.poster.get("asset") == id:
        # Its pictures go with it.
        tx.execute(works.update().where(works.c.id == gone.work).values(poster=None, updated_at=now))
    tx.execute(assets.delete().where(assets.c.id == id))
    tx.execute(uploads.delete().where(uploads.c.asset == id))
    _bytes_go(tx, now, id)
    _told(tx, now, id, gone.work)


def remove_of_work(tx: sa.Connection, now: datetime, work: int) -> None:
    """Remove the rows of all files and uploads of a work that goes, and let a worker remove their bytes."""
    one_at_a_time(tx, f"versions {work}")
    ids = set(tx.scalars(sa.select(assets.c.id).where(assets.c.work == work)))
    ids |= set(tx.scalars(sa.select(uploads.c.id).where(uploads.c.work == work)))
    tx.execute(uploads.delete().where(uploads.c.work == work))
    tx.execute(assets.delete().where(assets.c.work == work))
    for id in sorted(ids):
        _bytes_go(tx, now, id)


def _bytes_go(tx: sa.Connection, now: datetime, id: str) -> None:
    cancel(tx, now, id)
    jobs.enqueue(tx, now, "remove-files", id)


def _work_of(tx: sa.Connection, id: str) -> int:
    work = tx.scalar(sa.select(assets.c.work).where(assets.c.id == id))
    if work is None:
        raise NotFound()
    return int(work)


def known(tx: sa.Connection) -> set[str]:
    """The ids of all assets there are."""
    return set(tx.scalars(sa.select(assets.c.id)))


def _told(tx: sa.Connection, now: datetime, id: str, work: int) -> None:
    emit(tx, now, "asset", asset=id, work=work)
