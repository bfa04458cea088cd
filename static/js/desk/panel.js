/** One screening at the side: its time and room as fields, what stands against it and how to mend that, publishing. */

import { filled } from "./clock.js";

/**
 * @param {HTMLElement} root
 * @param {import("./board.js").Board} board
 * @param {ReturnType<typeof import("./changes.js").changes>} change
 * @param {ReturnType<typeof import("./notes.js").notes>} told
 * @param {Record<string, string>} words
 */
export function panel(root, board, change, told, words) {
  const frame = /** @type {HTMLDialogElement} */ (root.querySelector("[data-sheet-frame]"));
  const lang = document.documentElement.lang;
  let slug = "";

  /** @param {string} which @returns {Promise<boolean>} */
  async function fill(which) {
    try {
      const answer = await fetch(`/${lang}/desk/screenings/${encodeURIComponent(which)}/panel`);
      if (!answer.ok) throw new Error(`${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const inside = page.querySelector("[data-sheet]");
      if (!inside) throw new Error("no panel");
      frame.replaceChildren(inside);
      frame.append(Object.assign(document.createElement("p"), { className: "error sheet-error" }));
      frame.querySelector(".sheet-error")?.setAttribute("role", "alert");
      return true;
    } catch (error) {
      console.warn("desk: %s", error);
      return false;
    }
  }

  /** @param {string} which */
  async function open(which) {
    slug = which;
    if (!(await fill(which))) {
      // The page of the screening says it all as well.
      location.assign(`/${lang}/desk/screenings/${encodeURIComponent(which)}`);
      return;
    }
    if (!frame.open) frame.showModal();
    frame.scrollTop = 0;
  }

  /** The revision that stands in the panel: the board may know a newer one by now. */
  function seen() {
    const inside = /** @type {HTMLElement | null} */ (frame.querySelector("[data-sheet]"));
    return Number(inside?.dataset.revision);
  }

  function close() {
    frame.close();
  }
  frame.addEventListener("close", () => board.block(slug)?.querySelector("a")?.focus({ preventScroll: true }));
  frame.addEventListener("click", (event) => {
    // Beside the sheet, which is on the right or on the left as the page is written.
    const { left, right } = frame.getBoundingClientRect();
    if (event.target === frame && (event.clientX < left || event.clientX > right)) close();
  });

  /** @param {string} text */
  function wrong(text) {
    const place = frame.querySelector(".sheet-error");
    if (place) place.textContent = text;
    place?.scrollIntoView({ block: "nearest" });
  }

  // A block is moved as it is, unless its end is given, too.
  frame.addEventListener("input", (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    const form = /** @type {HTMLFormElement | null} */ (field.closest("[data-when]"));
    const one = board.screening(slug);
    if (!form || !one) return;
    const fields = /** @type {{ends: HTMLInputElement}} */ (/** @type {unknown} */ (form.elements));
    if (field.name === "ends") form.dataset.ended = "";
    if (field.name !== "starts" || form.dataset.ended !== undefined) return;
    const starts = board.clock.read(field.value);
    if (!Number.isNaN(starts)) fields.ends.value = board.clock.typed(starts + one.ends - one.starts);
  });

  frame.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    event.preventDefault();
    if (form.matches("[data-when]")) {
      const given = new FormData(form);
      const starts = board.clock.read(String(given.get("starts")));
      const ends = board.clock.read(String(given.get("ends")));
      const room = given.has("room") ? String(given.get("room")) : (board.screening(slug)?.room ?? "");
      close();
      await change.move(slug, { starts, ends, room }, seen());
      return;
    }
    const failed = await change.end(slug, form.action.endsWith("/delete") ? "delete" : "withdraw");
    if (failed) wrong(failed);
    else close();
  });

  frame.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const one = board.screening(slug);
    if (!button || !one) return;
    if (button.matches("[data-close]")) return close();
    if (button.matches("[data-duplicate]")) {
      close();
      await change.duplicate(slug);
    } else if (button.matches("[data-publish]")) {
      button.disabled = true;
      const failed = await change.publish(slug, seen());
      // Also when it failed: perhaps what is listed is no longer what would be public.
      if (await fill(slug)) /** @type {HTMLElement | null} */ (frame.querySelector("h2"))?.focus();
      else button.disabled = !failed;
      if (failed) wrong(failed);
    } else if (button.dataset.mend === "after") {
      const to = board.free(slug, one.kind, { starts: one.starts, ends: one.ends, room: one.room });
      if (to.starts === one.starts) return wrong(filled(words.noFree, {}));
      close();
      await change.move(slug, to, seen());
    } else if (button.dataset.mend === "lengthen") {
      const ends = one.starts + Math.ceil(Number(button.dataset.length) / 60) * 60_000;
      close();
      await change.move(slug, { starts: one.starts, ends, room: one.room }, seen());
    }
  });

  return { open };
}
