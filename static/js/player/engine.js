/**
 * Plays a stream in a video element: hls.js wherever Media Source Extensions exist, the browser's own HLS elsewhere.
 * Small at the start (lowest rung), patient with the network, and never silent about what it does: it fires
 * `interrupted`, `restored`, `refused` (a Refusal), `broken` and `tracks`.
 */

import Hls from "../../vendor/hls/hls.mjs";
import { Refusal } from "./access.js";
import { Captions } from "./captions.js";
import * as memory from "./memory.js";

/** @typedef {import("./access.js").Access} Access */
/** @typedef {{id: number, label: string, lang: string, described: boolean}} Sound */
/** @typedef {{id: number, name: string, megabytesPerHour: number}} Rung */

const DENIED = new Set([401, 403, 410, 451]);
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];
const MEDIA_ERROR_ONCE_IN_MS = 20_000;
const SAVER_SHORT_SIDE = 360;
const DESCRIBES_VIDEO = "public.accessibility.describes-video";
const ESTIMATE = "showcase.player.bits";

export class Engine extends EventTarget {
  /** @type {Hls | null} */
  hls = null;
  started = false;
  #access;
  #attempts = 0;
  #timer = 0;
  #renewing = false;
  #deniedAt = 0;
  #mediaErrorAt = -Infinity;
  #troubled = false;
  #saver;
  #leaving = new AbortController();

