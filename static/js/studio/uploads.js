/**
 * Uploads by tus (https://tus.io/protocols/resumable-upload): two at a time, each for as long as it takes.
 *
 * What goes wrong on the way is tried again until it works; what the server refuses is said at the file. The addresses of
 * unfinished uploads are kept by tus-js-client, and the server lists them too: the same file goes on in any browser.
 */

import { figures, Speed } from "./figures.js";
import { languageOf, needsLanguage, roleOf, tag } from "./roles.js";

const AT_ONCE = 2;
// The server looks at the first bytes of a file when a request ends: let it say early that it does not want the rest.
const FIRST_BYTES = 64 * 1024;
// A proxy that keeps requests back until they are whole loses one of these when a line breaks, not the film.
const CHUNK_BYTES = 64 * 1024 * 1024;
const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15000];
const STALLED_MS = 30_000;
const LOOK_MS = 2000;
const SHOW_MS = 250;
/** What may go better by itself: the line, the server, a lock that a dead connection still holds, a changed byte. */
const PASSING = new Set([0, 408, 409, 423, 425, 429, 460]);
const GONE = new Set([403, 404, 410]);
const HEADERS = { "X-Requested-With": "showcase", "Accept-Language": document.documentElement.lang || "en" };

/**
 * @typedef {"asking" | "waiting" | "sending" | "retrying" | "paused" | "failed" | "done"} State
 *
 * @typedef {object} Item
 * @property {File} file
 * @property {string} role
 * @property {string} lang
 * @property {State} state
 * @property {HTMLElement} row
 * @property {any} upload the tus.Upload, once it began
 * @property {string | null} url
 * @property {boolean} known whether the server has confirmed `url` in this page
 * @property {number} sent bytes
 * @property {number} moved when `sent` last grew
 * @property {number} failures in a row
 * @property {number | undefined} timer of the next try
 * @property {Speed} speed
 * @property {string} why what stands in the way, in words
 *
 * @typedef {object} Parts
 * @property {Record<string, any>} strings
 * @property {(sentence: string) => void} say
 * @property {() => Promise<void>} refresh show what the server knows
 */

