"""Language tags (BCP 47, RFC 5646): their normal form, and which way their script runs."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{5,8})*")
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur", "yi", "ps", "sd", "ug", "dv", "ckb"})


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
    """`rtl` for languages written from right to left, else `ltr`."""
    first = tag.split("-")[0].lower()
    script = next((p.lower() for p in tag.split("-")[1:] if len(p) == 4), "")
    return "rtl" if first in _RIGHT_TO_LEFT or script in ("arab", "hebr") else "ltr"
