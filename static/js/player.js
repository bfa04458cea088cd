/**
 * The player: one ES module for every `[data-player]` (see templates/parts/player.html).
 *
 * The page shows a still, content notes and a button; the stream, its engine and the controls are fetched in the
 * order in which they are needed, so that the picture moves soon on a slow line. A page that drives the player
 * itself (a premiere) calls `mount(el)` and uses what it returns.
 */

import { Access, Refusal } from "./player/access.js";
import * as memory from "./player/memory.js";
import { clock, fill, words } from "./player/words.js";

/** @typedef {import("./player/engine.js").Engine} Engine */

/**
 * @typedef {object} Player
 * @property {(options?: {from?: number, muted?: boolean}) => Promise<boolean>} play starts or goes on; false when it may
 *   not or cannot be watched now
 * @property {() => void} destroy
 * @property {HTMLVideoElement} video
 * @property {import("../vendor/hls/hls.mjs").default | null} hls null before the start and where the browser plays HLS
 * @property {() => Promise<void>} ask fetches the permission to watch ahead of its use, and says what stands against it
 * @property {Refusal | null} refused why it could not be watched when it was last asked for
 */

// What no button could change.
const FINAL = new Set(["withdrawn", "closed", "not-in-your-territory"]);
const PLAYABLE = new Set(["video", "audio", "360"]);
const RESUME_FROM_S = 10;
// Refusals that may be over in a moment.
export const PASSING = new Set(["not-open-yet", "not-ready", "full", ""]);
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
/** @type {WeakMap<Element, Player>} */
const mounted = new WeakMap();

/**
 * @param {HTMLElement} el an element with `data-player`
 * @returns {Player}
 */
export function mount(el) {
  const known = mounted.get(el);
  if (known) return known;
  const player = build(el);
  mounted.set(el, player);
  return player;
}

