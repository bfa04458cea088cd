/**
 * The files of a work while they change: each event of the server is shown where it belongs, and when a file comes, goes
 * or turns, the page is fetched again and what is not being typed in is taken over from it.
 */

import { line } from "../line.js";

/**
 * @typedef {object} AssetEvent an asset as GET /api/v1/works/{slug} shows it
 * @property {string} id
 * @property {string} filename
 * @property {string} state
 * @property {string} stage
 * @property {number} progress
 * @property {boolean} taken
 * @property {boolean} playable
 * @property {{name: string, height: number}[]} renditions
 *
 * @typedef {object} Parts
 * @property {Record<string, any>} strings
 * @property {(sentence: string) => void} say
 * @property {{update: (next: HTMLElement, find: (asset: string) => {rungs: number} | null) => void} | null} preview
 * @property {(upload: string) => boolean} owns whether an upload goes on in this page, and needs no line from the server
 * @property {() => void} refreshed called when the lists are new
 */

/** @param {HTMLElement} root `[data-studio]` @param {Parts} parts */
export function files(root, { strings, say, preview, owns, refreshed }) {
  const here = root.dataset.here ?? location.pathname;
  const list = one(root, "[data-files]");
  /** The server's markup of each file: what it shows by itself is not compared with what was made of it here. */
  /** @type {WeakMap<Element, string>} */
  const pristine = new WeakMap();
  for (const item of list.querySelectorAll("[data-asset]")) pristine.set(item, item.outerHTML);
  /** The state that was last said of a file. @type {Map<string, string>} */
  const states = new Map();
  for (const item of items()) states.set(item.dataset.asset ?? "", item.dataset.fileState ?? "");

  /** @type {Promise<void> | null} */
  let refreshing = null;
  let again = false;

  function items() {
    return /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[data-asset]")]);
  }

  /** @param {string} id @returns {HTMLElement | null} */
  function item(id) {
    return list.querySelector(`[data-asset="${CSS.escape(id)}"]`);
  }

  /** Take over what the server shows by now. Calls that come while one is under way become one more. */
  function refresh() {
    if (refreshing) {
      again = true;
      return refreshing;
    }
    refreshing = (async () => {
      do {
        again = false;
        const page = await fetched(here);
        if (page) apply(page);
      } while (again);
    })().finally(() => (refreshing = null));
    return refreshing;
  }

  /** @param {ParentNode} page */
  function apply(page) {
    const held = anchor(root, list);
    if (typing(list)) {
      list.addEventListener("focusout", () => void refresh(), { once: true });
    } else {
      const newer = page.querySelector("[data-files]");
      if (newer) takeFiles(newer);
    }
    takeUnfinished(page);
    for (const hook of ["[data-checklist]", "[data-kept]", "[data-missing]", "[data-state]"]) {
      const [now, next] = [root.querySelector(hook), page.querySelector(hook)];
      if (now && next && now.innerHTML !== next.innerHTML) takeOver(now, next);
    }
    const place = page.querySelector("[data-preview-place]");
    if (place instanceof HTMLElement) {
      preview?.update(place, (id) => {
        const found = item(id);
        return found && { rungs: found.querySelectorAll("[data-rungs] li").length };
      });
    }
    held();
    for (const one of items()) announce(one.dataset.asset ?? "", one.dataset.fileState ?? "", name(one));
    refreshed();
  }

  /** @param {Element} newer */
  function takeFiles(newer) {
    let same = true;
    const before = items().map((one) => one.dataset.asset);
    const next = /** @type {HTMLElement[]} */ ([...newer.querySelectorAll("[data-asset]")]);
    if (before.join() !== next.map((one) => one.dataset.asset).join()) same = false;
    const focused = focus(list);
    for (const one of next) {
      const markup = one.outerHTML;
      const known = item(one.dataset.asset ?? "");
      if (known && pristine.get(known) === markup) continue;
      same = false;
      pristine.set(one, markup);
      if (known) carry(known, one);
    }
    if (same) return;
    for (const one of next) {
      const known = item(one.dataset.asset ?? "");
      if (known && !pristine.has(one)) one.replaceWith(known);
    }
    list.replaceChildren(...newer.childNodes);
    focused();
  }

  /** @param {ParentNode} page */
  function takeUnfinished(page) {
    const uploads = root.querySelector("[data-uploads]");
    if (!uploads) return;
    const next = /** @type {HTMLElement[]} */ ([...page.querySelectorAll("[data-unfinished]")]);
    const wanted = new Map(next.filter((one) => !owns(one.dataset.unfinished ?? "")).map((o) => [o.dataset.unfinished, o]));
    for (const now of /** @type {NodeListOf<HTMLElement>} */ (uploads.querySelectorAll("[data-unfinished]"))) {
      const newer = wanted.get(now.dataset.unfinished);
      if (!newer) now.remove();
      else {
        const [bar, its] = [now.querySelector("progress"), newer.querySelector("progress")];
        if (bar && its) bar.value = its.value;
        const [text, words] = [now.querySelector("p"), newer.querySelector("p")];
        if (text && words) text.replaceChildren(...words.childNodes);
      }
      wanted.delete(now.dataset.unfinished);
    }
    uploads.append(...wanted.values());
  }

  /** @param {AssetEvent} asset */
  function show(asset) {
    const found = item(asset.id);
    announce(asset.id, asset.state, asset.filename);
    if (!found) return void refresh();
    const rungs = asset.renditions.map((r) => `${r.name.slice(1)}p`);
    const chips = found.querySelector("[data-rungs]");
    const first = rungs.length > 0 && chips?.childElementCount === 0;
    if (chips && [...chips.children].map((c) => c.textContent).join() !== rungs.join()) {
      chips.replaceChildren(...rungs.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    }
    const bar = /** @type {HTMLProgressElement | null} */ (found.querySelector("[data-progress]"));
    if (bar) bar.value = asset.progress;
    const said = found.querySelector("[data-file-said]");
    const state = strings.states[asset.state] ?? asset.state;
    const stage = strings.stages[asset.stage] ?? (/^v\d/.test(asset.stage) ? strings.stages.v : "");
    const words = asset.state === "processing" && stage ? `${state}: ${stage}` : state;
    if (said && said.textContent !== words) said.textContent = words;
    const turned = found.dataset.fileState !== asset.state || found.classList.contains("file-taken") !== asset.taken;
    if (turned || first || (asset.playable && !root.querySelector("[data-preview-place] [data-player]"))) void refresh();
  }

  /** @param {string} id @param {string} state @param {string} filename */
  function announce(id, state, filename) {
    const before = states.get(id);
    states.set(id, state);
    if (before !== undefined && before !== state && ["ready", "failed"].includes(state)) {
      say(fill(strings.said, { name: filename, state: strings.states[state] ?? state }));
    }
  }

  function listen() {
    const again = () => void refresh();
    // Whatever happened while nobody listened, also since the page was made.
    line(root.dataset.events ?? "", { asset: (event) => show(JSON.parse(event.data)), work: again, removed: again }, { open: again });
  }

  /** What is done to a file is done without leaving the page: an upload may be under way, a text half written. */
  function act() {
    // On the window: whoever asks first whether it is meant has asked by then.
    addEventListener("submit", async (event) => {
      const form = event.target;
      if (event.defaultPrevented || !(form instanceof HTMLFormElement) || !form.closest("#files")) return;
      event.preventDefault();
      const error = form.closest("[data-asset]")?.querySelector("[data-file-error]");
      form.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(form.action, {
          method: "POST",
          body: new URLSearchParams(/** @type {any} */ (new FormData(form))),
          headers: { "X-Requested-With": "showcase", Accept: "application/problem+json" },
        });
        if (!answer.ok) {
          const { detail = "" } = await answer.json().catch(() => ({}));
          say(detail);
          if (error) error.textContent = detail;
          return;
        }
        say(strings.saved);
        for (const field of form.querySelectorAll("input")) field.defaultValue = field.value;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        // What was typed is sent: the field is no longer in the way of the newer list.
        if (typing(form)) form.querySelector("button")?.focus({ preventScroll: true });
        if (page.querySelector("[data-studio]")) apply(page);
      } catch {
        say(strings.unreachable);
        if (error) error.textContent = strings.unreachable;
      } finally {
        form.removeAttribute("aria-busy");
      }
    });
  }

  listen();
  act();
  return { refresh };
}

