/** The controls: media-chrome's elements, worded by the page, and the settings panel. */

import MediaChrome from "../../vendor/media-chrome/media-chrome.mjs";
import { settings } from "./settings.js";

/**
 * @param {HTMLElement} controller the media-controller with the video in it
 * @param {import("./engine.js").Engine} engine
 * @param {{strings: Record<string, any>, pageLang: string, title: string, medium: string, stage: HTMLElement}} options
 */
export function dress(controller, engine, { strings, pageLang, title, medium, stage }) {
  // Elements take their labels when they are made: first the words, then the elements.
  MediaChrome.translations[pageLang] = { ...MediaChrome.translations.en, ...strings.chrome };
  controller.setAttribute("aria-label", [title, strings.chrome["video player"]].filter(Boolean).join(", "));
  // Captions, messages and the waveform come along into full screen.
  /** @type {any} */ (controller).fullscreenElement = stage;

  const bar = element("media-control-bar", { class: "player-bar" });
  const captions = element("media-captions-button", { notooltip: "" });
  const panel = settings(engine, { strings, pageLang });
  const range = element("media-time-range", { dir: "ltr" });
  const video360 = medium === "audio" ? [] : [element("media-pip-button", { notooltip: "" }), element("media-fullscreen-button", { notooltip: "" })];
  bar.append(
    element("media-play-button", { notooltip: "" }),
    element("media-mute-button", { notooltip: "" }),
    element("media-volume-range", { dir: "ltr" }),
    element("media-live-button", {}),
    element("media-time-display", { dir: "ltr", showduration: "", notoggle: "" }),
    element("span", { class: "player-space" }),
    captions,
    panel.button,
    ...video360,
  );
  controller.append(element("media-loading-indicator", { slot: "centered-chrome", noautohide: "" }), range, bar, panel.element);

  // The element says role=button with aria-checked, which is a switch.
  captions.setAttribute("role", "switch");
  controller.addEventListener(
    "mediatogglesubtitlesrequest",
    (event) => {
      event.stopImmediatePropagation();
      engine.captions.toggle();
    },
    true,
  );
  const offered = () => {
    captions.hidden = engine.captions.list.length === 0;
    panel.refresh();
  };
  engine.addEventListener("tracks", offered);
  offered();

  const focused = document.activeElement;
  if (focused === engine.video) /** @type {HTMLElement} */ (bar.firstElementChild).focus({ preventScroll: true });
}

/** @param {string} name @param {Record<string, string>} attributes */
function element(name, attributes) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