/** @param {HTMLElement} el @returns {Player} */
function build(el) {
  const { key = "", title = "", lang = "", medium = "video" } = el.dataset;
  const strings = words(el);
  const pageLang = /** @type {HTMLElement} */ (el.closest("[lang]"))?.lang || "en";
  const stage = one(el, "[data-screen]");
  const cover = one(el, "[data-cover]");
  const button = /** @type {HTMLButtonElement} */ (one(el, "[data-play]"));
  const again = /** @type {HTMLButtonElement} */ (one(el, "[data-start-over]"));
  const message = one(el, "[data-message]");
  const { controller, video } = frame(stage, { title, pageLang, medium, driven: el.hasAttribute("data-driven") });
  // With an access code each start counts: nothing is asked for before the button is pressed.
  const guarded = Boolean(el.dataset.code);
  const access = new Access(el.dataset.playUrl ?? "", pageLang, el.dataset.code);
  /** @type {Engine | null} */
  let engine = null;
  /** @type {Promise<Engine> | null} */
  let making = null;
  let destroyed = false;
  /** @type {Refusal | null} */
  let refused = null;
  // The page drives it: nothing starts by a click on the cover, nor ahead of its time.
  const driven = el.hasAttribute("data-driven");
  let resumeAt = driven ? 0 : memory.position(key);
  const leaving = new AbortController();
  const on = { signal: leaving.signal };

  if (resumeAt) {
    one(button, "[data-label]").textContent = fill(strings.resume, { time: clock(resumeAt) });
    again.hidden = false;
  }
  button.disabled = false;

  /** @param {"cover" | "loading" | "playing"} state */
  function show(state) {
    el.dataset.state = state;
    cover.hidden = state !== "cover";
    controller.hidden = state === "cover";
  }

  /** @param {string} text what happened and what happens next; empty takes it away @param {HTMLElement[]} actions */
  function say(text, ...actions) {
    // The same again would be read out again.
    if (text && !actions.length && message.textContent === text) return;
    message.replaceChildren(...(text ? [Object.assign(document.createElement("p"), { textContent: text })] : []), ...actions);
  }

  /** @param {string} text @param {() => void} act */
  function action(text, act) {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    made.className = "player-action";
    made.addEventListener("click", act);
    return made;
  }

  /** Everything before the first byte of sound and picture; done while the page is idle, or at the first sign of intent. */
  function prepare() {
    making ??= (async () => {
      const opening = access.open();
      opening.catch(() => {});
      const { Engine } = await import("./player/engine.js");
      await opening;
      if (destroyed) throw new Refusal({ detail: "" }, 0);
      engine = new Engine(video, access, { pageLang, workLang: lang });
      listen(engine);
      await engine.prepare();
      return engine;
    })();
    making.catch(() => {
      making = null;
    });
    return making;
  }

  /** @param {{from?: number, muted?: boolean}} [options] */
  async function play({ from, muted } = {}) {
    if (engine?.started) {
      if (from !== undefined) video.currentTime = from;
      return start();
    }
    show("loading");
    // While it is tried again and again by itself, what was said stays said.
    if (!driven || !refused) say("");
    if (muted) video.muted = true;
    refused = null;
    // Inside the gesture, for browsers that remember which element the person started.
    video.play().catch(() => {});
    if (!driven) video.focus({ preventScroll: true });
    for (let attempt = 0; !destroyed; attempt += 1) {
      try {
        const made = await prepare();
        if (access.stale) await access.renew();
        made.start(from ?? resumeAt ?? 0);
        break;
      } catch (error) {
        if (error instanceof Refusal) return refuse(error);
        console.warn("player: %s", error);
        say(strings.interrupted);
        await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
      }
    }
    say("");
    decorate();
    const started = await start();
    if (muted && video.muted) offerSound();
    return started;
  }

  /** It began without sound: captions instead, and a large button. */
  function offerSound() {
    engine?.captions.showForMuted();
    const unmute = action(strings.unmute, () => {
      video.muted = false;
      say("");
    });
    unmute.classList.add("player-unmute");
    say("", unmute);
    video.addEventListener("volumechange", () => !video.muted && unmute.remove(), on);
  }

  async function start() {
    try {
      await video.play();
    } catch (error) {
      // A new source ends the play() before it; the one after the source is there counts.
      if (error.name === "AbortError") return true;
      if (error.name !== "NotAllowedError") return false;
      video.muted = true;
      offerSound();
      await video.play().catch(() => {});
    }
    return true;
  }

  /** @param {Refusal} refusal @param {{quietly?: boolean}} [how] quietly: nobody has pressed anything yet */
  function refuse(refusal, { quietly = false } = {}) {
    refused = refusal;
    show("cover");
    const opens = refusal.opens ? new Intl.DateTimeFormat(british(pageLang), { dateStyle: "long", timeStyle: "short" }) : null;
    const when = opens ? " " + fill(strings.opens, { time: opens.format(new Date(refusal.opens ?? "")) }) : "";
    say((driven && refusal.code === "full" ? strings.full : refusal.detail || strings.refused) + when);
    // What is over for good offers no button that could not do anything.
    button.hidden = FINAL.has(refusal.code);
    if (driven || quietly) return false;
    const field = refusal.code.startsWith("code-") ? document.querySelector(`form[data-code="${el.dataset.code}"] input`) : null;
    (field instanceof HTMLElement ? field : button).focus({ preventScroll: !field });
    return false;
  }

  /** Controls come after the first picture: they are needed a moment later than it. */
  function decorate() {
    let asked = false;
    const ask = async () => {
      if (asked || destroyed) return;
      asked = true;
      const { dress } = await import("./player/controls.js");
      if (!destroyed && engine) dress(controller, engine, { strings, pageLang, title, medium, stage });
    };
    for (const event of ["loadeddata", "playing"]) video.addEventListener(event, ask, { once: true, ...on });
    setTimeout(ask, 3000);
    const peaks = access.current?.peaks;
    if (medium === "audio" && peaks) {
      import("./player/waveform.js").then(({ draw }) => draw(stage, video, peaks, leaving.signal)).catch(() => {});
    }
  }

  /** @param {Engine} made */
  function listen(made) {
    made.addEventListener("interrupted", () => say(strings.interrupted), on);
    made.addEventListener("restored", () => say(""), on);
    made.addEventListener("refused", (event) => refuse(/** @type {CustomEvent<Refusal>} */ (event).detail), on);
    made.addEventListener(
      "broken",
      () => say(strings.broken, action(strings.reload, () => location.reload())),
      on,
    );
  }

  if (!driven) button.addEventListener("click", () => void play(), on);
  again.addEventListener(
    "click",
    () => {
      resumeAt = 0;
      memory.forget(key);
      void play({ from: 0 });
    },
    on,
  );
  for (const intent of driven || guarded ? [] : ["pointerenter", "focusin", "touchstart"]) {
    cover.addEventListener(intent, () => void prepare().catch(() => {}), { once: true, passive: true, ...on });
  }
  video.addEventListener("playing", () => show("playing"), on);
  const remember = () => {
    if (!engine?.started || engine.live || !video.duration) return;
    if (video.currentTime < RESUME_FROM_S || video.duration - video.currentTime < RESUME_FROM_S) memory.forget(key);
    else memory.keep(key, video.currentTime);
  };
  let kept = 0;
  video.addEventListener(
    "timeupdate",
    () => {
      if (Math.abs(video.currentTime - kept) < 5) return;
      kept = video.currentTime;
      remember();
    },
    on,
  );
  for (const event of ["pause", "seeked", "ended"]) video.addEventListener(event, remember, on);
  addEventListener("pagehide", remember, on);
  if (guarded) document.addEventListener("showcase-code", (event) => /** @type {CustomEvent} */ (event).detail === el.dataset.code && say(""), on);
  // What is closed in this country is said before anybody tries.
  const early = (/** @type {unknown} */ error) => void (error instanceof Refusal && FINAL.has(error.code) && refuse(error, { quietly: true }));
  const saves = /** @type {any} */ (navigator).connection?.saveData;
  if (PLAYABLE.has(medium) && !driven && !guarded && !saves) idle(() => prepare().catch(early));
  show("cover");

  return {
    play,
    destroy() {
      destroyed = true;
      leaving.abort();
      engine?.destroy();
      access.close();
      controller.remove();
      show("cover");
      mounted.delete(el);
    },
    video,
    async ask() {
      try {
        await prepare();
      } catch (error) {
        if (error instanceof Refusal && !PASSING.has(error.code)) refuse(error);
      }
    },
    get refused() {
      return refused;
    },
    get hls() {
      return engine?.hls ?? null;
    },
  };
}