/** @param {string} address @returns {Promise<Document | null>} null when it cannot be had now */
async function fetched(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("[data-studio]") ? page : null;
  } catch {
    return null;
  }
}

/** @param {Element} now @param {Element} next */
function takeOver(now, next) {
  const focused = focus(/** @type {HTMLElement} */ (now));
  now.className = next.className;
  now.replaceChildren(...next.childNodes);
  focused();
}

/** Whether somebody is writing in there. @param {Element} place */
function typing(place) {
  const at = document.activeElement;
  return at instanceof HTMLInputElement && at.type !== "hidden" && place.contains(at);
}

/** What was opened or typed and not sent goes over. @param {HTMLElement} old @param {HTMLElement} newer */
function carry(old, newer) {
  const [before, after] = [old, newer].map((el) => [...el.querySelectorAll("details")]);
  before.forEach((one, n) => after[n] && (after[n].open = one.open));
  for (const input of old.querySelectorAll("input[id]")) {
    const its = newer.querySelector(`#${CSS.escape(input.id)}`);
    if (input instanceof HTMLInputElement && its instanceof HTMLInputElement && input.value !== input.defaultValue) {
      its.value = input.value;
    }
  }
}

/** Remember where the focus is; the function that comes back puts it there again. @param {HTMLElement} place */
function focus(place) {
  const at = document.activeElement;
  if (!(at instanceof HTMLElement) || !place.contains(at)) return () => {};
  const owner = at.closest("[data-asset]")?.getAttribute("data-asset");
  const action = at.closest("form")?.getAttribute("action");
  const [href, tagName] = [at.getAttribute("href"), at.tagName];
  return () => {
    if (document.activeElement === at) return;
    const within = (owner && place.querySelector(`[data-asset="${CSS.escape(owner)}"]`)) || place;
    const alike = /** @type {HTMLElement[]} */ ([...within.querySelectorAll(tagName)]);
    const found =
      (at.isConnected && at) ||
      alike.find((el) => (action && el.closest("form")?.getAttribute("action") === action) || (href && el.getAttribute("href") === href)) ||
      /** @type {HTMLElement | null} */ (within.querySelector("button, a, summary"));
    found?.focus({ preventScroll: true });
  };
}

/**
 * Hold what somebody looks at in its place when what is above it grows. Browsers with scroll anchoring do that themselves.
 * @param {HTMLElement} root @param {HTMLElement} list
 */
function anchor(root, list) {
  if (CSS.supports("overflow-anchor", "auto")) return () => {};
  const looked = [...root.querySelectorAll("section, [data-asset]")].find((el) => el.getBoundingClientRect().top >= 0 && !el.contains(list));
  const before = looked?.getBoundingClientRect().top ?? 0;
  return () => {
    if (looked?.isConnected) scrollBy(0, looked.getBoundingClientRect().top - before);
  };
}

/** @param {string} text @param {Record<string, string>} values */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** @param {HTMLElement} item */
function name(item) {
  return item.querySelector(".file-name b")?.textContent ?? "";
}

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
function one(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`studio: no ${selector}`);
  return found;
}
