"""How many watch now, and whether there is room for one more: a cap of viewers and a budget of bandwidth, as settings.

Nobody is counted by who they are. Each viewer fetches the sound once, segment by segment, so the seconds of sound that
are fetched in a second are the viewers; what is sent is what is sent. Whoever is in already stays in.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from showcase.errors import Full

WINDOW_S = 60
"""Long enough that what a player fetches ahead at its start is not taken for a crowd."""

SETTLED_S = 12
"""So much of the window has to be there before a figure counts for what it is."""


class Door:
    """The last minute, second by second. `viewers` and `bits` are the caps, 0 for none; `clock` counts seconds."""

    def __init__(self, viewers: int, bits: float, clock: Callable[[], float]) -> None:
        self._most_viewers, self._most_bits, self._clock = viewers, bits, clock
        self._seconds: dict[int, tuple[float, int]] = {}
        self._came: dict[int, int] = {}
        self._since = clock()

    def sent(self, size: int, sound_s: float = 0.0) -> None:
        """So many bytes go out, with so many seconds of sound in them."""
        second = int(self._clock())
        heard, total = self._seconds.get(second, (0.0, 0))
        self._seconds[second] = (heard + sound_s, total + size)
        if len(self._seconds) > 2 * WINDOW_S:
            self._seconds = {s: v for s, v in self._seconds.items() if s > second - WINDOW_S}

    def _over(self) -> tuple[float, float, float]:
        now = self._clock()
        recent = [v for s, v in self._seconds.items() if s > now - WINDOW_S]
        length = min(WINDOW_S, max(SETTLED_S, now - self._since))
        return sum(h for h, _ in recent), sum(b for _, b in recent) * 8.0, length

    @property
    def viewers(self) -> int:
        """How many watch, about: those whose sound was fetched, and those who came just now and have not begun."""
        heard, _, length = self._over()
        now = self._clock()
        fresh = sum(n for s, n in self._came.items() if s > now - SETTLED_S)
        return round(heard / length) + fresh

    @property
    def bits(self) -> float:
        """Bits a second that went out, over the last minute."""
        _, bits, length = self._over()
        return bits / length

    def enter(self) -> None:
        """Let one more in. Raises Full."""
        if (self._most_viewers and self.viewers >= self._most_viewers) or (
            self._most_bits and self.bits >= self._most_bits
        ):
            raise Full()
        second = int(self._clock())
        self._came[second] = self._came.get(second, 0) + 1
        if len(self._came) > 2 * WINDOW_S:
            self._came = {s: n for s, n in self._came.items() if s > second - WINDOW_S}


DOOR: web.AppKey[Door] = web.AppKey("DOOR", Door)
