"""Why a file could not be shown, in sentences an artist understands.

`MediaError(code, **params)` is stored with the asset; the page translates `FAILURES[code]` and fills in `params`.
Each sentence says what is wrong and what to do next.
"""

from __future__ import annotations


def N_(message: str) -> str:
    """Mark `message` for the translation catalogue; it is translated where it is shown."""
    return message


FAILURES: dict[str, str] = {
    "empty": N_("The file is empty. Choose it again, or export it once more."),
    "unreadable": N_(
        "This file could not be read as picture or sound. Export it again, for example as MP4 (H.264) or WAV."
    ),
}
