"""Accessibility: what axe-core finds wrong with a page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from playwright.async_api import Page

from tests.summary import BROWSER, missing

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of axe-core that the page breaks, and the CSS selectors of the elements that do."""

    rule: str
    impact: str
    help: str
    targets: tuple[str, ...]


async def axe(page: Page) -> list[Violation]:
    """Return what is wrong with `page` and its frames, as it stands now.

    The script goes in through the debugger, so the page's own Content-Security-Policy stays in force.
    """
    for frame in page.frames:
        await frame.evaluate(_source())
    found = await page.evaluate("async () => (await axe.run({ resultTypes: ['violations'] })).violations")
    return [
        Violation(
            one["id"],
            one["impact"],
            one["help"],
            tuple(" ".join(map(str, node["target"])) for node in one["nodes"]),
        )
        for one in found
    ]


@cache
def _source() -> str:
    if not AXE.exists():
        missing(BROWSER, "axe-core is not in node_modules (npm ci brings it)")
    return AXE.read_text(encoding="utf-8")
