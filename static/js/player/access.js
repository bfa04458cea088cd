/**
 * The right to watch: asks the server for a grant, renews it before it ends, and puts the newest grant into the
 * addresses of segments (`/hls/<grant>/...`), so that a viewer may watch for as long as the work is open.
 */

import { code } from "./code.js";

/**
 * @typedef {object} Grant
 * @property {string} hls
 * @property {{url: string, token: string} | null} whep
 * @property {"upcoming" | "on_air" | "replay" | "ended"} phase
 * @property {string | null} starts
 * @property {string | null} ends
 * @property {string | null} expires
 * @property {string} renew
 * @property {boolean} [live] its edge moves: there is no place of one's own to go on from
 * @property {string | null} [storyboard]
 * @property {string | null} [peaks]
 */

const GRANT = /\/hls\/[^/]+\//;
const EARLY_MS = 60_000;
const SOONEST_MS = 5_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const TIMEOUT_MS = 15_000;

/** The server's no, in its own words (RFC 9457). */
export class Refusal extends Error {
  /** @param {{code?: string, detail?: string, opens?: string}} problem @param {number} status */
  constructor(problem, status) {
    super(problem.detail ?? "");
    this.status = status;
    this.code = problem.code ?? "";
    this.detail = problem.detail ?? "";
    this.opens = problem.opens ?? null;
  }
}

/** Fires `renewed` when a new grant is there. */
export class Access extends EventTarget {
  #url;
  #lang;
  #screening;
  /** @type {Promise<Grant> | null} */
  #asking = null;
  #timer = 0;
  #skewMs = 0;
  #closed = false;
  /** @type {Grant | null} */
  current = null;

  /**
   * @param {string} url
   * @param {string} lang the page's language, in which refusals are worded
   * @param {string} [screening] the closed screening whose access code is sent along
   */
  constructor(url, lang, screening) {
    super();
    this.#url = url;
    this.#lang = lang;
    this.#screening = screening;
  }

  /** @returns {Promise<Grant>} @throws {Refusal} @throws {TypeError} when the server cannot be reached */
  open() {
    if (this.current && !this.stale) return Promise.resolve(this.current);
    const given = code(this.#screening);
    return this.#ask(this.#url, given ? { code: given } : {});
  }

  /** @returns {Promise<Grant>} */
  renew() {
    return this.current ? this.#ask(this.current.renew, { hls: this.current.hls }) : this.open();
  }

  /** Has the grant ended, or is it about to? */
  get stale() {
    return this.#leftMs() < SOONEST_MS;
  }

  /** @param {string} url @returns {string} the same with the newest grant in it */
  address(url) {
    const newest = this.current?.hls.match(GRANT)?.[0];
    return newest ? url.replace(GRANT, newest) : url;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #leftMs() {
    const ends = Date.parse(this.current?.expires ?? "");
    return Number.isNaN(ends) ? Infinity : ends - (Date.now() + this.#skewMs);
  }

  /** One request at a time: whoever asks meanwhile gets the same answer. @param {string} url @param {object} body */
  #ask(url, body) {
    this.#asking ??= this.#post(url, body).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** @param {string} url @param {object} body @returns {Promise<Grant>} */
  async #post(url, body) {
    const response = await fetch(url, {
      method: "POST",
      body: JSON.stringify(body),
      headers: {
        "Accept": "application/json",
        "Accept-Language": this.#lang,
        "Content-Type": "application/json",
        "X-Requested-With": "showcase",
      },
      signal: AbortSignal.timeout?.(TIMEOUT_MS),
    });
    if (!response.ok) {
      const problem = await response.json().catch(() => ({}));
      const full = problem.code === "full";
      if ((response.status >= 500 && !full) || response.status === 429) throw new TypeError(problem.detail ?? `status ${response.status}`);
      throw new Refusal(problem, response.status);
    }
    const renewing = this.current !== null;
    // The viewer's clock may be wrong: the grant's end is on the server's.
    const served = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(served)) this.#skewMs = served - Date.now();
    // A renewal may leave out what does not change.
    this.current = /** @type {Grant} */ ({ ...this.current, ...(await response.json()) });
    this.#schedule(0);
    if (renewing) this.dispatchEvent(new Event("renewed"));
    return this.current;
  }

  /** @param {number} failures in a row */
  #schedule(failures) {
    clearTimeout(this.#timer);
    const left = this.#leftMs();
    if (this.#closed || left === Infinity) return;
    const due = failures ? Math.min(SOONEST_MS * 2 ** failures, 60_000) : left - Math.max(EARLY_MS, Math.min(left / 10, 600_000));
    this.#timer = setTimeout(
      () =>
        this.renew().catch((error) => {
          // A refusal counts only once the old grant is refused too: the engine asks again then.
          if (!(error instanceof Refusal)) this.#schedule(failures + 1);
        }),
      Math.min(Math.max(due, SOONEST_MS), LONGEST_TIMER_MS),
    );
  }
}