/** @param {HTMLElement} root `[data-studio]` @param {Parts} parts */
export function uploads(root, { strings, say, refresh }) {
  const { tus } = /** @type {any} */ (window);
  const list = one(root, "[data-uploads]");
  const roles = /** @type {HTMLSelectElement} */ (one(root, "[data-upload-role]"));
  const language = /** @type {HTMLInputElement} */ (one(root, "[data-upload-lang]"));
  const complaint = one(root, "[data-upload-lang-error]");
  const input = /** @type {HTMLInputElement} */ (one(root, "[data-upload-files]"));
  const blank = /** @type {HTMLTemplateElement} */ (root.querySelector("template[data-upload-row]"));
  const { slug = "", max = "" } = root.dataset;
  const { size, left } = figures(HEADERS["Accept-Language"], strings.units);
  /** @type {Item[]} */
  let items = [];

  // --- taking files ---------------------------------------------------------------------------------------------

  /** @param {File[]} files @param {string[]} [folders] names */
  function take(files, folders = []) {
    for (const name of folders) refuse(made(new File([], name), "work", ""), fill(strings.folder, { name }));
    const typed = language.value.trim();
    for (const file of files) {
      const going = items.find((item) => print(item.file) === print(file) && !["failed", "done"].includes(item.state));
      if (going) {
        // Chosen again: that is how the page says an upload goes on.
        if (going.state === "paused" || going.state === "retrying") resume(going);
        continue;
      }
      const role = roleOf(file.name, roles.value);
      const item = made(file, role, (typed && tag(typed)) || (typed ? typed : role === "captions" ? languageOf(file.name) : ""));
      if (file.size === 0) refuse(item, fill(strings.empty, { name: file.name }));
      else if (file.size > Number(max)) refuse(item, fill(strings.tooLarge, { name: file.name, limit: size(Number(max)) }));
      else if (needsLanguage(role) && !tag(item.lang)) set(item, "asking");
      else {
        set(item, "waiting");
        say(fill(strings.uploading, { name: file.name }));
      }
    }
    // The next file may be in another language: better asked again than wrongly said.
    if (items.some((item) => item.state === "waiting" && item.lang === tag(typed || "-"))) language.value = "";
    ask();
    next();
  }

  /** Ask for the language where one is needed. */
  function ask() {
    const asking = items.find((item) => item.state === "asking");
    if (!asking) return complain("");
    complain(language.value.trim() ? strings.noLanguage : strings.languagesNeeded[asking.role]);
    language.focus();
  }

  /** @param {string} text */
  function complain(text) {
    complaint.textContent = text;
    if (text) language.setAttribute("aria-invalid", "true");
    else language.removeAttribute("aria-invalid");
    one(root, "[data-upload-lang-field]").classList.toggle("field-bad", Boolean(text));
    if (text) say(text);
  }

  function answered() {
    const asking = items.filter((item) => item.state === "asking");
    if (!asking.length) return complain("");
    const lang = tag(language.value);
    if (!lang || !language.value.trim()) return ask();
    complain("");
    language.value = "";
    for (const item of asking) {
      item.lang = lang;
      set(item, "waiting");
      say(fill(strings.uploading, { name: item.file.name }));
    }
    next();
  }

  // --- an upload and its row ------------------------------------------------------------------------------------

  /** @param {File} file @param {string} role @param {string} lang @returns {Item} */
  function made(file, role, lang) {
    const row = /** @type {HTMLElement} */ (blank.content.firstElementChild?.cloneNode(true));
    /** @type {Item} */
    const item = {
      file, role, lang, row,
      state: "waiting", upload: null, url: null, known: false, sent: 0, moved: 0, failures: 0, timer: undefined,
      speed: new Speed(), why: "",
    };
    one(row, "[data-upload-name]").textContent = file.name;
    const bar = one(row, "progress");
    bar.setAttribute("aria-label", fill(strings.uploading, { name: file.name }));
    one(row, "[data-upload-hold]").addEventListener("click", () => {
      if (item.state === "failed") retry(item);
      else if (item.state === "paused") resume(item);
      else pause(item);
    });
    one(row, "[data-upload-cancel]").addEventListener("click", () => void cancel(item));
    items.push(item);
    list.append(row);
    return item;
  }

  /** @param {Item} item @param {State} state @param {string} [why] */
  function set(item, state, why = "") {
    clearTimeout(item.timer);
    item.state = state;
    item.why = why;
    item.row.dataset.state = state;
    if (state !== "sending") item.speed.forget();
    show(item);
  }

  /** @param {Item} item */
  function show(item) {
    const { row, file, state, sent } = item;
    const bar = /** @type {HTMLProgressElement} */ (one(row, "progress"));
    bar.value = file.size ? sent / file.size : 0;
    bar.hidden = state === "failed" || state === "asking";
    const said = words(item);
    write(one(row, "[data-upload-said]"), said);
    one(row, "[data-upload-dot]").hidden = !said;
    write(one(row, "[data-upload-error]"), state === "failed" ? item.why : "");
    const [hold, stop] = [one(row, "[data-upload-hold]"), one(row, "[data-upload-cancel]")];
    // One button with two meanings: it keeps the focus when it changes.
    hold.hidden = state === "asking" || state === "done" || (state === "failed" && !file.size);
    label(hold, state === "failed" ? strings.again : state === "paused" ? strings.resume : strings.pause, file.name);
    label(stop, state === "failed" ? strings.dismiss : strings.cancel, file.name);
    stop.hidden = state === "done";
  }

  /** @param {Item} item */
  function words({ state, sent, file, speed, why }) {
    const done = size(sent), all = size(file.size);
    if (state === "paused") return fill(strings.paused, { done, all });
    if (state === "retrying") return why || strings.retrying;
    if (state !== "sending") return state === "failed" ? "" : strings.waiting;
    const pace = speed.value;
    const seconds = pace > 0 ? (file.size - sent) / pace : Infinity;
    const told = Number.isFinite(seconds) && sent < file.size ? fill(strings.speed, { speed: size(pace), left: left(seconds) }) : "";
    return [fill(strings.of, { done, all }), told].filter(Boolean).join(" · ");
  }

  /** @param {Item} item @param {string} why */
  function refuse(item, why) {
    set(item, "failed", why);
    say(why);
  }

  /** @param {Item} item */
  function remove(item) {
    const held = item.row.contains(document.activeElement);
    const beside = /** @type {HTMLElement | null} */ (item.row.nextElementSibling ?? item.row.previousElementSibling);
    clearTimeout(item.timer);
    items = items.filter((other) => other !== item);
    item.row.remove();
    if (held) (/** @type {HTMLElement | null} */ (beside?.querySelector("button:not([hidden])")) ?? input).focus({ preventScroll: true });
  }

  // --- going, pausing, stopping ---------------------------------------------------------------------------------

  function next() {
    const busy = items.filter((item) => item.state === "sending" || item.state === "retrying").length;
    const free = items.filter((item) => item.state === "waiting").slice(0, Math.max(0, AT_ONCE - busy));
    for (const item of free) void send(item);
  }

  /** @param {Item} item */
  async function send(item) {
    set(item, "sending");
    item.moved = performance.now();
    if (!item.url) {
      const upload = prepared(item);
      // When the answer to an earlier announcement was lost, the server lists an upload that this page does not know.
      if (item.upload) await refresh();
      item.upload = upload;
      const url = await begun(item, upload);
      // Paused, cancelled or pushed meanwhile: then somebody else starts it, or nobody.
      if (item.state !== "sending" || item.upload !== upload || !items.includes(item)) return;
      item.url = url;
      if (url) adopt(item, upload);
    }
    item.upload.start();
  }

  /** @param {Item} item the upload of which is at `item.url` @param {any} upload */
  function adopt(item, upload) {
    upload.url = item.url;
    // Without an endpoint tus-js-client does not begin anew when a proxy answers for a server that restarts.
    upload.options.endpoint = null;
    list.querySelector(`[data-unfinished="${CSS.escape(id(item.url))}"]`)?.remove();
  }

  /** @param {Item} item */
  function prepared(item) {
    const { file, role, lang } = item;
    /** Answers of an upload that was given up do not count. @param {(...given: any[]) => void} act */
    const mine = (act) => (/** @type {any[]} */ ...given) => {
      if (item.upload === upload && item.state === "sending") act(...given);
    };
    const upload = new tus.Upload(file, {
      endpoint: "/uploads",
      headers: HEADERS,
      metadata: {
        filename: file.name,
        filetype: file.type || "application/octet-stream",
        work: slug,
        role,
        ...(lang ? { lang } : {}),
        modified: String(file.lastModified),
      },
      // The pauses between the tries are made here: they go on without end, and end at once when the line is back.
      retryDelays: [],
      chunkSize: FIRST_BYTES,
      removeFingerprintOnSuccess: true,
      fingerprint: async () => `showcase ${slug} ${print(file)}`,
      onUploadUrlAvailable: mine(() => {
        item.url = upload.url;
        item.known = true;
        adopt(item, upload);
      }),
      onChunkComplete: mine(() => {
        upload.options.chunkSize = CHUNK_BYTES;
      }),
      onProgress: mine((sent) => progress(item, sent)),
      onSuccess: mine(() => void succeed(item)),
      onError: mine((error) => void fail(item, error)),
    });
    return upload;
  }

  /** Where this file's upload was begun earlier, if it was. @param {Item} item @param {any} upload */
  async function begun(item, upload) {
    const previous = await upload.findPreviousUploads().catch(() => []);
    previous.sort((/** @type {any} */ a, /** @type {any} */ b) => Date.parse(b.creationTime) - Date.parse(a.creationTime));
    for (const one of previous) {
      if (!one.uploadUrl || owns(id(one.uploadUrl))) continue;
      upload.resumeFromPreviousUpload(one);
      return one.uploadUrl;
    }
    for (const one of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[data-unfinished][data-own]"))) {
      const url = `/uploads/${one.dataset.unfinished}`;
      if (Number(one.dataset.size) === item.file.size && !owns(id(url)) && (await isOf(url, item.file))) return url;
    }
    return null;
  }

  /** @param {Item} item @param {number} sent */
  function progress(item, sent) {
    const now = performance.now();
    if (sent > item.sent) {
      item.moved = now;
      item.failures = 0;
    }
    item.sent = sent;
    item.speed.see(now, sent);
    shown(item, now);
  }

  let showed = 0;
  /** @param {Item} item @param {number} now */
  function shown(item, now) {
    if (now - showed < SHOW_MS && item.sent < item.file.size) return;
    showed = now;
    show(item);
  }

  /** @param {Item} item */
  async function succeed(item) {
    item.sent = item.file.size;
    set(item, "done");
    say(fill(strings.uploaded, { name: item.file.name }));
    next();
    await refresh();
    settle();
  }

  /** Rows of what is among the files by now go. */
  function settle() {
    for (const item of items.filter((one) => one.state === "done")) {
      const there = root.querySelector(`[data-asset="${CSS.escape(id(item.url))}"]`);
      if (!there) continue;
      const held = item.row.contains(document.activeElement);
      remove(item);
      if (held) /** @type {HTMLElement | null} */ (there.querySelector("button, a"))?.focus({ preventScroll: true });
    }
  }

  /** @param {Item} item @param {any} error */
  async function fail(item, error) {
    const status = error.originalResponse?.getStatus() ?? 0;
    if (GONE.has(status) && item.url && !item.known) {
      // Begun earlier and forgotten by the server since, or somebody else's: from the start then.
      item.upload = null;
      item.url = null;
      return void send(item);
    }
    let why = detail(error.originalResponse?.getBody() ?? "");
    if (PASSING.has(status) || status >= 500) {
      const again = Number(error.originalResponse?.getHeader("Retry-After")) * 1000 || RETRY_MS[Math.min(item.failures, RETRY_MS.length - 1)];
      // A lock or another offset is between programs; the first time there is nothing to say.
      const quiet = status === 409 || status === 423;
      return later(item, again, quiet ? "" : why);
    }
    set(item, "failed");
    if (!why) why = GONE.has(status) && item.url ? strings.gone : await asked(slug);
    refuse(item, fill(strings.failed, { name: item.file.name, why }));
    // The server may have thrown it away: another try begins at the start, or where `begun` finds it.
    item.upload = null;
    item.url = null;
    item.known = false;
    item.sent = 0;
    next();
    void refresh();
  }

  /** @param {Item} item @param {number} ms @param {string} why */
  function later(item, ms, why) {
    if (item.failures === 0) say(fill(strings.said, { name: item.file.name, state: why || strings.retrying }));
    item.failures += 1;
    set(item, "retrying", why);
    item.timer = window.setTimeout(() => void send(item), ms);
  }

  /** @param {Item} item */
  function pause(item) {
    void item.upload?.abort();
    set(item, "paused");
    next();
  }

  /** @param {Item} item */
  function resume(item) {
    if (item.state === "retrying") return void send(item);
    set(item, "waiting");
    next();
  }

  /** @param {Item} item */
  function retry(item) {
    if (item.file.size > Number(max) || !item.file.size) return;
    // What was refused may have been the language: what stands in the field now counts.
    if (needsLanguage(item.role) && language.value.trim()) item.lang = tag(language.value) ?? "";
    if (needsLanguage(item.role) && !tag(item.lang)) {
      set(item, "asking");
      return ask();
    }
    set(item, "waiting");
    next();
  }

  /** @param {Item} item */
  async function cancel(item) {
    const { upload, state } = item;
    remove(item);
    ask();
    next();
    if (!upload || state === "failed") return;
    item.state = "failed";
    // The address is forgotten here even when the server cannot be told now; it lists the upload until it expires.
    await upload.abort(true).catch(() => {});
    await refresh();
  }

  /** Try again what waits for a better moment. */
  function wake() {
    for (const item of items) {
      if (item.state === "retrying") void send(item);
      // What was sent on the line before may hang without an end: a moment's patience, not the usual.
      if (item.state === "sending") item.moved = Math.min(item.moved, performance.now() - STALLED_MS + 3000);
    }
  }

  // A line that vanished (a closed lid, another network) does not always break: whoever hears nothing starts again.
  setInterval(() => {
    for (const item of items) {
      if (item.state !== "sending" || item.sent >= item.file.size || performance.now() - item.moved < STALLED_MS) continue;
      void item.upload?.abort();
      later(item, 0, "");
    }
  }, LOOK_MS);
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  addEventListener("beforeunload", (event) => {
    if (items.some((item) => ["sending", "waiting", "retrying"].includes(item.state))) {
      event.preventDefault();
      // What older browsers need to ask.
      event.returnValue = strings.leave;
    }
  });

  /** @param {string} upload */
  function owns(upload) {
    return items.some((item) => item.url !== null && id(item.url) === upload && item.state !== "failed");
  }

  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    take(files);
  });
  language.addEventListener("change", answered);
  language.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), answered()));
  list.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-give-up]");
    const row = button && /** @type {HTMLElement | null} */ (button.closest("[data-unfinished]"));
    if (!row) return;
    await tus.Upload.terminate(`/uploads/${row.dataset.unfinished}`, { headers: HEADERS, retryDelays: [] }).catch(() => {});
    input.focus({ preventScroll: true });
    await refresh();
  });
  reveal();

  /** What only a page with JavaScript can do. */
  function reveal() {
    for (const acts of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[data-unfinished-acts]"))) acts.hidden = false;
  }

  return {
    take,
    owns,
    refreshed() {
      reveal();
      settle();
    },
  };
}

