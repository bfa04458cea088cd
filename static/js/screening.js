/**
 * A screening's page: a countdown, and turning over by itself at the moment it opens or closes. The server's clock counts
 * (a phone's may be minutes off), and many pages do not ask all at once.
 */

import { mount as takeCode } from "./player/code.js";

const JITTER_MS = 1500;
const LONGEST_MS = 6 * 3600_000;

/** @returns {Promise<number>} what to add to this device's clock to have the server's, in milliseconds */
async function skew() {
  const before = Date.now();
  const answer = await fetch("/api/v1/time", { cache: "no-store" });
  const { now_ms: there } = await answer.json();
  return there - (before + Date.now()) / 2;
}

/** @param {HTMLElement} el */
function mount(el) {
  const turns = Date.parse(el.dataset.turns ?? "");
  if (Number.isNaN(turns)) return;
  let off = 0;
  const countdown = el.querySelector("[data-countdown]");
  let turning = false;

  async function turn() {
    turning = true;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * JITTER_MS));
    for (let wait = 1000; ; wait = Math.min(wait * 2, 30_000)) {
      try {
        const answer = await fetch(location.href, { cache: "no-store" });
        if (answer.ok || answer.status === 404 || answer.status === 410) break;
      } catch {
        // The line is away: the page turns over as soon as it is back.
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    location.reload();
  }

  function tick() {
    const left = turns - (Date.now() + off);
    if (left <= 0) {
      if (!turning) void turn();
      return;
    }
    if (countdown) countdown.textContent = clock(left);
    setTimeout(tick, Math.min(left, countdown ? 1000 - ((Date.now() + off) % 1000) : LONGEST_MS));
  }
  // Not before the server's clock is known: on a device that is fast the page would reload again and again.
  skew()
    .then((found) => (off = found), () => {})
    .finally(tick);
}

/** @param {number} ms @returns {string} days, hours, minutes, seconds as a clock shows them */
function clock(ms) {
  const seconds = Math.ceil(ms / 1000);
  const parts = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  const days = Math.floor(seconds / 86_400);
  return (days ? `${days} × 24 h + ` : "") + parts.map((p) => String(p).padStart(2, "0")).join(":");
}

for (const el of document.querySelectorAll("[data-screening]")) mount(/** @type {HTMLElement} */ (el));
for (const form of document.querySelectorAll("form[data-code]")) takeCode(/** @type {HTMLFormElement} */ (form));
