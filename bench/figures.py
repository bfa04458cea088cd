"""What was measured beside what it should be, as a Markdown table."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured. `limit` is the most it may be, None where nothing is asked; `note` says how it was come by."""

    what: str
    value: float
    unit: str = ""
    limit: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether it is within its limit."""
        return self.limit is None or self.value <= self.limit

    def row(self) -> str:
        """This figure as a row of the table."""
        asked = "" if self.limit is None else f"at most {_number(self.limit, self.unit)}"
        verdict = "" if self.limit is None else ("yes" if self.met else "**no**")
        return f"| {self.what} | {_number(self.value, self.unit)} | {asked} | {verdict} | {self.note} |"


def _number(value: float, unit: str) -> str:
    if isinstance(value, int):
        return f"{value:,} {unit}".rstrip()
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}".rstrip()


def table(figures: Iterable[Figure]) -> str:
    """Markdown of all figures."""
    head = ["| what | measured | target | met | how |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(f.row() for f in figures)])


def load() -> str:
    """How busy the machine is: time on a clock means little when others use it."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
