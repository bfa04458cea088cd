"""Names for addresses and files: slugs from any script, file names that cannot leave their folder, search keys."""

from __future__ import annotations

import re
import unicodedata

RESERVED = frozenset({"new", "edit", "search", "feed"})


def fold(text: str) -> str:
    """`text` in lower case without accents, for comparing and searching: 'Košice' -> 'kosice'."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def slugify(text: str, fallback: str) -> str:
    """An address part: lower-case ASCII letters, digits and single hyphens, at most 80 characters.

    Scripts without an ASCII form give `fallback`.
    """
    ascii_text = fold(text).replace("ß", "ss").replace("ø", "o").replace("æ", "ae").replace("œ", "oe").replace("ł", "l")
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:80].rstrip("-")
    return slug if len(slug) >= 2 and slug not in RESERVED else fallback


def safe_filename(name: str) -> str:
    """The last part of `name`, without what a file system or a header could stumble over; at most 200 characters.

    Emoji and every script stay; folders, control and direction characters go.
    """
    last = re.split(r"[\\/]", name)[-1]
    kept = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or c == "\u200d")
    kept = unicodedata.normalize("NFC", kept).strip(" .")
    if len(kept) > 200:
        stem, dot, ending = kept.rpartition(".")
        kept = stem[: 199 - len(ending)] + dot + ending if dot and len(ending) <= 10 else kept[:200].rstrip(" .")
    return kept or "file"
