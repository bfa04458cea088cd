/** The other cities' clocks: at the pointer, at the block that is chosen, else now; and the line of the present. */

import { MINUTE, filled } from "./clock.js";

/** @param {HTMLElement} root @param {import("./board.js").Board} board @param {Record<string, string>} words */
export function clocks(root, board, words) {
  /** @type {Map<string, Intl.DateTimeFormat | null>} */
  const formats = new Map();
  const lang = document.documentElement.lang;
  /** @type {number | null} */
  let then = null;

  /** @param {string} zone */
  function formatter(zone) {
    if (!formats.has(zone)) {
      try {
        formats.set(zone, new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }));
      } catch {
        // A zone this browser does not know: the server's time stays.
        formats.set(zone, null);
      }
    }
    return formats.get(zone);
  }

  function show() {
    const moment = then ?? Date.now();
    const minutes = (moment - board.facts.start) / MINUTE;
    const at = root.querySelector("[data-clocks-at]");
    if (at) at.textContent = then === null ? words.now : filled(words.at, { when: `${board.clock.day(moment)}, ${board.clock.hour(moment)}` });
    for (const city of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-clocks] li"))) {
      const time = city.querySelector("time");
      const text = formatter(city.dataset.zone ?? "UTC")?.format(moment);
      if (time && text) {
        time.textContent = text;
        time.dateTime = new Date(moment).toISOString();
      }
      const nights = (city.dataset.dark ?? "").split(" ").filter(Boolean).map((one) => one.split("-").map(Number));
      city.classList.toggle("night", nights.some(([from, to]) => from <= minutes && minutes < to));
    }
    line();
  }

  function line() {
    let cursor = /** @type {HTMLElement | null} */ (board.grid.querySelector(".desk-cursor"));
    const x = then === null ? -1 : board.x(then) / 100;
    if (x < 0 || x > 1) return cursor?.remove();
    if (!cursor) {
      cursor = Object.assign(document.createElement("i"), { className: "desk-cursor" });
      cursor.setAttribute("aria-hidden", "true");
      board.grid.append(cursor);
    }
    cursor.style.setProperty("--at", x.toFixed(5));
  }

  /** @param {number | null} moment */
  function at(moment) {
    then = moment;
    show();
  }

  function focused() {
    const slug = document.activeElement?.closest(".slot")?.getAttribute("data-slot");
    return slug ? (board.screening(slug)?.starts ?? null) : null;
  }

  board.told.addEventListener("point", (event) => at(/** @type {CustomEvent<number | null>} */ (event).detail ?? focused()));
  board.scroll.addEventListener("pointermove", (event) => {
    // What is held says itself where it is.
    if (root.querySelector(".slot-moving")) return;
    const moment = board.moment(event.clientX);
    const inside = moment >= board.facts.start && moment < board.facts.end;
    at(inside ? Math.round(moment / (5 * MINUTE)) * 5 * MINUTE : focused());
  });
  board.scroll.addEventListener("pointerleave", () => at(focused()));
  board.scroll.addEventListener("focusin", () => at(focused()));
  board.scroll.addEventListener("focusout", () => at(null));
  board.told.addEventListener("drawn", show);

  function tick() {
    const now = /** @type {HTMLElement | null} */ (board.grid.querySelector("[data-now]"));
    now?.style.setProperty("--x", board.x(Date.now()).toFixed(4));
    if (then === null) show();
  }
  setInterval(() => {
    if (!document.hidden) tick();
  }, 20_000);
  show();
}
