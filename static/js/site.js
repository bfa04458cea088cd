/**
 * What every page has: light or dark, filters that show their result at once, forms that ask before they do, times on
 * the reader's clock, clocks of cities, and works that are images. Everything works without this file as well.
 */

const pageLang = document.documentElement.lang || "en";

/** @param {Element} el @param {string} selector @returns {HTMLElement} */
function one(el, selector) {
  const found = el.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`site: no ${selector}`);
  return found;
}

/* Light or dark. `scheme.js` has set what was chosen earlier, before the first paint. */

const SCHEME = "showcase.scheme";

/** @param {HTMLElement} button */
function mountSchemeSwitch(button) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.scheme ? root.dataset.scheme === "dark" : system.matches);
  const show = () => button.setAttribute("aria-pressed", String(dark()));

  button.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    // What the system says anyway needs no memory: it then follows the system again.
    const own = (next === "dark") !== system.matches;
    if (own) root.dataset.scheme = next;
    else delete root.dataset.scheme;
    try {
      if (own) localStorage.setItem(SCHEME, next);
      else localStorage.removeItem(SCHEME);
    } catch {
      // No storage: it holds for this page.
    }
    show();
  });
  system.addEventListener("change", show);
  addEventListener("storage", (event) => {
    if (event.key !== SCHEME) return;
    if (event.newValue === "light" || event.newValue === "dark") root.dataset.scheme = event.newValue;
    else delete root.dataset.scheme;
    show();
  });
  show();
  button.hidden = false;
}

/* Filters: the choice is the request. The list is exchanged in place, so the focus stays on the choice. */

/** @param {HTMLFormElement} form */
function mountFilters(form) {
  let asking = new AbortController();

  form.addEventListener("change", async () => {
    const url = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, String(value));
    asking.abort();
    asking = new AbortController();
    const list = one(document.body, "[data-results]");
    list.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { signal: asking.signal });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...one(page.body, "[data-results]").childNodes);
      const said = form.querySelector("[role=status]");
      const saying = page.querySelector("[data-filters] [role=status]");
      if (said && saying) said.textContent = saying.textContent;
      for (const link of document.querySelectorAll(".bar-lang")) {
        const other = page.querySelector(".bar-lang")?.getAttribute("href");
        if (other) link.setAttribute("href", other);
      }
      history.pushState(null, "", url);
      mountIn(list);
      list.removeAttribute("aria-busy");
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") location.assign(url);
    }
  });
  addEventListener("popstate", () => location.reload());
  for (const button of form.querySelectorAll("button")) button.hidden = true;
}

/* Forms that do what cannot be undone ask first. A script may put such forms on the page at any time. */

/** @param {HTMLDialogElement} dialog */
function mountAsk(dialog) {
  const yes = /** @type {HTMLButtonElement} */ (one(dialog, "[data-yes]"));
  /** @type {{form: HTMLFormElement, by: HTMLElement | null} | null} */
  let asked = null;
  /** @type {HTMLFormElement | null} */
  let agreed = null;

  document.addEventListener(
    "submit",
    (event) => {
      const form = /** @type {HTMLFormElement} */ (event.target);
      if (!form.dataset.confirm) return;
      if (form === agreed) {
        agreed = null;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      asked = { form, by: event.submitter };
      one(dialog, "#ask-question").textContent = form.dataset.confirm;
      yes.textContent = event.submitter?.textContent ?? "";
      dialog.returnValue = "";
      dialog.showModal();
    },
    { capture: true },
  );
  dialog.addEventListener("close", () => {
    const { form, by } = asked ?? {};
    asked = null;
    if (!form || dialog.returnValue !== "yes") return;
    agreed = form;
    form.requestSubmit(by);
  });
}

/* Times: on the reader's clock, and on those of cities. */

/** @param {HTMLTimeElement} time */
function mountLocal(time) {
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  time.title ||= time.textContent?.trim() ?? "";
  time.textContent = new Intl.DateTimeFormat(british(pageLang), {
    year: "numeric",
    month: "long",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  }).format(moment);
}

/**
 * The same moment, or span of time (`start/end`, ISO 8601), on the reader's clock, unless that shows just what stands
 * there for the zone already.
 * @param {HTMLElement} own
 */
function mountForYou(own) {
  const moments = (own.dataset.forYou ?? "").split("/").map((text) => new Date(text));
  const time = own.querySelector("time");
  const [starts, ends = starts] = moments;
  if (!time || !starts || moments.some((m) => Number.isNaN(m.getTime()))) return;
  const style = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });
  const said = new Intl.DateTimeFormat(british(pageLang), style).formatRange(starts, ends);
  try {
    const there = new Intl.DateTimeFormat(british(pageLang), { ...style, timeZone: own.dataset.zone });
    if (own.dataset.zone && there.formatRange(starts, ends) === said) return;
  } catch {
    // A zone this browser does not know is another one than the reader's.
  }
  time.dateTime = starts.toISOString();
  time.textContent = said;
  own.hidden = false;
}

