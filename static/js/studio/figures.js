/** Sizes and times as people read them, in the page's language. */

/**
 * @param {string} lang the page's language
 * @param {string[]} units of sizes, each a thousand of the one before
 */
export function figures(lang, units) {
  const locale = lang === "en" ? "en-GB" : lang;
  const [whole, tenths] = [0, 1].map((digits) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }));

  /** @param {number} value @param {string} unit */
  const amount = (value, unit) =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(value);

  return {
    /** @param {number} bytes @returns {string} 1.2 GB, in French 1,2 Go */
    size(bytes) {
      let [value, n] = [bytes, 0];
      while (value >= 1000 && n < units.length - 1) [value, n] = [value / 1000, n + 1];
      return `${(n && value < 100 ? tenths : whole).format(value)} ${units[n]}`;
    },

    /** @param {number} seconds @returns {string} 40 sec, 12 min, 2 hrs 5 min: never more exact than it can be known */
    left(seconds) {
      if (seconds < 60) return amount(Math.max(1, seconds < 10 ? Math.ceil(seconds) : Math.ceil(seconds / 5) * 5), "second");
      const minutes = Math.ceil(seconds / 60);
      if (minutes < 60) return amount(minutes, "minute");
      const rest = minutes % 60;
      return amount(Math.floor(minutes / 60), "hour") + (rest ? ` ${amount(rest, "minute")}` : "");
    },
  };
}

/** How fast something goes, over the last seconds. */
export class Speed {
  static WINDOW_MS = 8000;
  /** @type {[number, number][]} moment, bytes */
  #seen = [];

  /** @param {number} now milliseconds @param {number} bytes all so far */
  see(now, bytes) {
    this.#seen.push([now, bytes]);
    while (this.#seen.length > 2 && now - this.#seen[0][0] > Speed.WINDOW_MS) this.#seen.shift();
  }

  forget() {
    this.#seen = [];
  }

  /** Bytes a second; 0 while it cannot be told. */
  get value() {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || !last || last[0] - first[0] < 500) return 0;
    return ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
  }
}
