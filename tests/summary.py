"""Groups of tests that need more than Python packages, and what the test run says when one is skipped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import pytest


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    remedy: str


BROWSER = Group("browser", "apt install chromium, or set SHOWCASE_CHROMIUM to a Chromium; make test")
POSTGRESQL = Group("PostgreSQL", "make test (it installs the server's binaries; no service is needed)")
MEDIA = Group("real media", "put an FFmpeg with libx264 on PATH, or pip install imageio-ffmpeg")
GROUPS = (BROWSER, POSTGRESQL, MEDIA)


def missing(group: Group, why: str) -> NoReturn:
    """Skip the test that asked, or fail it when SHOWCASE_TEST_REQUIRE=1 says that nothing may be missing."""
    message = f"{group.name} tests cannot run: {why}"
    if os.environ.get("SHOWCASE_TEST_REQUIRE") == "1":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say in plain words, below all else, which groups were skipped and how to get them."""
    yield
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])]
    skipped = Counter(
        (group, reason.removeprefix("Skipped: "))
        for reason in reasons
        for group in GROUPS
        if reason.startswith(f"Skipped: {group.name} tests cannot run: ")
    )
    if skipped:
        terminalreporter.section("not tested on this machine")
    for (group, reason), count in skipped.items():
        terminalreporter.line(f"{count} {'test' if count == 1 else 'tests'} skipped: {reason}")
        terminalreporter.line(f"    to run them: {group.remedy}")
