/** Which captions are on: the viewer's choice, else the page's language when the work speaks another one. */

import * as memory from "./memory.js";

/** @typedef {{id: number, label: string, lang: string}} Caption */

const OFF = "off";

export class Captions {
  #engine;
  #pageLang;
  #workLang;
  #decided = false;

  /** @param {import("./engine.js").Engine} engine @param {{pageLang: string, workLang: string}} languages */
  constructor(engine, { pageLang, workLang }) {
    this.#engine = engine;
    this.#pageLang = pageLang;
    this.#workLang = workLang;
  }

  /** @returns {Caption[]} */
  get list() {
    const { hls, video } = this.#engine;
    const tracks = hls
      ? hls.subtitleTracks.map((track) => ({ label: track.name, lang: track.lang ?? "" }))
      : texts(video).map((track) => ({ label: track.label, lang: track.language }));
    return tracks.map((track, id) => ({ id, label: track.label || track.lang || String(id + 1), lang: track.lang }));
  }

  /** The one shown, or -1. */
  get shown() {
    const { hls, video } = this.#engine;
    if (hls) return hls.subtitleDisplay ? hls.subtitleTrack : -1;
    return texts(video).findIndex((track) => track.mode === "showing");
  }

  /** The viewer chooses: remembered. @param {number} id -1 for none */
  choose(id) {
    this.#decided = true;
    memory.choose({ captions: this.list[id]?.lang ?? OFF });
    this.#show(id);
  }

  /** The button and the c key. */
  toggle() {
    if (this.shown >= 0) this.choose(-1);
    else this.choose(Math.max(0, this.#find(this.#wanted() ?? this.#pageLang)));
  }

  /** The list of tracks is known. */
  offered() {
    if (this.#decided) return;
    const wanted = this.#wanted();
    const id = wanted ? this.#find(wanted) : -1;
    if (id !== this.shown || !this.#visible(id)) this.#show(id);
  }

  /** Sound is not allowed yet: read along. */
  showForMuted() {
    if (memory.choices().captions !== OFF && this.shown < 0 && this.list.length) {
      this.#show(Math.max(0, this.#find(this.#pageLang)));
    }
  }

  /** @returns {string | null} the language to show by itself */
  #wanted() {
    const { captions } = memory.choices();
    if (captions === OFF) return null;
    if (captions) return captions;
    return this.#workLang && primary(this.#workLang) !== primary(this.#pageLang) ? this.#pageLang : null;
  }

  /** @param {string} lang @returns {number} */
  #find(lang) {
    const { list } = this;
    const exact = list.findIndex((track) => track.lang === lang);
    return exact >= 0 ? exact : list.findIndex((track) => primary(track.lang) === primary(lang));
  }

  /** Whether the browser shows that track, too: what hls.js believes is not enough. @param {number} id */
  #visible(id) {
    return id < 0 || texts(this.#engine.video).some((track) => track.mode === "showing");
  }

  /** @param {number} id */
  #show(id) {
    const { hls, video } = this.#engine;
    if (hls) {
      hls.subtitleDisplay = id >= 0;
      // Setting what it has already does nothing.
      if (id >= 0 && hls.subtitleTrack === id && !this.#visible(id)) hls.subtitleTrack = -1;
      hls.subtitleTrack = id;
    } else {
      texts(video).forEach((track, i) => (track.mode = i === id ? "showing" : "disabled"));
    }
    this.#engine.dispatchEvent(new Event("tracks"));
  }
}

/** @param {HTMLVideoElement} video */
function texts(video) {
  return [...video.textTracks].filter((track) => track.kind === "subtitles" || track.kind === "captions");
}

/** @param {string} lang */
function primary(lang) {
  return lang.toLowerCase().split("-")[0];
}
