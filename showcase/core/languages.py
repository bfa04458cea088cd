"""Language tags (BCP 47, RFC 5646): their normal form, and which way their script runs."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{5,8})*")
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur", "yi", "ps", "sd", "ug", "dv", "ckb"})
_RIGHT_TO_LEFT_SCRIPTS = frozenset({"arab", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg"})


def normal_tag(tag: str) -> str | None:
    """The tag in its usual writing ('pt-br' -> 'pt-BR'), None when it is none (or 'und')."""
    tag = tag.strip().replace("_", "-")
    if not _TAG.fullmatch(tag) or tag.lower() == "und" or len(tag) > 35:
        return None
    first, *rest = tag.split("-")
    parts = [first.lower()]
    for part in rest:
        if len(part) == 4:
            parts.append(part.title())
        elif len(part) == 2:
            parts.append(part.upper())
        else:
            parts.append(part.lower())
    return "-".join(parts)


def direction(tag: str) -> str:
    """`rtl` for languages written from right to left, else `ltr`. A script that is named decides: 'ar-Latn' is `ltr`."""
    first, *rest = tag.lower().split("-")
    script = next((p for p in rest if len(p) == 4 and p.isalpha()), None)
    leftward = first in _RIGHT_TO_LEFT if script is None else script in _RIGHT_TO_LEFT_SCRIPTS
    return "rtl" if leftward else "ltr"