/** A file, as far as a page can know it again. @param {File} file */
function print(file) {
  return [file.name, file.size, file.lastModified].join(" ");
}

/** @param {string | null} url */
function id(url) {
  return url?.split("/").pop() ?? "";
}

/** Whether the upload at `url` was begun with this file. @param {string} url @param {File} file */
async function isOf(url, file) {
  try {
    const answer = await fetch(url, { method: "HEAD", headers: { ...HEADERS, "Tus-Resumable": "1.0.0" } });
    if (!answer.ok) return false;
    const pairs = (answer.headers.get("Upload-Metadata") ?? "").split(",").map((pair) => pair.trim().split(" "));
    const metadata = Object.fromEntries(pairs.map(([key, value = ""]) => [key, text(value)]));
    // Other programs do not say when a file was changed.
    return metadata.filename === file.name && ["", String(file.lastModified)].includes(metadata.modified ?? "");
  } catch {
    return false;
  }
}

/** @param {string} base64 of UTF-8 */
function text(base64) {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
}

/** What a problem (RFC 9457) says. @param {string} body */
function detail(body) {
  try {
    const { detail = "", errors = [] } = JSON.parse(body);
    return errors[0]?.detail ?? detail;
  } catch {
    return "";
  }
}

/** Why an answer without words (to HEAD) was none: the work itself is refused for the same reason. @param {string} slug */
async function asked(slug) {
  try {
    const answer = await fetch(`/api/v1/works/${slug}`, { headers: HEADERS });
    return answer.ok ? "" : detail(await answer.text());
  } catch {
    return "";
  }
}

/** @param {HTMLElement} el @param {string} text */
function write(el, text) {
  if (el.textContent !== text) el.textContent = text;
  el.hidden = !text;
}

/** A button's text, with the file's name for those who do not see what it stands beside. */
/** @param {HTMLElement} button @param {string} text @param {string} name */
function label(button, text, name) {
  if (button.firstChild?.textContent === text) return;
  const hidden = Object.assign(document.createElement("span"), { className: "player-hidden", textContent: ` ${name}` });
  button.replaceChildren(text, hidden);
}

/** @param {string} text @param {Record<string, string>} values */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
function one(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`studio: no ${selector}`);
  return found;
}
