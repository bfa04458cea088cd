/**
 * The server's clock, as this device can know it: some questions are asked, and the answer that was back soonest counts
 * (the way of NTP, RFC 5905). It runs by the browser's monotonic time, so a device whose clock is set does not jump.
 */

const ASKED = 5;
const AGAIN_MS = 45_000;
const WAIT_MS = 5000;
const SOON_MS = 2000;
const SLEPT_MS = 1000;

export class Clock {
  /** What to add to `performance.now()` to have the server's time. @type {number} */
  #offset = Date.now() - performance.now();
  #timer = 0;
  #asking = false;
  /** How far this device's two clocks are apart: it moves when the device sleeps, or is set. */
  #apart = Date.now() - performance.now();
  /** Has the server answered since this device last slept? */
  known = false;

  /** Ask now, and from then on from time to time. @returns {Promise<void>} once it is known as well as it can be */
  async start() {
    await this.ask(ASKED);
    this.#again();
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void this.ask(ASKED));
    addEventListener("online", () => void this.ask(ASKED));
  }

  /** @returns {number} the server's time in milliseconds since 1970 */
  now() {
    return performance.now() + this.#offset;
  }

  /** @param {number} times */
  async ask(times) {
    if (this.#asking) return;
    this.#asking = true;
    let best = Infinity;
    let offset = this.#offset;
    for (let n = 0; n < times; n += 1) {
      const sent = performance.now();
      try {
        const answer = await fetch("/api/v1/time", { cache: "no-store", signal: AbortSignal.timeout(WAIT_MS) });
        const { now_ms: there } = await answer.json();
        const back = performance.now();
        if (Number.isFinite(there) && back - sent < best) {
          best = back - sent;
          offset = there - (sent + back) / 2;
        }
      } catch {
        // The line is away: what is known goes on.
      }
    }
    if (best < Infinity) {
      this.#offset = offset;
      this.known = true;
    }
    this.#asking = false;
  }

  /** Look whether the device has slept meanwhile: then nothing is known until the server is asked again. */
  check() {
    const apart = Date.now() - performance.now();
    if (Math.abs(apart - this.#apart) < SLEPT_MS) return;
    this.#apart = apart;
    this.known = false;
    this.#again(0);
  }

  /** @param {number} [wait] */
  #again(wait = this.known ? AGAIN_MS * (0.8 + 0.4 * Math.random()) : SOON_MS) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      await this.ask(this.known ? 2 : ASKED);
      this.#again();
    }, wait);
  }
}
