/**
 * Keeps a picture in step with all others: the stream says which moment each frame belongs to (EXT-X-PROGRAM-DATE-TIME),
 * the server's clock says which moment it is. Far off it jumps, near it plays a little faster or slower: up to 6 % to
 * get there, no more than 1 % to stay, which nobody hears.
 */

const TICK_MS = 250;
const JUMP_JOINING_S = 0.4;
const JUMP_S = 1.2;
const JUMP_ONCE_IN_MS = 4000;
const NEAR_S = 0.02;
const AWAY_S = 0.15;
const GET_THERE = 0.06;
const STAY = 0.01;
const SMOOTHED = 0.35;
// A device whose jumps take longer than what they gain would jump for ever.
const JOINING_JUMPS = 2;

export class Step {
  #video;
  #date;
  #now;
  #timer = 0;
  #joining = true;
  #getting = true;
  /** Seconds late, smoothed. @type {number | null} */
  #late = null;
  #jumpedAt = -Infinity;
  #jumps = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {() => number | null} date the moment of the frame on screen, ms since 1970
   * @param {() => number | null} now the server's time, ms since 1970; null while it is not known
   */
  constructor(video, date, now) {
    this.#video = video;
    this.#date = date;
    this.#now = now;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    video.addEventListener("waiting", this.#waited);
  }

  /** Seconds behind (positive) or ahead of the others, null while it is not known. */
  get late() {
    return this.#late;
  }

  /** Come back to the present, as after a pause. */
  join() {
    this.#joining = true;
    this.#jumps = 0;
    this.#late = null;
    this.#tick();
  }

  /** It stood still: what was heard is broken already, so it may jump to where it should be. */
  #waited = () => {
    if (this.#video.seeking || performance.now() - this.#jumpedAt < JUMP_ONCE_IN_MS) return;
    this.#joining = true;
    this.#jumps = 0;
  };

  stop() {
    clearInterval(this.#timer);
    this.#video.removeEventListener("waiting", this.#waited);
    this.#video.playbackRate = 1;
  }

  #tick() {
    const { readyState, paused, seeking } = this.#video;
    const date = this.#date();
    const now = this.#now();
    if (paused || seeking || date === null || now === null || readyState < HTMLMediaElement.HAVE_FUTURE_DATA) return;
    const found = (now - date) / 1000;
    // A jump in what is measured (a seek, a sleep) is believed at once.
    const jumped = this.#late === null || Math.abs(found - this.#late) > 0.5;
    const late = jumped || this.#late === null ? found : this.#late + SMOOTHED * (found - this.#late);
    this.#late = late;
    if (Math.abs(late) > (this.#joining && this.#jumps < JOINING_JUMPS ? JUMP_JOINING_S : JUMP_S)) {
      this.#jump(late);
      return;
    }
    this.#joining = false;
    if (this.#getting && Math.abs(late) < NEAR_S) this.#getting = false;
    else if (!this.#getting && Math.abs(late) > AWAY_S) this.#getting = true;
    const most = this.#getting ? GET_THERE : STAY;
    const rate = 1 + Math.max(-most, Math.min(most, late * (this.#getting ? 0.4 : 0.2)));
    const told = Math.abs(rate - 1) < 0.0015 ? 1 : Math.round(rate * 1000) / 1000;
    if (told !== this.#video.playbackRate) this.#video.playbackRate = told;
  }

  /** @param {number} late */
  #jump(late) {
    const video = this.#video;
    if (performance.now() - this.#jumpedAt < JUMP_ONCE_IN_MS) return;
    const target = video.currentTime + late;
    const { seekable } = video;
    if (!seekable.length || target > seekable.end(seekable.length - 1)) return;
    this.#jumpedAt = performance.now();
    this.#late = null;
    this.#jumps += 1;
    video.playbackRate = 1;
    video.currentTime = Math.max(seekable.start(0), target);
  }
}
