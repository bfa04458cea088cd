/** Blocks by pointer: the middle moves them, an edge lengthens or shortens them. A finger scrolls, and taps for the panel. */

import { MINUTE } from "./clock.js";

const THRESHOLD_PX = 4;
const EDGE_PX = 7;
const STEP = 5;
const NEAR_PX = 48;

/**
 * @param {HTMLElement} root
 * @param {import("./board.js").Board} board
 * @param {ReturnType<typeof import("./changes.js").changes>} change
 * @param {ReturnType<typeof import("./lift.js").lifting>} lifting
 */
export function drag(root, board, change, lifting) {
  /** Which part of a block a pointer is at. @param {HTMLElement} el @param {number} clientX @returns {"start" | "end" | null} */
  function edge(el, clientX) {
    const box = el.querySelector(".slot-block")?.getBoundingClientRect();
    if (!box) return null;
    // Of a short block the middle is left to move it by; its end is also beyond it.
    const zone = Math.min(EDGE_PX, box.width / 4);
    const fromEnd = board.backwards ? clientX - box.left : box.right - clientX;
    const fromStart = board.backwards ? box.right - clientX : clientX - box.left;
    if (fromEnd < zone && fromEnd > -EDGE_PX && !el.classList.contains("slot-after")) return "end";
    return fromStart < EDGE_PX && box.width > 4 * EDGE_PX && !el.classList.contains("slot-before") ? "start" : null;
  }

  /** @param {EventTarget | null} target @returns {HTMLElement | null} */
  function blockAt(target) {
    const link = target instanceof Element ? target.closest(".slot > a") : null;
    const el = /** @type {HTMLElement | null} */ (link?.parentElement ?? null);
    return el && !("locked" in el.dataset) ? el : null;
  }

  board.scroll.addEventListener("dragstart", (event) => event.preventDefault());
  board.scroll.addEventListener("pointermove", (event) => {
    const el = event.buttons ? null : blockAt(event.target);
    if (!el) return;
    const at = event.pointerType !== "touch" ? edge(el, event.clientX) : null;
    el.toggleAttribute("data-edge", at !== null);
  });

  board.scroll.addEventListener("pointerdown", (event) => {
    const el = blockAt(event.target);
    const one = el && board.screening(el.dataset.slot ?? "");
    if (!el || !one || event.button !== 0 || event.pointerType === "touch" || el.classList.contains("slot-pending")) return;
    const part = edge(el, event.clientX);
    const link = /** @type {HTMLElement} */ (el.querySelector("a"));
    const { starts, ends, room } = one;
    const begun = { x: event.clientX, y: event.clientY, scrolled: board.scroll.scrollLeft };
    /** @type {ReturnType<typeof lifting.lift> | null} */
    let held = null;
    let last = event;
    let drift = 0;
    link.setPointerCapture(event.pointerId);

    function follow() {
      if (!held || !one) return;
      const step = last.altKey ? 1 : STEP;
      const by = board.time(last.clientX - begun.x + board.scroll.scrollLeft - begun.scrolled);
      if (part === "end") return held.set({ starts, room, ends: Math.max(starts + MINUTE, board.clock.snap(ends + by, step)) });
      if (part === "start") return held.set({ ends, room, starts: Math.min(ends - MINUTE, board.clock.snap(starts + by, step)) });
      const over = board.rows().find((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return top <= last.clientY && last.clientY < bottom;
      });
      const row = over && !one.guest && lifting.fits(one.kind, over) ? over : (held.row ?? undefined);
      const to = board.clock.snap(starts + by, step);
      held.set({ starts: to, ends: to + (ends - starts), room: row?.dataset.row === "room" || row?.dataset.row === "channel" ? (row.dataset.room ?? "") : room }, row);
    }

    /** At the frame's sides it scrolls on. */
    function drifting() {
      const { left, right } = board.scroll.getBoundingClientRect();
      const by = last.clientX > right - NEAR_PX ? 9 : last.clientX < left + NEAR_PX ? -9 : 0;
      if (held && by) {
        board.scroll.scrollLeft += by;
        follow();
      }
      drift = requestAnimationFrame(drifting);
    }

    /** @param {PointerEvent} next */
    function moved(next) {
      last = next;
      if (!held) {
        if (Math.hypot(next.clientX - begun.x, next.clientY - begun.y) < THRESHOLD_PX || !el || !one) return;
        held = lifting.lift(el, { slug: one.slug, kind: one.kind, title: one.title }, { starts, ends, room });
        drift = requestAnimationFrame(drifting);
      }
      follow();
    }

    /** @param {boolean} keep @param {boolean} [up] whether the button is up */
    async function done(keep, up = true) {
      cancelAnimationFrame(drift);
      link.removeEventListener("pointermove", moved);
      removeEventListener("keydown", escaped, true);
      link.removeEventListener("pointerup", put);
      link.removeEventListener("pointercancel", cancelled);
      if (!held || !el || !one) return;
      // The click that follows, once the button is up, is no visit.
      link.addEventListener("click", stop, { capture: true, once: true });
      const quiet = () => setTimeout(() => link.removeEventListener("click", stop, true));
      if (up) quiet();
      else addEventListener("pointerup", quiet, { once: true });
      const { when, changed } = held;
      if (!keep || !changed) return held.back();
      const back = held.down();
      el.classList.add("slot-pending");
      if (!(await change.move(one.slug, when))) back();
      el.classList.remove("slot-pending");
    }

    const stop = (/** @type {Event} */ click) => {
      click.preventDefault();
      click.stopPropagation();
    };
    const put = () => done(true);
    const cancelled = () => done(false);
    const escaped = (/** @type {KeyboardEvent} */ key) => {
      if (key.key !== "Escape") return;
      key.stopPropagation();
      done(false, false);
    };
    link.addEventListener("pointermove", moved);
    link.addEventListener("pointerup", put);
    link.addEventListener("pointercancel", cancelled);
    addEventListener("keydown", escaped, true);
  });

  // What stands against a block, for who points at it or comes by key.
  /** @param {EventTarget | null} target */
  function why(target) {
    const el = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".slot")) : null;
    if (!el || root.querySelector(".slot-moving, .slot-pending")) return;
    const one = board.screening(el.dataset.slot ?? "");
    const against = [...el.querySelectorAll(".slot-why > li")].map((li) => ({ severity: li.className.replace("why-", ""), detail: li.textContent ?? "" }));
    if (one) lifting.bubble.show((el.querySelector(".slot-block") ?? el).getBoundingClientRect(), `${one.title}: ${board.said(one, one.place)}`, against);
  }
  function hush() {
    if (!root.querySelector(".slot-moving")) lifting.bubble.hide();
  }
  board.scroll.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "touch" && !event.buttons) blockOf(event.target) ? why(event.target) : hush();
  });
  board.scroll.addEventListener("pointerleave", hush);
  board.scroll.addEventListener("focusin", (event) => {
    if (event.target instanceof Element && event.target.matches(":focus-visible")) why(event.target);
  });
  board.scroll.addEventListener("focusout", hush);
  board.scroll.addEventListener("scroll", hush);
  board.told.addEventListener("drawn", hush);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") hush();
  });
}

/** @param {EventTarget | null} target */
const blockOf = (target) => (target instanceof Element ? target.closest(".slot") : null);
