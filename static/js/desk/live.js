/** What others change, as it happens: the board is drawn anew and a quiet note says what became of what. */

import { line } from "../line.js";
import { filled } from "./clock.js";

// Changes that come together are drawn together.
const GATHER_MS = 150;
// A stream that ends comes back at once, mostly: no word of it before.
const AWAY_MS = 4000;

/**
 * @param {HTMLElement} root
 * @param {import("./board.js").Board} board
 * @param {ReturnType<typeof import("./changes.js").changes>} change
 * @param {ReturnType<typeof import("./notes.js").notes>} told
 * @param {Record<string, string>} words
 */
export function live(root, board, change, told, words) {
  const away = /** @type {HTMLElement} */ (root.querySelector("[data-away]"));
  let timer = 0;
  let quiet = 0;
  /** @type {Map<string, import("./board.js").Screening> | null} */
  let owed = null;

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(look, GATHER_MS);
  }

  async function look() {
    const before = new Map(board.facts.screenings.map((s) => [s.slug, s]));
    if (await board.refresh()) tell(before);
    // Somebody here holds a block: it is told once the board is drawn.
    else owed ??= before;
  }
  board.told.addEventListener("drawn", () => {
    const before = owed;
    owed = null;
    if (before) tell(before);
  });

  /** @param {Map<string, import("./board.js").Screening>} before */
  function tell(before) {
    for (const s of board.facts.screenings) {
      const old = before.get(s.slug);
      before.delete(s.slug);
      const same = old && old.revision === s.revision && old.state === s.state;
      if (same || change.busy.has(old ? s.slug : "") || change.own.has(`${s.slug} ${s.revision} ${s.state}`)) continue;
      told.note(filled(old ? words.othersMoved : words.othersMade, { title: s.title, when: board.said(s, s.place) }));
    }
    for (const [slug, s] of before) if (!change.own.has(slug)) told.note(filled(words.othersRemoved, { title: s.title }));
  }

  /** @param {MessageEvent} event */
  function screening(event) {
    const said = JSON.parse(event.data);
    if (change.own.has(`${said.slug} ${said.revision} ${said.state}`)) return;
    const known = board.screening(said.slug);
    if (known && known.revision === said.revision && known.state === said.state) return;
    soon();
  }
  line(`/api/v1/events?festival=${encodeURIComponent(board.facts.festival)}`, { screening, festival: soon }, {
    open(missed) {
      clearTimeout(quiet);
      quiet = 0;
      away.hidden = true;
      if (missed) soon();
    },
    lost() {
      quiet ||= setTimeout(() => {
        away.hidden = false;
        told.say(away.textContent ?? "");
      }, AWAY_MS);
    },
  });
}
