"""How often somebody may ask: token buckets in memory, one for each who and what."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict

from aiohttp import web

from showcase.errors import TooMany
from showcase.web.keys import LIMITS, SETTINGS

# What is limited: how many at once, and how many come back in a minute.
RULES: dict[str, tuple[int, float]] = {
    "signin": (8, 4),
    "signin-link": (30, 30),
    "signin-address": (5, 0.5),
    "signin-mailbox": (30, 3),
    "invitation": (30, 30),
    "password": (8, 4),
    "play": (120, 120),
    "code": (30, 30),
    # A whole hall comes through one address, all within a few minutes; the grant is the same for everybody.
    "play-together": (4_000, 4_000),
    "api-write": (240, 240),
    "upload": (120, 120),
    "events": (60, 60),
    "invite": (60, 20),
}
BUCKETS = 50_000


class Limits:
    """The buckets. The least recently used are forgotten first, so an attacker cannot fill the memory."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, rule: str, who: str) -> None:
        """Count one. Raises TooMany with the seconds to wait."""
        burst, per_minute = RULES[rule]
        now = time.monotonic()
        left, since = self._buckets.pop((rule, who), (float(burst), now))
        left = min(burst, left + (now - since) * per_minute / 60)
        if left < 1:
            self._buckets[(rule, who)] = (left, now)
            raise TooMany(retry_after=int((1 - left) * 60 / per_minute) + 1)
        self._buckets[(rule, who)] = (left - 1, now)
        if len(self._buckets) > BUCKETS:
            self._buckets.popitem(last=False)

    def look(self, rule: str, who: str) -> None:
        """Raise TooMany where `take` would, without counting."""
        burst, per_minute = RULES[rule]
        left, since = self._buckets.get((rule, who), (float(burst), time.monotonic()))
        left = min(burst, left + (time.monotonic() - since) * per_minute / 60)
        if left < 1:
            raise TooMany(retry_after=int((1 - left) * 60 / per_minute) + 1)


def address(request: web.Request) -> str:
    """Where a request comes from; proxies in front are believed as many as the settings say."""
    trusted = request.app[SETTINGS].trusted_proxies
    # A proxy may add a line of its own instead of adding to the one that came: they are one list (RFC 9110 5.3).
    lines = ",".join(request.headers.getall("X-Forwarded-For", []))
    forwarded = [p.strip() for p in lines.split(",") if p.strip()]
    if trusted and forwarded:
        return forwarded[-min(trusted, len(forwarded))]
    return request.remote or "-"


def network_of(request: web.Request) -> str:
    """The network a request comes from: an IPv4 address, or the /64 that one customer has of IPv6."""
    text = address(request)
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return text
    return text if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))


def limit(request: web.Request, rule: str, who: str | None = None) -> None:
    """Count one request against `rule`. Raises TooMany."""
    request.app[LIMITS].take(rule, who or network_of(request))


def allowed(request: web.Request, rule: str) -> None:
    """Raise TooMany when `limit` would, without counting: for what counts only when it fails."""
    request.app[LIMITS].look(rule, network_of(request))
