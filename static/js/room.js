/**
 * The room of a premiere or a channel: a countdown, one question ('Sound on'), then the picture, for everybody at the
 * same moment. Nobody presses anything when it begins, and nobody reloads when it is over.
 */

import { PASSING, mount } from "./player.js";
import { Clock } from "./room/clock.js";
import { Step } from "./room/step.js";

// The slate comes so long before the moment, at a time of one's own, and the permission to watch earlier still.
const ENTER_MS = [50_000, 20_000];
const DOORS_MS = 9.5 * 60_000;
const LOOK_MS = 150_000;
const JITTER_MS = 4000;
const LAST_MS = 3000;
const HIDDEN_MS = 65_000;
const RETRY_MS = [2000, 4000, 8000, 15_000];

/** @typedef {{title: string, starts: number, ends: number}} Showing */

/** @param {HTMLElement} el an element with `data-together` */
function enter(el) {
  const starts = Date.parse(el.dataset.starts ?? "");
  const ends = Date.parse(el.dataset.ends ?? "");
  const always = Number.isNaN(starts);
  const strings = JSON.parse(el.querySelector("[data-together-strings]")?.textContent ?? "{}");
  /** @type {Showing[]} */
  const showings = JSON.parse(el.querySelector("[data-showings]")?.textContent ?? "[]");
  const over = /** @type {HTMLElement} */ (el.querySelector("[data-over]"));
  const count = /** @type {HTMLElement} */ (el.querySelector("[data-count]"));
  const hint = /** @type {HTMLElement} */ (el.querySelector("[data-hint]"));
  const sound = /** @type {HTMLButtonElement} */ (el.querySelector("[data-sound]"));
  const back = /** @type {HTMLButtonElement} */ (el.querySelector("[data-back]"));
  const player = mount(/** @type {HTMLElement} */ (el.querySelector("[data-player]")));
  const { video } = player;
  const clock = new Clock();
  const stage = /** @type {HTMLElement} */ (el.querySelector("[data-screen]"));
  stage.append(over, back);
  /** @type {Step | null} */
  let step = null;
  let soundOn = false;
  let playing = false;
  let over_ = false;
  sound.hidden = false;
  hint.hidden = false;

  function listen() {
    soundOn = true;
    leave(sound);
    video.muted = false;
    hint.textContent = strings.soundOn;
    el.querySelector(".player-unmute")?.remove();
    // Inside the gesture: for browsers that remember which element the person started, and those that let nothing play
    // without one.
    if (video.paused) video.play().catch(() => {});
  }

  /** Hide a button; who was on it goes on to the player's own. @param {HTMLElement} button */
  function leave(button) {
    const focused = document.activeElement === button;
    button.hidden = true;
    if (focused) /** @type {HTMLElement} */ (el.querySelector("media-play-button") ?? video).focus({ preventScroll: true });
  }

  /** Nothing will be shown here: no countdown, no promise. */
  function refuse() {
    over_ = true;
    step?.stop();
    over.hidden = true;
    delete el.dataset.waiting;
    for (const row of document.querySelectorAll("[data-showing]")) row.removeAttribute("aria-current");
  }
  sound.addEventListener("click", listen);
  video.addEventListener("volumechange", () => {
    if (!video.muted && playing) {
      soundOn = true;
      if (!sound.hidden) leave(sound);
    }
  });

  async function play() {
    if (playing || over_) return;
    playing = true;
    for (let attempt = 0; !over_; attempt += 1) {
      if (await player.play({ muted: !soundOn })) break;
      const why = player.refused?.code ?? "";
      // A code may be given at any time: see below.
      if (why.startsWith("code-")) return;
      if (!PASSING.has(why)) return refuse();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
    }
    step ??= new Step(video, () => date(player), () => (clock.known ? clock.now() : null));
    el.dataset.state = "on";
    /** @type {any} */ (el).step = step;
  }

  video.addEventListener("pause", () => {
    if (playing && !over_ && !video.ended) back.hidden = false;
  });
  video.addEventListener("play", () => {
    if (!back.hidden) leave(back);
    step?.join();
  });
  back.addEventListener("click", () => void video.play().catch(() => {}));

  async function turn() {
    if (over_) return;
    over_ = true;
    step?.stop();
    await new Promise((resolve) => setTimeout(resolve, Math.random() * JITTER_MS));
    for (let wait = 1000; ; wait = Math.min(wait * 2, 30_000)) {
      try {
        // A page that is gone is an answer, too.
        const { ok, status } = await fetch(location.href, { cache: "no-store" });
        if (ok || status === 404 || status === 410) break;
      } catch {
        // The line is away: the page turns over as soon as it is back.
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    location.reload();
  }

  /** What stands over the picture: how long until the next work, and which it is. @param {number} now */
  function tell(now) {
    if (over_) return;
    const on = showings.find((showing) => showing.starts <= now && now < showing.ends);
    const next = showings.find((showing) => showing.starts > now);
    const waiting = !always && now < starts;
    const after = el.dataset.kind === "premiere" && !waiting && !on && !next && showings.length > 0;
    over.hidden = !(waiting || (!on && next && now < ends) || after || (!playing && !always) || !soundOn);
    if (waiting || (!on && next) || after) el.dataset.waiting = waiting ? "start" : after ? "after" : "between";
    else delete el.dataset.waiting;
    over.dataset.for = after ? "after" : waiting || (!on && next) ? "waiting" : "sound";
    if (!after && (waiting || (!on && next))) count.textContent = left((waiting ? starts : /** @type {Showing} */ (next).starts) - now);
    count.hidden = after || !(waiting || (!on && next));
    const title = /** @type {HTMLElement} */ (el.querySelector("[data-next]"));
    title.textContent = after ? strings.after : !on && next && !waiting ? strings.next.replace("{title}", next.title) : "";
    for (const row of document.querySelectorAll("[data-showing]")) {
      if (on && on.starts === Number(/** @type {HTMLElement} */ (row).dataset.showing)) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    for (const phase of document.querySelectorAll("[data-phase]")) {
      if (phase instanceof HTMLElement) phase.hidden = phase.dataset.phase !== (waiting ? "upcoming" : "on_air");
    }
  }

  // A closed one: whoever types a code comes in.
  document.addEventListener("showcase-code", (event) => {
    if (/** @type {CustomEvent} */ (event).detail !== el.dataset.slug || over_ || step) return;
    playing = false;
    if (clock.now() >= enterAt) void play();
    else if (asked) void player.ask();
  });

  const enterAt = always ? 0 : starts - (ENTER_MS[1] + Math.random() * (ENTER_MS[0] - ENTER_MS[1]));
  const askAt = always ? 0 : Math.min(enterAt, starts - DOORS_MS * (0.15 + 0.85 * Math.random()));
  let asked = false;
  let lookAt = 0;

  /** It may have been moved or withdrawn while people wait. */
  async function look() {
    const slug = el.dataset.slug;
    if (!slug) return;
    try {
      const answer = await fetch(`/api/v1/screenings/${slug}`, { headers: { Accept: "application/json" } });
      if (answer.status === 404) return void turn();
      // The server has its troubles; the stream may go on all the same.
      if (!answer.ok) return;
      const found = await answer.json();
      if (Date.parse(found.starts) !== starts || Date.parse(found.ends) !== ends || found.state !== "published") void turn();
    } catch {
      // Asked again in a while.
    }
  }

  function tick() {
    clock.check();
    const now = clock.now();
    if (!always && now >= ends) return void turn();
    // All that is still to be shown is here by now; what the server closes at the end is not asked for again.
    if (!always && now >= ends - LAST_MS) player.hls?.stopLoad();
    tell(now);
    if (!asked && now >= askAt) {
      asked = true;
      void player.ask().then(() => final(player.refused?.code) && refuse());
    }
    // Browsers let a hidden page's timers go once a minute.
    if (now >= enterAt - (document.hidden ? HIDDEN_MS : 0)) void play();
    if (now >= lookAt) {
      if (lookAt) void look();
      lookAt = now + LOOK_MS * (0.7 + 0.6 * Math.random());
    }
    setTimeout(tick, Math.min(1000, Math.max(50, 1000 - (now % 1000) + 5)));
  }
  // Not before the server's clock is known: a device's own may be minutes off.
  void clock.start().finally(tick);
}

/** @param {string | undefined} code @returns {boolean} whether a refusal is for good */
function final(code) {
  return code !== undefined && !PASSING.has(code) && !code.startsWith("code-");
}

/** The moment of the frame on screen. @param {import("./player.js").Player} player @returns {number | null} */
function date({ hls, video }) {
  if (hls) return hls.playingDate?.getTime() ?? null;
  const begun = /** @type {any} */ (video).getStartDate?.();
  const at = begun instanceof Date ? begun.getTime() : NaN;
  return Number.isNaN(at) ? null : at + video.currentTime * 1000;
}

/** @param {number} ms @returns {string} hours, minutes and seconds as a clock shows them; days before them */
function left(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  if (h >= 24) return `${Math.floor(h / 24)} × 24:${two(h % 24)}:${two(m)}:${two(s)}`.replace("24:", "24 h + ");
  return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

for (const el of document.querySelectorAll("[data-together]")) enter(/** @type {HTMLElement} */ (el));
