/**
 * Times on the festival's clock, from the offsets that the server gives: moments are milliseconds since 1970 by UTC, and
 * what a clock shows is the same kind of number, read as if the clock's place were on UTC.
 */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const page = document.documentElement.lang || "en";
// As the server writes them: 25 November, and 24 hours.
const locale = page === "en" ? "en-GB" : page;

/** @param {[number, number][]} offsets from when on the clock is how many minutes ahead of UTC */
export function clockOf(offsets) {
  const hourOf = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
  const dayOf = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

  /** @param {number} moment */
  function ahead(moment) {
    let found = offsets[0]?.[1] ?? 0;
    for (const [since, minutes] of offsets) if (since <= moment) found = minutes;
    return found * MINUTE;
  }

  /** @param {number} moment */
  const local = (moment) => moment + ahead(moment);

  /**
   * The moment at which the clock shows this. An hour that comes twice is taken the first time, one that is skipped as
   * much later as the clock jumps (PEP 495).
   * @param {number} shown
   */
  function moment(shown) {
    const before = ahead(shown - DAY);
    const after = ahead(shown + DAY);
    const possible = [shown - before, shown - after].filter((m) => local(m) === shown);
    return possible.length ? Math.min(...possible) : shown - before;
  }

  const hour = (/** @type {number} */ at) => hourOf.format(local(at));
  const day = (/** @type {number} */ at) => dayOf.format(local(at));

  /** From one moment to another, with the day, or days. @param {number} starts @param {number} ends */
  function span(starts, ends) {
    const sameDay = day(starts) === day(ends - 1) && ends - starts <= DAY;
    return sameDay ? `${day(starts)}, ${hour(starts)}–${hour(ends)}` : `${day(starts)}, ${hour(starts)} – ${day(ends)}, ${hour(ends)}`;
  }

  return {
    hour,
    day,
    span,
    /** For the value of a field. @param {number} at */
    typed: (at) => new Date(local(at)).toISOString().slice(0, 16),
    /** From the value of a field; NaN for none. @param {string} text */
    read(text) {
      const shown = Date.parse(`${text}Z`);
      return Number.isNaN(shown) ? NaN : moment(shown);
    },
    /** To the next full `step` minutes of the clock. @param {number} at @param {number} step */
    snap(at, step) {
      const shown = ahead(at);
      return Math.round((at + shown) / (step * MINUTE)) * step * MINUTE - shown;
    },
  };
}

/** Fill a sentence's gaps. @param {string} text @param {Record<string, string>} values */
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
