"""What a work still needs before it can be shown, and what would make it better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from showcase.core.failures import N_
from showcase.core.models import Asset, Work


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list. `mend` is the anchor on the studio page where it can be put right."""

    code: str
    done: bool
    required: bool
    mend: str


LABELS: Mapping[str, str] = {
    "title": N_("A title"),
    "title-en": N_("Title in English"),
    "title-fr": N_("Title in French"),
    "statement-en": N_("Statement in English"),
    "statement-fr": N_("Statement in French"),
    "credits": N_("At least one artist in the credits"),
    "cities": N_("At least one city"),
    "year": N_("Year"),
    "file": N_("The work itself: a file that is ready"),
    "link": N_("A link to the work, and documentation that is ready"),
    "spherical": N_("Spherical video is kept as it is; its viewer is still to come"),
    "captions": N_("Captions"),
    "description": N_("Audio description"),
    "poster": N_("A picture for lists and previews"),
    "flashes": N_("A content note: the picture flashes"),
    "flashes-unknown": N_("A look for flashing light: we could not check it"),
}


def checklist(work: Work) -> tuple[Item, ...]:
    """All lines for `work`, required ones first."""
    title, statement = work.texts.get("title", {}), work.texts.get("statement", {})
    main = work.main
    notes = any(work.texts.get("content_notes", {}).values())
    items = [
        Item("title", any(title.values()), True, "texts"),
        Item("cities", bool(work.cities), True, "credits"),
    ]
    if work.medium == "web":
        documented = bool(work.taken("documentation") or work.taken("installation-view") or work.taken("trailer"))
        items.append(Item("link", bool(work.link) and documented, True, "files"))
    else:
        items.append(Item("file", main is not None and main.playable and _looked_through(main), True, "files"))
    flashes = main.details.get("flashes", ()) if main is not None else ()
    if flashes is None:
        items.append(Item("flashes-unknown", notes, True, "notes"))
    elif flashes:
        items.append(Item("flashes", notes, True, "notes"))
    items += [
        Item("title-en", bool(title.get("en")), False, "texts"),
        Item("title-fr", bool(title.get("fr")), False, "texts"),
        Item("credits", bool(work.credits), False, "credits"),
        Item("statement-en", bool(statement.get("en")), False, "texts"),
        Item("statement-fr", bool(statement.get("fr")), False, "texts"),
        Item("year", work.year is not None, False, "texts"),
        Item("poster", work.poster is not None, False, "files"),
    ]
    if work.medium in ("video", "audio", "360"):
        items.append(Item("captions", bool(work.taken("captions")), False, "files"))
    if work.medium in ("video", "360"):
        items.append(Item("description", bool(work.taken("audio-description")), False, "files"))
    return tuple(sorted(items, key=lambda i: not i.required))


def _looked_through(main: Asset) -> bool:
    """Whether it was looked for flashes and the like: a warning must not come after publication."""
    return main.duration_us is not None or bool(main.details.get("images"))


def missing(work: Work) -> list[str]:
    """The codes that stand against publishing."""
    return [i.code for i in checklist(work) if i.required and not i.done]
