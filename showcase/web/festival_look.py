"""How a festival looks: the colour it chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from showcase.core.models import City, Festival
from showcase.errors import Invalid
from showcase.web import forms

Hue = Annotated[float, Field(strict=True, ge=0, le=360, allow_inf_nan=False)]
"""An OKLCH hue in degrees, as cities have them."""

NO_CITY = 200


def hue_typed(fields: Mapping[str, str], festival: Festival) -> float | None:
    """The colour as it is typed: `colour` is `city` (its city's) or `own` (`hue`, 0 to 360); without it, it stays.

    Raises Invalid (`bad-number`, `bad-choice`).
    """
    colour = fields.get("colour")
    if colour is None:
        return festival.hue
    if colour == "city":
        return None
    if colour != "own":
        raise Invalid(fields={"hue": "bad-choice"})
    typed = forms.number(fields, "hue", 0, 360)
    if typed is None:
        raise Invalid(fields={"hue": "required"})
    # The form knows whole degrees; a finer one that nobody touched stays what it is.
    return festival.hue if festival.hue is not None and round(festival.hue) == typed else float(typed)


def hue_shown(fields: Mapping[str, Any], city: City | None) -> int:
    """Where the slider stands, in degrees: at what was typed, else at its city's colour."""
    typed = str(fields.get("hue", ""))
    if typed.isascii() and typed.isdigit() and len(typed) < 4 and int(typed) <= 360:
        return int(typed)
    return round(city.hue) if city is not None else NO_CITY
