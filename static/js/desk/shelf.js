/** The shelf: works to find, to drag onto a room's day or into a premiere, and, by key or finger, to put into a room. */

import { DAY, MINUTE, filled } from "./clock.js";

const THRESHOLD_PX = 4;
const STEP = 5;
const OF_A_LENGTH = ["video", "audio", "360"];

/** @typedef {{slug: string, title: string, titles: Record<string, string>, length: number, medium: string}} Work */

/**
 * @param {HTMLElement} root
 * @param {import("./board.js").Board} board
 * @param {ReturnType<typeof import("./changes.js").changes>} change
 * @param {ReturnType<typeof import("./lift.js").lifting>} lifting
 * @param {Record<string, string>} words
 */
export function shelf(root, board, change, lifting, words) {
  const place = /** @type {HTMLElement} */ (root.querySelector("[data-shelf]"));
  const items = /** @type {HTMLElement[]} */ ([...place.querySelectorAll("[data-work]")]);
  const dialog = /** @type {HTMLDialogElement} */ (root.querySelector("[data-put]"));

  /** @param {HTMLElement} item @returns {Work} */
  const workOf = (item) => ({
    slug: item.dataset.work ?? "",
    title: item.querySelector(".shelf-title")?.textContent?.trim() ?? "",
    titles: JSON.parse(item.dataset.titles ?? "{}"),
    length: Number(item.dataset.length),
    medium: item.dataset.medium ?? "",
  });
  /** How long a new premiere of it lasts, as the server will say. @param {Work} work */
  const lasting = (work) => Math.max(1, Math.ceil(work.length / MINUTE)) * MINUTE;

  /* Finding. */

  const find = /** @type {HTMLElement | null} */ (place.querySelector("[data-find]"));
  if (find && items.length > 4) {
    find.hidden = false;
    const none = Object.assign(document.createElement("p"), { className: "hint shelf-none", textContent: words.noneFound, hidden: true });
    none.setAttribute("role", "status");
    place.append(none);
    find.querySelector("input")?.addEventListener("input", (event) => {
      const fold = (/** @type {string} */ text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
      const asked = fold(/** @type {HTMLInputElement} */ (event.target).value.trim());
      for (const item of items) item.hidden = !fold(item.textContent ?? "").includes(asked);
      none.hidden = items.some((item) => !item.hidden);
    });
  }

  /* Putting by key. */

  /** @type {Work | null} */
  let chosen = null;
  /** What was proposed as the start, as the field has it. */
  let proposed = "";
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const fields = /** @type {{place: HTMLSelectElement, starts: HTMLInputElement}} */ (/** @type {unknown} */ (form.elements));
  const error = /** @type {HTMLElement} */ (dialog.querySelector("[data-put-error]"));

  /** @param {Work} work */
  function ask(work) {
    chosen = work;
    error.textContent = "";
    const named = dialog.querySelector("[data-put-work]");
    if (named) named.textContent = work.title;
    const lasts = OF_A_LENGTH.includes(work.medium);
    for (const option of fields.place.options) option.disabled = !lasts && !option.value.startsWith("on_demand");
    if (fields.place.selectedOptions[0]?.disabled) fields.place.selectedIndex = fields.place.options.length - 1;
    const noon = board.clock.read(`${board.clock.typed(board.facts.start).slice(0, 10)}T12:00`);
    const typed = board.clock.read(fields.starts.value);
    const { start, end } = board.facts;
    // What stands there goes on from the last one. Nothing is proposed in the past, unless all that is shown is past.
    if (!(typed >= start && typed < end) || (typed < Date.now() && fields.starts.value === proposed)) {
      const soon = board.clock.snap(Date.now() + 15 * MINUTE, 15);
      const coming = Math.max(soon < end ? soon : board.clock.snap(Date.now() + MINUTE, 1), start);
      proposed = board.clock.typed(Math.max(noon, coming < end ? coming : start));
      fields.starts.value = proposed;
    }
    dialog.showModal();
    fields.place.focus();
  }

  dialog.querySelector("[data-put-close]")?.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [kind, ...room] = fields.place.value.split(":");
    const starts = board.clock.read(fields.starts.value);
    if (!chosen || Number.isNaN(starts)) return;
    dialog.close();
    const made = await change.put(chosen, kind, room.join(":"), starts);
    if (made) fields.starts.value = board.clock.typed(Date.parse(made.ends));
  });

  for (const item of items) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-quiet", textContent: words.putInto });
    button.setAttribute("aria-label", `${words.putInto} ${workOf(item).title}`);
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", () => ask(workOf(item)));
    item.append(button);
  }

  /* Dragging. */

  place.addEventListener("dragstart", (event) => event.preventDefault());
  place.addEventListener("pointerdown", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const item = /** @type {HTMLElement | null} */ (target?.closest("[data-work]") ?? null);
    if (!item || target?.closest("button") || event.button !== 0 || event.pointerType === "touch") return;
    const work = workOf(item);
    const begun = { x: event.clientX, y: event.clientY };
    const label = Object.assign(document.createElement("div"), { className: "shelf-drag", textContent: work.title });
    label.style.cssText = item.style.cssText;
    label.setAttribute("aria-hidden", "true");
    let dragging = false;
    /** @type {{el: HTMLElement, held: ReturnType<typeof lifting.lift>, row: HTMLElement} | null} */
    let ghost = null;
    /** @type {HTMLElement | null} */
    let over = null;
    item.setPointerCapture(event.pointerId);

    function drop() {
      ghost?.held.back();
      ghost?.el.remove();
      ghost = null;
      over?.classList.remove("slot-over");
      over = null;
      lifting.bubble.hide();
    }

    /** @param {PointerEvent} next */
    function moved(next) {
      if (!dragging) {
        if (Math.hypot(next.clientX - begun.x, next.clientY - begun.y) < THRESHOLD_PX) return;
        dragging = true;
        board.hold();
        document.body.append(label);
      }
      label.style.translate = `${next.clientX + 12}px ${next.clientY + 12}px`;
      const under = document.elementsFromPoint(next.clientX, next.clientY);
      const row = /** @type {HTMLElement | null} */ (under.find((el) => el.matches("[data-track]"))?.closest("[data-row]") ?? null);
      label.hidden = row !== null;
      if (!row || row.dataset.row === "elsewhere") return drop();
      const lasts = OF_A_LENGTH.includes(work.medium);
      const block = lasts ? /** @type {HTMLElement | undefined} */ (under.find((el) => el.matches(".slot-block") && el.closest(".slot-premiere:not(.slot-ghost)"))?.closest(".slot") ?? undefined) : undefined;
      if (block && !("locked" in block.dataset)) {
        if (over === block) return;
        drop();
        over = block;
        over.classList.add("slot-over");
        const title = board.screening(block.dataset.slot ?? "")?.title ?? "";
        lifting.bubble.show(block.getBoundingClientRect(), filled(words.addTo, { title }), []);
        return;
      }
      const demand = row.dataset.row === "on_demand";
      if (!lasts && !demand) {
        drop();
        lifting.bubble.show(new DOMRect(next.clientX, next.clientY, 1, 1), words.onlyOnDemand, []);
        return;
      }
      if (over || ghost?.row !== row) drop();
      const starts = board.clock.snap(board.moment(next.clientX), next.altKey ? 1 : STEP);
      const when = { starts, ends: starts + (demand ? DAY : lasting(work)), room: row.dataset.room ?? "" };
      ghost ??= shade(work, row, when, demand, item.style.cssText);
      ghost.held.set(when);
    }

    /** @param {boolean} keep @param {boolean} [up] whether the button is up */
    async function done(keep, up = true) {
      item?.removeEventListener("pointermove", moved);
      item?.removeEventListener("pointerup", put);
      item?.removeEventListener("pointercancel", cancelled);
      removeEventListener("keydown", escaped, true);
      if (!dragging) return;
      item?.addEventListener("click", stop, { capture: true, once: true });
      const quiet = () => setTimeout(() => item?.removeEventListener("click", stop, true));
      if (up) quiet();
      else addEventListener("pointerup", quiet, { once: true });
      const at = ghost?.held.when;
      const row = ghost?.row;
      const into = over?.dataset.slot;
      drop();
      label.remove();
      board.release();
      if (!keep) return;
      if (into) await change.append(into, work);
      else if (at && row) await change.put(work, row.dataset.row ?? "", row.dataset.room ?? "", at.starts);
    }

    const stop = (/** @type {Event} */ click) => {
      click.preventDefault();
      click.stopPropagation();
    };
    const put = () => done(true);
    const cancelled = () => done(false);
    const escaped = (/** @type {KeyboardEvent} */ key) => {
      if (key.key === "Escape") done(false, false);
    };
    item.addEventListener("pointermove", moved);
    item.addEventListener("pointerup", put);
    item.addEventListener("pointercancel", cancelled);
    addEventListener("keydown", escaped, true);
  });

  /** What it would be, drawn where it would be. @param {Work} work @param {HTMLElement} row @param {import("./board.js").When} when @param {boolean} demand @param {string} hues */
  function shade(work, row, when, demand, hues) {
    const el = document.createElement("li");
    el.className = `slot slot-draft slot-ghost slot-${demand ? "on_demand" : "premiere"}`;
    el.style.cssText = `${hues};--lane-at:0`;
    el.innerHTML = '<a><span class="slot-block"></span></a>';
    row.querySelector("[data-track]")?.append(el);
    const held = lifting.lift(
      el,
      { slug: null, kind: demand ? "on_demand" : "premiere", title: work.title, slots: [{ work: work.slug }] },
      when,
      { end: !demand },
    );
    return { el, held, row };
  }
}

