/**
 * A block in the hand: it follows to another time or room, says at once what it meets there, and asks the server, which
 * knows the rest, what would stand against it. Nothing is kept until it is put down.
 */

import { call } from "./api.js";
import { filled } from "./clock.js";

// So long after the last move the server is asked.
const ASK_MS = 180;

/**
 * @typedef {import("./board.js").When} When
 * @typedef {object} Carried
 * @property {string | null} slug null: something new
 * @property {string} kind
 * @property {string} title
 * @property {{work: string}[]} [slots] of something new
 */

/**
 * @param {import("./board.js").Board} board
 * @param {ReturnType<typeof import("./say.js").saying>} bubble
 * @param {Record<string, string>} words
 * @param {(sentence: string) => void} say for who listens
 */
export function lifting(board, bubble, words, say) {
  /** Whether a kind may be in a row. @param {string} kind @param {HTMLElement} row */
  function fits(kind, row) {
    const place = row.dataset.row ?? "";
    return kind === "on_demand" ? place === "on_demand" : place === "channel" || place === "room";
  }

  /**
   * Take a block up.
   * @param {HTMLElement} el the block
   * @param {Carried} what
   * @param {When} from
   * @param {{end?: boolean}} [how] `end`: the server is to say the end
   */
  function lift(el, what, from, { end = false } = {}) {
    const style = el.style.cssText;
    const home = /** @type {HTMLElement | null} */ (el.closest("[data-row]"));
    let when = { ...from };
    let row = home;
    let timer = 0;
    let asking = new AbortController();
    let told = "";
    /** @type {import("./say.js").Against[]} */
    let against = [];
    el.classList.add("slot-moving");
    board.hold();

    /** @param {When} next @param {HTMLElement | null} [to] the row it would be in */
    function set(next, to = row) {
      if (next.starts === when.starts && next.ends === when.ends && next.room === when.room && to === row && timer) return show();
      when = next;
      row = to;
      el.style.setProperty("--x", board.x(when.starts).toFixed(4));
      el.style.setProperty("--w", (board.x(when.ends) - board.x(when.starts)).toFixed(4));
      if (home && row && el.closest("[data-row]") === home) {
        const drop = row.getBoundingClientRect().top - home.getBoundingClientRect().top;
        el.style.translate = `0 ${drop}px`;
      }
      for (const one of board.rows()) one.classList.toggle("desk-row-over", one === row && row !== home);
      const others = board.beside(what.slug ?? "", what.kind, when);
      for (const one of board.grid.querySelectorAll(".slot-clash")) one.classList.remove("slot-clash");
      for (const other of others) board.block(other.slug)?.classList.add("slot-clash");
      against = others.map((other) => ({
        severity: other.state === "published" ? "error" : "warning",
        detail: filled(words.clash, { title: other.title, when: board.clock.span(other.starts, other.ends) }),
      }));
      show();
      clearTimeout(timer);
      timer = setTimeout(ask, ASK_MS);
    }

    async function ask() {
      asking.abort();
      asking = new AbortController();
      try {
        const answer = await call("POST", "/api/v1/screenings/check", {
          screening: what.slug,
          festival: board.facts.festival,
          kind: what.kind,
          room: when.room,
          starts: new Date(when.starts).toISOString(),
          ends: end ? null : new Date(when.ends).toISOString(),
          ...(what.slots ? { slots: what.slots } : {}),
        }, asking.signal);
        if (!answer.ok) return;
        against = answer.body.conflicts;
        show();
        const heard = against.map(({ detail }) => detail).join(" ");
        if (heard !== told) say(heard || words.clear);
        told = heard;
      } catch {
        // Something newer is being asked.
      }
    }

    function show() {
      const shown = el.querySelector(".slot-block") ?? el;
      bubble.show(shown.getBoundingClientRect(), `${what.title}: ${board.said(when, row?.dataset.row ?? "")}`, against);
      board.point(when.starts);
    }

    /** @param {boolean} back whether it returns to where it was */
    function let_go(back) {
      clearTimeout(timer);
      asking.abort();
      bubble.hide();
      el.classList.remove("slot-moving");
      for (const one of board.grid.querySelectorAll(".slot-clash")) one.classList.remove("slot-clash");
      for (const one of board.rows()) one.classList.remove("desk-row-over");
      if (back) el.style.cssText = style;
      board.point(null);
      board.release();
    }

    return {
      set,
      get when() {
        return when;
      },
      get row() {
        return row;
      },
      get changed() {
        return when.starts !== from.starts || when.ends !== from.ends || when.room !== from.room;
      },
      /** Put it back where it was. */
      back: () => let_go(true),
      /** Leave it where it is; returns what puts it back. */
      down() {
        let_go(false);
        return () => {
          el.style.cssText = style;
        };
      },
    };
  }

  return { lift, fits, bubble };
}
