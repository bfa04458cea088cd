/**
 * The timeline's board: where moments lie on it, what blocks and rows there are, and how it becomes that of another day
 * or of now. The server draws it; a new drawing is the page fetched again, of which only the board is taken.
 */

import { HOUR, clockOf, filled } from "./clock.js";

/**
 * @typedef {object} Screening as it stood when the board was drawn; times are moments in milliseconds
 * @property {string} slug
 * @property {string} title
 * @property {string} kind
 * @property {string} state
 * @property {string} room
 * @property {string} place channel, room, elsewhere or on_demand
 * @property {number} starts
 * @property {number} ends
 * @property {number} revision
 * @property {boolean} guest whether another festival hosts it
 *
 * @typedef {{festival: string, zone: string, start: number, end: number, offsets: [number, number][], screenings: Screening[]}} Facts
 * @typedef {{starts: number, ends: number, room: string}} When
 * @typedef {ReturnType<typeof board>} Board
 */

// What a new drawing brings, beside the board itself.
const PARTS = ["[data-window]", ".desk-ways", "[data-clocks]", "[data-empty]", "#put-place", "script[data-facts]"];

/** @param {string} address */
const bare = (address) => address.split("#")[0];

/** @param {HTMLElement} root @param {Record<string, string>} words */
export function board(root, words) {
  const grid = /** @type {HTMLElement} */ (root.querySelector("[data-grid]"));
  const scroll = /** @type {HTMLElement} */ (root.querySelector("[data-scroll]"));
  const told = new EventTarget();
  const backwards = getComputedStyle(grid).direction === "rtl";
  let facts = read();
  let clock = clockOf(facts.offsets);
  /** While somebody holds a block the board must not be drawn anew. */
  let held = 0;
  let missed = false;
  let asked = new AbortController();
  /** The address of what is shown, or is about to be. */
  let here = bare(location.href);

  function read() {
    return /** @type {Facts} */ (JSON.parse(root.querySelector("script[data-facts]")?.textContent ?? "{}"));
  }

  /** The box of the hours, which every row shares. */
  function box() {
    return /** @type {HTMLElement} */ (grid.querySelector("[data-track]")).getBoundingClientRect();
  }

  /** @param {string} address @returns {Promise<boolean | null>} whether it is drawn; null: something newer is asked for */
  async function draw(address) {
    asked.abort();
    asked = new AbortController();
    here = bare(address);
    try {
      const answer = await fetch(address, { signal: asked.signal, headers: { Accept: "text/html" } });
      if (!answer.ok) return false;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.querySelector("[data-desk]");
      if (!next) return false;
      if (held) {
        missed = true;
        return false;
      }
      take(page, next);
      return true;
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") return null;
      console.warn("desk: %s", error);
      return false;
    }
  }

  /** One after the other: who asks while one is under way gets the next. @type {Promise<unknown>} */
  let last = Promise.resolve();
  /** @type {Promise<boolean | null> | null} */
  let waiting = null;

  /** Take over what the server has by now. */
  function refresh() {
    if (waiting) return waiting;
    const mine = last.then(() => {
      waiting = null;
      return draw(here);
    });
    waiting = mine;
    last = mine;
    return mine;
  }

  /** @param {Document} page @param {Element} next */
  function take(page, next) {
    const before = new Map(facts.screenings.map((s) => [s.slug, `${s.revision} ${s.state}`]));
    const active = document.activeElement;
    const slug = active?.closest(".slot")?.getAttribute("data-slot");
    const way = active?.matches(".desk-ways a") ? active.textContent : null;
    const left = scroll.scrollLeft;
    const drawn = /** @type {HTMLElement} */ (next.querySelector("[data-grid]"));
    const same = drawn.className === grid.className;
    grid.className = drawn.className;
    grid.style.cssText = drawn.style.cssText;
    grid.replaceChildren(...drawn.childNodes);
    for (const part of PARTS) {
      const old = root.querySelector(part);
      const made = next.querySelector(part);
      if (old && made) old.replaceWith(made);
    }
    const table = document.querySelector("[data-table]");
    const rows = page.querySelector("[data-table]");
    if (table && rows) table.replaceWith(rows);
    for (const link of document.querySelectorAll(".bar-lang")) {
      link.setAttribute("href", page.querySelector(".bar-lang")?.getAttribute("href") ?? "");
    }
    facts = read();
    clock = clockOf(facts.offsets);
    if (same) scroll.scrollLeft = left;
    else begin();
    for (const s of facts.screenings) {
      if (before.get(s.slug) !== `${s.revision} ${s.state}`) block(s.slug)?.classList.add("slot-new");
    }
    if (slug) block(slug)?.querySelector("a")?.focus({ preventScroll: true });
    if (way) [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".desk-ways a"))].find((a) => a.textContent === way)?.focus();
    told.dispatchEvent(new Event("drawn"));
  }

  /** What is worth seeing first: the present, else the first screening, else the morning. */
  function begin() {
    const now = Date.now();
    const inside = facts.screenings.filter((s) => s.kind !== "on_demand" && s.starts >= facts.start && s.starts < facts.end);
    const first = inside.length ? Math.min(...inside.map((s) => s.starts)) : facts.start + 9 * HOUR;
    const at = now >= facts.start && now < facts.end ? now : first;
    const { width } = box();
    const seen = scroll.clientWidth - (grid.clientWidth - width);
    const from = Math.max(0, ((at - facts.start) / (facts.end - facts.start)) * width - seen / 3);
    scroll.scrollLeft = backwards ? -from : from;
  }
  begin();

  /** @param {string} slug @returns {HTMLElement | null} */
  const block = (slug) => grid.querySelector(`[data-slot="${CSS.escape(slug)}"]`);

  root.addEventListener("click", async (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-go]") : null;
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const drawn = await draw(link.href);
    if (drawn) history.pushState(null, "", link.href);
    else if (drawn === false) location.assign(link.href);
  });
  addEventListener("popstate", () => {
    if (bare(location.href) !== here) draw(location.href);
  });

  return {
    grid,
    scroll,
    told,
    get facts() {
      return facts;
    },
    get clock() {
      return clock;
    },
    refresh,
    /** Say which moment matters now, null: none by itself. @param {number | null} moment */
    point(moment) {
      told.dispatchEvent(new CustomEvent("point", { detail: moment }));
    },
    /** Keep the board as it is until it is let go. */
    hold() {
      held += 1;
    },
    release() {
      held -= 1;
      if (held || !missed) return;
      missed = false;
      refresh();
    },
    block,
    /** @param {string} slug */
    screening: (slug) => facts.screenings.find((s) => s.slug === slug),
    /** How far across a moment is, in hundredths. @param {number} moment */
    x: (moment) => ((moment - facts.start) / (facts.end - facts.start)) * 100,
    /** The moment at a place of the window. @param {number} clientX */
    moment(clientX) {
      const { left, right, width } = box();
      return facts.start + ((backwards ? right - clientX : clientX - left) / width) * (facts.end - facts.start);
    },
    /** How much time a way across is. @param {number} pixels */
    time: (pixels) => ((backwards ? -pixels : pixels) / box().width) * (facts.end - facts.start),
    backwards,
    /** @returns {HTMLElement[]} */
    rows: () => [.../** @type {NodeListOf<HTMLElement>} */ (grid.querySelectorAll("[data-row]"))],
    /** What a room is called. @param {string} place @param {string} room */
    roomName: (place, room) => (place === "on_demand" ? words.onDemand : room || words.channel),
    /** When and where, in words. @param {When} when @param {string} place */
    said(when, place) {
      const where = place === "on_demand" ? words.onDemand : when.room || words.channel;
      return filled(words.whenWhere, { when: clock.span(when.starts, when.ends), where });
    },
    /** What else is in a room at that time. @param {string} slug @param {string} kind @param {When} when @returns {Screening[]} */
    beside(slug, kind, when) {
      if (kind === "on_demand") return [];
      return facts.screenings.filter(
        (s) => s.slug !== slug && s.kind !== "on_demand" && s.place !== "elsewhere" && s.state !== "withdrawn" && s.room === when.room && s.starts < when.ends && when.starts < s.ends,
      );
    },
    /**
     * The next free time in a room, from a moment on.
     * @param {string} slug @param {string} kind @param {When} when
     */
    free(slug, kind, when) {
      const length = when.ends - when.starts;
      let { starts } = when;
      for (let tries = 0; tries < facts.screenings.length + 1; tries += 1) {
        const other = this.beside(slug, kind, { starts, ends: starts + length, room: when.room });
        if (!other.length) break;
        starts = Math.ceil(Math.max(...other.map((s) => s.ends)) / 300_000) * 300_000;
      }
      return { starts, ends: starts + length, room: when.room };
    },
  };
}