/**
 * The video in its (not yet upgraded) media-controller: moving a playing video in the document would stop it.
 * @param {HTMLElement} stage
 * @param {{title: string, pageLang: string, medium: string, driven: boolean}} options
 */
function frame(stage, { title, pageLang, medium, driven }) {
  const controller = document.createElement("media-controller");
  controller.lang = pageLang;
  controller.setAttribute("nomutedpref", "");
  controller.setAttribute("nosubtitleslangpref", "");
  controller.setAttribute("hotkeys", "noshift+/");
  if (medium === "audio") controller.setAttribute("autohide", "-1");
  // In step with others there is no going back and forth.
  if (driven) controller.setAttribute("hotkeys", "noshift+/ noarrowleft noarrowright");
  const video = document.createElement("video");
  video.slot = "media";
  video.playsInline = true;
  video.preload = "none";
  video.tabIndex = -1;
  if (title) video.setAttribute("aria-label", title);
  controller.append(video);
  stage.prepend(controller);
  return { controller, video };
}

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
function one(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`player: no ${selector}`);
  return found;
}

/** @param {() => void} act */
function idle(act) {
  const later = () => (window.requestIdleCallback ? requestIdleCallback(act, { timeout: 2000 }) : setTimeout(act, 300));
  if (document.readyState === "complete") later();
  else addEventListener("load", later, { once: true });
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    addEventListener("online", () => (clearTimeout(timer), resolve(undefined)), { once: true });
  });
}

for (const el of document.querySelectorAll("[data-player]")) mount(/** @type {HTMLElement} */ (el));

/** Dates as the rest of the page writes them: 22 November 2026, 24-hour clocks. @param {string} lang */
function british(lang) {
  return lang === "en" ? "en-GB" : lang;
}