  /** @param {HTMLVideoElement} video @param {Access} access @param {{pageLang: string, workLang: string}} languages */
  constructor(video, access, languages) {
    super();
    this.video = video;
    this.#access = access;
    this.captions = new Captions(this, languages);
    this.#saver = memory.choices().saver ?? false;
    const on = { signal: this.#leaving.signal };
    video.addEventListener("waiting", () => this.#troubled && this.#tell("interrupted"), on);
    video.addEventListener("playing", () => this.#calm(), on);
    // hls.js lets go of a choice that was made before its text tracks were there.
    for (const event of ["loadedmetadata", "playing"]) video.addEventListener(event, () => this.captions.offered(), on);
    access.addEventListener("renewed", () => this.#storyboard(), on);
    addEventListener("online", () => this.#attempts && this.#retryNow(), on);
  }

  get live() {
    return this.hls ? Boolean(this.hls.latestLevelDetails?.live) : this.video.duration === Infinity;
  }

  /** Fetch the master playlist; no sound or picture yet. */
  async prepare() {
    if (!Hls.isSupported()) return;
    const hls = new Hls({
      autoStartLoad: false,
      // Works are fMP4, which needs no transmuxing: the worker would be 40 KB more before the first picture.
      enableWorker: false,
      preferManagedMediaSource: true,
      startLevel: 0,
      startFragPrefetch: true,
      capLevelToPlayerSize: !this.#saver,
      maxBufferLength: 30,
      maxMaxBufferLength: 120,
      backBufferLength: 60,
      enableIMSC1: false,
      enableCEA708Captions: false,
      abrEwmaDefaultEstimate: Number(sessionStorageGet(ESTIMATE)) || 500_000,
      xhrSetup: (xhr, url) => xhr.open("GET", this.#access.address(url), true),
    });
    this.hls = hls;
    const { Events } = Hls;
    hls.on(Events.ERROR, (_, problem) => this.#failed(problem));
    hls.on(Events.FRAG_BUFFERED, () => this.#calm());
    hls.on(Events.MANIFEST_PARSED, () => this.#manifest());
    hls.on(Events.FRAG_LOADED, () => sessionStorageSet(ESTIMATE, String(Math.round(hls.bandwidthEstimate))));
    hls.on(Events.AUDIO_TRACKS_UPDATED, () => this.#sounds());
    for (const event of [Events.SUBTITLE_TRACKS_UPDATED, Events.AUDIO_TRACK_SWITCHED, Events.LEVEL_SWITCHED]) {
      hls.on(event, () => this.#tell("tracks"));
    }
    hls.on(Events.SUBTITLE_TRACKS_UPDATED, () => this.captions.offered());
    hls.loadSource(this.#access.current?.hls ?? "");
  }

  /** @param {number} from seconds; on a live stream its edge is taken instead */
  start(from) {
    this.started = true;
    this.#storyboard();
    const live = this.#access.current?.live === true;
    if (this.hls) {
      this.hls.attachMedia(this.video);
      this.hls.startLoad(live || !from ? -1 : from);
    } else {
      this.#native(live ? 0 : from);
    }
  }

  destroy() {
    this.#leaving.abort();
    clearTimeout(this.#timer);
    this.hls?.destroy();
    this.hls = null;
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** @returns {Rung[]} best first */
  get rungs() {
    return (this.hls?.levels ?? [])
      .map((level, id) => ({
        id,
        name: `${Math.min(level.width, level.height) || "?"}p`,
        short: Math.min(level.width, level.height),
        megabytesPerHour: ((level.averageBitrate || level.bitrate) * 3600) / 8 / 1e6,
      }))
      .filter((rung) => rung.short)
      .reverse();
  }

  /** The rung the viewer fixed, or -1: chosen for them. */
  get rung() {
    return this.hls?.autoLevelEnabled === false ? this.hls.nextLevel : -1;
  }

  set rung(id) {
    if (this.hls) this.hls.nextLevel = id;
  }

  /** The rung on screen now. */
  get rungShown() {
    return this.hls?.currentLevel ?? -1;
  }

  get saver() {
    return this.#saver;
  }

  set saver(on) {
    this.#saver = on;
    memory.choose({ saver: on });
    this.#cap();
    if (on && this.hls) this.hls.nextLevel = -1;
  }

  /** @returns {Sound[]} */
  get sounds() {
    if (!this.hls) return [];
    return this.hls.audioTracks.map((track, id) => ({
      id,
      label: track.name || track.lang || String(id + 1),
      lang: track.lang ?? "",
      described: (track.characteristics ?? "").includes(DESCRIBES_VIDEO),
    }));
  }

  get sound() {
    return this.hls?.audioTrack ?? -1;
  }

  set sound(id) {
    const chosen = this.sounds[id];
    if (!this.hls || !chosen) return;
    this.hls.audioTrack = id;
    memory.choose({ audio: chosen.lang, described: chosen.described });
  }

  #manifest() {
    this.#cap();
    this.#tell("tracks");
  }

  #cap() {
    const { hls } = this;
    if (!hls) return;
    hls.capLevelToPlayerSize = !this.#saver;
    if (!this.#saver) {
      hls.autoLevelCapping = -1;
      return;
    }
    const small = hls.levels.findLastIndex((level) => Math.min(level.width, level.height) <= SAVER_SHORT_SIDE);
    hls.autoLevelCapping = Math.max(0, small);
  }

  /** Take the sound chosen earlier, when this work has the like. */
  #sounds() {
    const { audio, described } = memory.choices();
    const { sounds } = this;
    const wanted =
      sounds.find((sound) => described !== undefined && sound.described === described && sound.lang === audio) ??
      (described ? sounds.find((sound) => sound.described) : undefined);
    if (wanted && this.hls && wanted.id !== this.hls.audioTrack) this.hls.audioTrack = wanted.id;
    this.#tell("tracks");
  }

  /** Previews on the time line: media-chrome reads them from a metadata track. */
  #storyboard() {
    const url = this.#access.current?.storyboard;
    this.video.querySelector("track[label=thumbnails]")?.remove();
    if (!url || !this.started) return;
    const track = document.createElement("track");
    Object.assign(track, { kind: "metadata", label: "thumbnails", default: true, src: this.#access.address(url) });
    this.video.append(track);
  }

  /** @param {import("../../vendor/hls/hls.mjs").ErrorData} problem */
  #failed(problem) {
    const network = problem.type === Hls.ErrorTypes.NETWORK_ERROR;
    if (network) {
      this.#troubled = true;
      if (DENIED.has(problem.response?.code ?? 0)) return void this.#denied(problem.fatal);
      if (this.started && this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.#tell("interrupted");
    }
    if (!problem.fatal) return;
    if (network) this.#retry();
    else if (problem.type === Hls.ErrorTypes.MEDIA_ERROR && performance.now() - this.#mediaErrorAt > MEDIA_ERROR_ONCE_IN_MS) {
      this.#mediaErrorAt = performance.now();
      this.hls?.recoverMediaError();
      void this.video.play().catch(() => {});
    } else this.#tell("broken");
  }

  /** The server took a segment or playlist back: ask for a new grant once, and say why when there is none. @param {boolean} fatal */
  async #denied(fatal) {
    if (this.#renewing) return;
    if (performance.now() - this.#deniedAt < 5000 && this.#deniedAt) {
      if (fatal) this.#retry();
      return;
    }
    this.#renewing = true;
    this.#deniedAt = performance.now();
    try {
      await this.#access.renew();
      this.#retryNow();
    } catch (error) {
      if (error instanceof Refusal) {
        this.hls?.stopLoad();
        this.video.pause();
        this.dispatchEvent(new CustomEvent("refused", { detail: error }));
      } else this.#retry();
    } finally {
      this.#renewing = false;
    }
  }

  #retry() {
    if (this.started) this.#tell("interrupted");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#retryNow(), RETRY_MS[Math.min(this.#attempts, RETRY_MS.length - 1)]);
    this.#attempts += 1;
  }

  #retryNow() {
    clearTimeout(this.#timer);
    const { hls } = this;
    if (!hls) return this.#native(this.video.currentTime);
    if (!hls.levels.length) hls.loadSource(this.#access.current?.hls ?? "");
    if (this.started) hls.startLoad();
  }

  #calm() {
    this.#attempts = 0;
    if (!this.#troubled) return;
    this.#troubled = false;
    this.#tell("restored");
  }

  /** The browser's own HLS. Its addresses cannot be rewritten: a new grant means a new source, at the same place. @param {number} from */
  #native(from) {
    const { video } = this;
    const on = { signal: this.#leaving.signal, once: true };
    video.src = this.#access.current?.hls ?? "";
    video.addEventListener("loadedmetadata", () => from && (video.currentTime = from), on);
    video.addEventListener("loadedmetadata", () => this.captions.offered(), on);
    video.addEventListener(
      "error",
      () => {
        this.#troubled = true;
        if (video.error?.code === MediaError.MEDIA_ERR_DECODE) this.#tell("broken");
        else void this.#denied(true);
      },
      on,
    );
    void video.play().catch(() => {});
  }

  /** @param {string} name */
  #tell(name) {
    this.dispatchEvent(new Event(name));
  }
}

/** @param {string} name */
function sessionStorageGet(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} value */
function sessionStorageSet(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // No storage here: the next start is careful again.
  }
}
