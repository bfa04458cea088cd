/** Blocks by key: arrows take a block up and move it, Enter saves, Escape puts it back. */

import { filled, MINUTE } from "./clock.js";

const STEP = 5 * MINUTE;
const FAR = 60 * MINUTE;

/**
 * @param {HTMLElement} root
 * @param {import("./board.js").Board} board
 * @param {ReturnType<typeof import("./changes.js").changes>} change
 * @param {ReturnType<typeof import("./lift.js").lifting>} lifting
 * @param {ReturnType<typeof import("./panel.js").panel>} sheet
 * @param {ReturnType<typeof import("./notes.js").notes>} told
 * @param {Record<string, string>} words
 */
export function keys(root, board, change, lifting, sheet, told, words) {
  /** @type {{el: HTMLElement, slug: string, held: ReturnType<typeof lifting.lift>} | null} */
  let pending = null;
  let saving = false;
  const undoing = /** @type {HTMLButtonElement} */ (root.querySelector("[data-undo]"));
  const bar = /** @type {HTMLElement} */ (root.querySelector("[data-state-bar]"));
  bar.hidden = false;

  function dress() {
    for (const link of board.grid.querySelectorAll("[data-slot] > a")) {
      const described = link.getAttribute("aria-describedby");
      link.setAttribute("aria-haspopup", "dialog");
      link.setAttribute("aria-describedby", described ? `${described} desk-keys` : "desk-keys");
    }
  }
  board.told.addEventListener("drawn", dress);
  dress();

  /** @param {boolean} quietly */
  function putBack(quietly) {
    if (!pending) return;
    const { held, slug } = pending;
    pending = null;
    held.back();
    const one = board.screening(slug);
    if (one && !quietly) told.say(filled(words.putBack, { title: one.title, when: board.said(one, one.place) }));
  }

  async function save() {
    if (!pending) return;
    const { held, slug, el } = pending;
    pending = null;
    if (!held.changed) return held.back();
    const { when } = held;
    const back = held.down();
    el.classList.add("slot-pending");
    saving = true;
    if (!(await change.move(slug, when))) back();
    saving = false;
    el.classList.remove("slot-pending");
  }

  /** @param {HTMLElement} el @param {import("./board.js").Screening} one @param {KeyboardEvent} event */
  function arrow(el, one, event) {
    if ("locked" in el.dataset) return told.say(words.locked);
    const from = { starts: one.starts, ends: one.ends, room: one.room };
    pending ??= { el, slug: one.slug, held: lifting.lift(el, { slug: one.slug, kind: one.kind, title: one.title }, from) };
    const { held } = pending;
    const { starts, ends, room } = held.when;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const rows = board.rows().filter((row) => lifting.fits(one.kind, row));
      const at = rows.findIndex((row) => row === held.row);
      const to = rows[at + (event.key === "ArrowUp" ? -1 : 1)];
      if (!to || one.kind === "on_demand" || one.guest) return held.set(held.when);
      held.set({ starts, ends, room: to.dataset.room ?? "" }, to);
    } else {
      const later = (event.key === "ArrowRight") !== board.backwards;
      const by = (later ? 1 : -1) * (event.shiftKey ? FAR : STEP);
      if (event.ctrlKey || event.altKey) held.set({ starts, room, ends: Math.max(starts + MINUTE, ends + by) });
      else held.set({ starts: starts + by, ends: ends + by, room });
    }
    el.scrollIntoView({ block: "nearest", inline: "nearest" });
    told.say(filled(words.pending, { when: board.said(held.when, held.row?.dataset.row ?? "") }));
  }

  board.grid.addEventListener("keydown", (event) => {
    const link = event.target instanceof Element ? event.target.closest(".slot > a") : null;
    const el = /** @type {HTMLElement | null} */ (link?.parentElement ?? null);
    const one = el && board.screening(el.dataset.slot ?? "");
    if (!el || !one || event.metaKey || saving) return;
    if (/^Arrow/.test(event.key)) {
      event.preventDefault();
      arrow(el, one, event);
    } else if (event.key === "Enter" && pending) {
      event.preventDefault();
      save();
    } else if (event.key === "Escape" && pending) {
      event.preventDefault();
      event.stopPropagation();
      putBack(false);
    } else if (event.key.toLowerCase() === "d" && !event.ctrlKey && !event.altKey && !pending) {
      event.preventDefault();
      change.duplicate(one.slug);
    }
  });
  board.grid.addEventListener("focusout", () => {
    if (pending && !saving) putBack(false);
  });
  board.grid.addEventListener("click", (event) => {
    const el = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest(".slot")) : null;
    const slug = el?.dataset.slot ?? el?.dataset.of;
    if (!el || !slug || event.ctrlKey || event.metaKey || event.shiftKey || (el.dataset.slot && "locked" in el.dataset)) return;
    event.preventDefault();
    sheet.open(slug);
  });

  change.changed.addEventListener("steps", () => {
    undoing.disabled = change.count() === 0;
  });
  undoing.addEventListener("click", () => change.undo());
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "z" || event.defaultPrevented) return;
    // Where somebody types, it takes back what was typed.
    if (event.target instanceof Element && event.target.closest("input, textarea, select, dialog")) return;
    if (!change.count() || pending) return;
    event.preventDefault();
    // A key that is held is one wish.
    if (!event.repeat) change.undo();
  });
}