/** @param {HTMLTimeElement[]} times */
function mountClocks(times) {
  const clocks = times.flatMap((time) => {
    const of = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: time.dataset.clock };
    try {
      return [{ time, format: new Intl.DateTimeFormat(british(pageLang), /** @type {Intl.DateTimeFormatOptions} */ (of)) }];
    } catch {
      // A zone this browser does not know: the server's time stays.
      return [];
    }
  });
  if (!clocks.length) return;
  let timer = 0;

  function tick() {
    clearTimeout(timer);
    if (document.hidden) return;
    const now = new Date();
    for (const { time, format } of clocks) {
      const text = format.format(now);
      if (time.textContent === text) continue;
      time.textContent = text;
      time.dateTime = now.toISOString();
    }
    timer = setTimeout(tick, 60_000 - (now.getTime() % 60_000) + 20);
  }

  document.addEventListener("visibilitychange", tick);
  tick();
}

/* Works that are images: the poster stands there until the work itself has come. */

/** @typedef {{url: string, type: string, width: number, height: number}} Image */

/** From the best to the one that every browser shows. */
const TYPES = ["image/avif", "image/webp", "image/jpeg", "image/png"];

/** @param {HTMLElement} frame */
async function mountImage(frame) {
  const still = frame.querySelector("img");
  const screening = frame.dataset.code;
  const given = screening ? (await import("./player/code.js")).code(screening) : "";
  // A closed screening: each time counts, so it is asked for when there is a code, and again with another one.
  if (screening) {
    const typed = (/** @type {Event} */ event) => {
      if (/** @type {CustomEvent} */ (event).detail === screening) void mountImage(frame);
    };
    document.addEventListener("showcase-code", typed, { once: true });
    if (!given) return;
  }
  for (const words of frame.querySelectorAll(".exhibit-words[role=status]")) words.remove();
  try {
    const answer = await fetch(frame.dataset.playUrl ?? "", {
      method: "POST",
      headers: {
        Accept: "application/json",
        "Accept-Language": pageLang,
        "Content-Type": "application/json",
        "X-Requested-With": "showcase",
      },
      body: JSON.stringify(given ? { code: given } : {}),
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) return say(frame, said.detail ?? "");
    const picture = pictureOf(said.images ?? [], still?.alt ?? "");
    if (!picture) return;
    const image = one(picture, "img");
    // In the page, yet unseen, so that its sizes are those of the place; exchanged when it can be drawn.
    picture.hidden = true;
    frame.append(picture);
    await /** @type {HTMLImageElement} */ (image).decode();
    still?.remove();
    picture.hidden = false;
  } catch (error) {
    console.warn("image: %s", error);
    for (const picture of frame.querySelectorAll("picture[hidden]")) picture.remove();
  }
}

/**
 * @param {Image[]} images
 * @param {string} alt
 * @returns {HTMLPictureElement | null}
 */
function pictureOf(images, alt) {
  const types = TYPES.filter((type) => images.some((image) => image.type === type));
  const last = types.at(-1);
  if (!last) return null;
  const picture = document.createElement("picture");
  const of = (/** @type {string} */ type) => images.filter((i) => i.type === type).sort((a, b) => a.width - b.width);
  const { width, height } = of(last)[of(last).length - 1];
  // As wide as the window, unless its height stops the picture before.
  const sizes = `min(100vw, ${Math.round((88 * width) / height)}vh)`;
  const srcset = (/** @type {string} */ type) => of(type).map((i) => `${i.url} ${i.width}w`).join(", ");
  for (const type of types.slice(0, -1)) {
    picture.append(Object.assign(document.createElement("source"), { type, sizes, srcset: srcset(type) }));
  }
  picture.append(Object.assign(document.createElement("img"), { alt, width, height, sizes, srcset: srcset(last) }));
  return picture;
}

/** @param {HTMLElement} frame @param {string} text */
function say(frame, text) {
  if (!text) return;
  const words = Object.assign(document.createElement("p"), { className: "exhibit-words", textContent: text });
  words.setAttribute("role", "status");
  frame.append(words);
}

/** What may also come later with a new list. @param {ParentNode} root */
function mountIn(root) {
  for (const el of root.querySelectorAll("[data-local]")) mountLocal(/** @type {HTMLTimeElement} */ (el));
  for (const el of root.querySelectorAll("[data-for-you]")) mountForYou(/** @type {HTMLElement} */ (el));
}

for (const el of document.querySelectorAll("[data-scheme-switch]")) mountSchemeSwitch(/** @type {HTMLElement} */ (el));
for (const el of document.querySelectorAll("[data-filters]")) mountFilters(/** @type {HTMLFormElement} */ (el));
for (const el of document.querySelectorAll("[data-ask]")) mountAsk(/** @type {HTMLDialogElement} */ (el));
for (const el of document.querySelectorAll("[data-image]")) mountImage(/** @type {HTMLElement} */ (el));
mountClocks([.../** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll("[data-clock]"))]);
mountIn(document);

/** Typing a date means it: the choice that the date belongs to is chosen with it. */
for (const row of document.querySelectorAll("[data-picks]")) {
  row.addEventListener("input", (event) => {
    const choice = document.getElementById(/** @type {HTMLElement} */ (row).dataset.picks ?? "");
    const typed = /** @type {HTMLInputElement} */ (event.target);
    if (choice instanceof HTMLInputElement && typed.type === "datetime-local" && typed.value) choice.checked = true;
  });
}

/** Dates as the rest of the page writes them: 22 November 2026, 24-hour clocks. @param {string} lang */
function british(lang) {
  return lang === "en" ? "en-GB" : lang;
}
