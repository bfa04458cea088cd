/** The player on a work's page, and the poster that is taken from what it shows. */

import { mount } from "../player.js";

/** @param {HTMLElement} place `[data-preview-place]` */
export function preview(place) {
  let rungs = -1;
  wire();

  function wire() {
    const el = /** @type {HTMLElement | null} */ (place.querySelector("[data-player]"));
    const form = /** @type {HTMLFormElement | null} */ (place.querySelector("form[data-poster]"));
    if (!el) return;
    const { video } = mount(el);
    const field = form?.elements.namedItem("at");
    if (!form || !(field instanceof HTMLInputElement)) return;
    let typed = false;
    const take = () => {
      if (el.dataset.state !== "playing" || !Number.isFinite(video.currentTime)) return;
      // Rounded down: the moment must not lie after the picture that is on screen, nor after the end.
      const at = Math.floor(video.currentTime * 100) / 100;
      field.value = String(Math.min(at, field.max ? Math.floor(Number(field.max) * 100) / 100 : at));
      typed = false;
    };
    field.addEventListener("input", () => (typed = true));
    for (const event of ["pause", "seeked", "ended"]) video.addEventListener(event, take);
    form.addEventListener("submit", () => typed || take());
  }

  /** @param {HTMLElement | null} el */
  const started = (el) => el !== null && el.dataset.state !== "cover";

  return {
    /**
     * Show what the page shows by now, unless that would stop a picture that somebody looks at.
     * @param {HTMLElement} next the place in the newer page
     * @param {(asset: string) => {rungs: number} | null} find a file that there is
     */
    update(next, find) {
      const now = /** @type {HTMLElement | null} */ (place.querySelector("[data-player]"));
      const newer = /** @type {HTMLElement | null} */ (next.querySelector("[data-player]"));
      const there = find(asset(place));
      const ready = find(asset(next))?.rungs ?? 0;
      if (now && newer) {
        const same = asset(place) === asset(next) && identity(now) === identity(newer) && (rungs < 0 || ready === rungs);
        if (same || (there && (started(now) || place.contains(document.activeElement)))) {
          if (same) rungs = ready;
          return;
        }
      }
      if (!now && !newer) return;
      if (now) mount(now).destroy();
      place.replaceChildren(...next.childNodes);
      rungs = ready;
      wire();
    },
  };
}

/** @param {ParentNode} place */
function asset(place) {
  return /** @type {HTMLInputElement | null} */ (place.querySelector("form[data-poster] [name=asset]"))?.value ?? "";
}

/** What the page says about a player, without what the player did to itself. @param {HTMLElement} el */
function identity(el) {
  const { state, ...said } = el.dataset;
  return JSON.stringify(said);
}
