"""Who may do what, in one place. Pages and calls ask here and nowhere else.

`allows` answers; `require` raises: Unauthenticated for somebody who is not signed in, Forbidden for somebody who is
and who may know that the thing exists, NotFound for somebody who may not.
"""

from __future__ import annotations

from typing import Literal

from showcase.core.models import Festival, Person, Screening, Work
from showcase.errors import Conflict, Forbidden, NotFound, Unauthenticated

WorkAction = Literal[
    "see",  # its page and its texts
    "preview",  # its media whatever the window says
    "edit",  # texts, credits, files, captions
    "original",  # fetch the file as it was uploaded
    "submit",  # hand it to the staff
    "accept",  # take it into the programme, or send it back
    "publish",  # make the page public, set the window
    "withdraw",  # take page and media back at once
    "delete",
]
FestivalAction = Literal["see", "edit"]
ScreeningAction = Literal["see", "preview", "edit"]
SiteAction = Literal[
    "create-work",
    "see-studio",
    "see-desk",
    "see-administration",
    "manage-cities",
    "manage-people",
    "read-outbox",
]


def is_author(person: Person | None, work: Work) -> bool:
    """Whether `person` is one of the artists of `work`."""
    return person is not None and person.id in work.authors


def is_staff(person: Person | None, work: Work) -> bool:
    """Whether `person` is staff of one of the cities of `work`, or administrator."""
    return person is not None and (person.administrator or bool(person.staff_of & set(work.cities)))


def allows(person: Person | None, action: WorkAction, work: Work) -> bool:
    """Whether `person` (None: not signed in) may do `action` to `work`."""
    if person is not None and person.disabled:
        person = None
    author, staff = is_author(person, work), is_staff(person, work)
    if action == "see":
        return work.state == "published" or author or staff
    if action in ("preview", "original", "edit"):
        return author or staff
    if action == "submit":
        return author or staff
    if action == "accept":
        return staff
    if action == "publish":
        # Staff vouch for what their city shows; an artist opens what staff have accepted, or opened before.
        accepted = work.state in ("accepted", "published") or (
            work.state == "withdrawn" and work.published_at is not None
        )
        return staff or (author and accepted)
    if action == "withdraw":
        return author or staff
    if action == "delete":
        return (author or staff) and work.state in ("draft", "withdrawn")
    raise AssertionError(f"no rule for {action}")


def require(person: Person | None, action: WorkAction, work: Work) -> None:
    """Raise unless `person` may do `action` to `work`."""
    if not allows(person, action, work):
        _refuse(person, visible=allows(person, "see", work))


def allows_festival(person: Person | None, action: FestivalAction, festival: Festival) -> bool:
    """Whether `person` may do `action` to a festival: a city's staff rule it, the network's its administrators."""
    if action == "see" and festival.state != "draft":
        return True
    return _rules_in(person, frozenset({festival.city}) if festival.city else frozenset())


def allows_screening(person: Person | None, action: ScreeningAction, screening: Screening) -> bool:
    """Whether `person` may do `action` to a screening: the staff of its host and of each co-host work on it."""
    if action == "see" and screening.public:
        return True
    return _rules_in(person, screening.host_cities)


def _rules_in(person: Person | None, cities: frozenset[str]) -> bool:
    if person is None or person.disabled:
        return False
    return person.administrator or bool(person.staff_of & cities)


def require_festival(person: Person | None, action: FestivalAction, festival: Festival) -> None:
    """Raise unless `person` may do `action` to a festival."""
    if not allows_festival(person, action, festival):
        _refuse(person, visible=allows_festival(person, "see", festival))


def require_screening(person: Person | None, action: ScreeningAction, screening: Screening) -> None:
    """Raise unless `person` may do `action` to a screening."""
    if not allows_screening(person, action, screening):
        _refuse(person, visible=allows_screening(person, "see", screening))


def _refuse(person: Person | None, *, visible: bool) -> None:
    if not visible:
        raise NotFound()
    if person is None:
        raise Unauthenticated()
    raise Forbidden()


def may_host(person: Person | None, city: str | None) -> bool:
    """Whether `person` may make a festival of `city` (None: the network's)."""
    return _rules_in(person, frozenset({city}) if city else frozenset())


def require_state(person: Person | None, action: WorkAction, work: Work) -> None:
    """As `require`, for an action that also depends on the state: raises Conflict where only the state forbids it."""
    if not allows(person, action, work):
        require(person, "edit", work)
        raise Conflict("wrong-state")


def require_signed_in(person: Person | None) -> Person:
    """The person, when there is one who may do anything at all. Raises Unauthenticated."""
    if person is None or person.disabled:
        raise Unauthenticated()
    return person


def allows_site(person: Person | None, action: SiteAction) -> bool:
    """Whether `person` may do something that is not about one work."""
    if person is None or person.disabled:
        return False
    if action in ("see-administration", "manage-cities", "read-outbox"):
        return person.administrator
    if action in ("see-desk", "manage-people"):
        return person.administrator or bool(person.staff_of)
    if action == "see-studio":
        return bool(person.roles)
    if action == "create-work":
        return bool(person.roles)
    raise AssertionError(f"no rule for {action}")


def require_site(person: Person | None, action: SiteAction) -> None:
    """Raise unless `person` may do `action`."""
    if allows_site(person, action):
        return
    if person is None:
        raise Unauthenticated()
    raise Forbidden()


def cities_for_work(person: Person) -> frozenset[str] | None:
    """The cities at least one of which a new work of `person` must name; None: any city will do."""
    return None if person.administrator else person.staff_of | person.artist_of


def may_invite(person: Person | None, role: str, city: str | None) -> bool:
    """Whether `person` may invite somebody as `role` of `city`."""
    if person is None or person.disabled:
        return False
    if person.administrator:
        return (city is None) == (role == "administrator")
    return role in ("staff", "artist") and city is not None and city in person.staff_of
