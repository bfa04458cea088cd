"""What may be done with works, and the music in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from showcase.core.rights import ANY, Cue, WorkRights
from showcase.errors import Conflict
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import cues, rights


def of_works(tx: sa.Connection, ids: Iterable[int]) -> dict[int, WorkRights]:
    """The rights of works by their numbers, with their music; everything is open for those about which nothing is stated."""
    wanted = list(dict.fromkeys(ids))
    found = dict.fromkeys(wanted, ANY)
    if not wanted:
        return found
    for r in tx.execute(sa.select(rights).where(rights.c.work.in_(wanted))):
        found[r.work] = WorkRights(
            r.starts_at, r.ends_at, r.territories_mode, frozenset(r.territories), frozenset(r.uses)
        )
    music: dict[int, list[Cue]] = {}
    query = sa.select(cues.c.work, cues.c.title, cues.c.composer, cues.c.publisher, cues.c.live, cues.c.replay)
    for c in tx.execute(query.where(cues.c.work.in_(wanted)).order_by(cues.c.position)):
        music.setdefault(c.work, []).append(Cue(c.title, c.composer, c.publisher, c.live, c.replay))
    return {id: replace(one, cues=tuple(music[id])) if id in music else one for id, one in found.items()}


def state(tx: sa.Connection, now: datetime, work: int, stated: WorkRights, revision: str | None = None) -> None:
    """Keep what may be done with a work, and leave its music as it is.

    With `revision`, raises Conflict (`changed-meanwhile`) when somebody else saved since that one.
    """
    before = _unchanged(tx, work, revision)
    if replace(before, cues=()) == replace(stated, cues=()):
        return
    tx.execute(rights.delete().where(rights.c.work == work))
    if replace(stated, cues=()) != ANY:
        tx.execute(
            rights.insert().values(
                work=work,
                starts_at=stated.starts,
                ends_at=stated.ends,
                territories_mode=stated.mode,
                territories=sorted(stated.territories),
                uses=sorted(stated.uses),
                updated_at=now,
            )
        )
    emit(tx, now, "work", id=work)


def set_cues(tx: sa.Connection, now: datetime, work: int, music: Sequence[Cue], revision: str | None = None) -> None:
    """Replace the cue list of a work. `revision` as in `state`."""
    if _unchanged(tx, work, revision).cues == tuple(music):
        return
    tx.execute(cues.delete().where(cues.c.work == work))
    for position, c in enumerate(music):
        row = {"title": c.title, "composer": c.composer, "publisher": c.publisher, "live": c.live, "replay": c.replay}
        tx.execute(cues.insert().values(work=work, position=position, **row))
    emit(tx, now, "work", id=work)


def _unchanged(tx: sa.Connection, work: int, revision: str | None) -> WorkRights:
    one_at_a_time(tx, f"rights {work}")
    found = of_works(tx, [work])[work]
    if revision is not None and revision != found.revision:
        raise Conflict("changed-meanwhile")
    return found
