"""Every error a person may meet, as one tree.

Only `web/middleware` turns them into statuses and pages. `code` is stable and part of the API (RFC 9457);
`params` fill the sentence that goes with the code in the reader's language.
"""

from __future__ import annotations


class ShowcaseError(Exception):
    """Something to be told to a person: a stable code and what its sentence needs."""

    status = 500
    code = "internal"

    def __init__(self, code: str | None = None, **params: object) -> None:
        self.code = code or type(self).code
        self.params = params
        super().__init__(f"{self.code} {params}" if params else self.code)


class NotFound(ShowcaseError):
    """There is no such thing, or the asker may not know that there is (404)."""

    status = 404
    code = "not-found"


class Unauthenticated(ShowcaseError):
    """Sign in first (401)."""

    status = 401
    code = "sign-in-needed"


class Forbidden(ShowcaseError):
    """The asker is known and may not do this (403)."""

    status = 403
    code = "forbidden"


class NotOpenYet(Forbidden):
    """Media before its moment (403); `opens` says when that is, where it is known."""

    code = "not-open-yet"


class Invalid(ShowcaseError):
    """Input that cannot be taken (422), with the fields at fault: `fields` maps a field to its error code."""

    status = 422
    code = "invalid"

    def __init__(self, code: str | None = None, *, fields: dict[str, str] | None = None, **params: object) -> None:
        super().__init__(code, **params)
        self.fields = fields or {}


class Malformed(ShowcaseError):
    """A request that does not keep to its protocol (400)."""

    status = 400
    code = "malformed"


class Conflict(ShowcaseError):
    """The thing is not in a state that allows this (409)."""

    status = 409
    code = "conflict"


class Gone(ShowcaseError):
    """It was here and is no more (410)."""

    status = 410
    code = "closed"


class NotHere(ShowcaseError):
    """Rights do not allow it where the asker is (451, RFC 7725)."""

    status = 451
    code = "not-in-your-territory"


class TooLarge(ShowcaseError):
    """More bytes than are allowed (413)."""

    status = 413
    code = "too-large"


class UnsupportedType(ShowcaseError):
    """A kind of content that is not taken here (415)."""

    status = 415
    code = "unsupported-type"


class TooMany(ShowcaseError):
    """Asked too often (429); `retry_after` in seconds."""

    status = 429
    code = "too-many"

    def __init__(self, retry_after: int, code: str | None = None, **params: object) -> None:
        super().__init__(code, retry_after=retry_after, **params)
        self.retry_after = retry_after


class Unavailable(ShowcaseError):
    """Not now: a dependency is away or the disk is full (503)."""

    status = 503
    code = "unavailable"


class Full(ShowcaseError):
    """As many watch as the operator allows (503)."""

    status = 503
    code = "full"


class MediaError(ShowcaseError):
    """A file that cannot be shown as it is; the sentences stand in `core/failures`."""

    status = 422
    code = "unreadable"


class Cancelled(ShowcaseError):
    """Long work that its owner ended."""

    status = 409
    code = "cancelled"
