/**
 * The settings panel: captions, sound, quality, data saver and speed as plain form controls in a popover, which
 * every browser, keyboard and screen reader knows how to use.
 */

import { fill } from "./words.js";

const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2];
const ICON =
  "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm-7 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z";
let count = 0;

/**
 * @param {import("./engine.js").Engine} engine
 * @param {{strings: Record<string, any>, pageLang: string}} options
 */
export function settings(engine, { strings, pageLang }) {
  count += 1;
  const id = `player-settings-${count}`;
  const number = new Intl.NumberFormat(pageLang, { maximumSignificantDigits: 3 });
  const plain = new Intl.NumberFormat(pageLang);
  const element = document.createElement("div");
  Object.assign(element, { id, popover: "auto", className: "player-settings" });
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", strings.settings);
  element.setAttribute("noautohide", "");

  const button = document.createElement("button");
  button.type = "button";
  button.className = "player-settings-button";
  button.setAttribute("popovertarget", id);
  button.setAttribute("aria-label", strings.settings);
  button.innerHTML = `<svg aria-hidden="true" viewBox="0 0 24 24"><path d="${ICON}"/></svg>`;

  // Keys inside the panel belong to it: the player's arrows would seek.
  for (const event of ["keydown", "keyup"]) {
    for (const part of [element, button]) {
      part.addEventListener(event, (e) => /** @type {KeyboardEvent} */ (e).key !== "Escape" && e.stopPropagation());
    }
  }

  /** @returns {Array<[string, string, Array<[string | number, string]>, string | number, (value: string) => void]>} */
  const groups = () => {
    const { captions, sounds, rungs, hls } = engine;
    const shown = engine.rung === -1 && rungs.find((rung) => rung.id === engine.rungShown);
    const auto = shown ? fill(strings.autoNow, { name: shown.name }) : strings.auto;
    return [
      [
        "captions",
        strings.captions,
        captions.list.length
          ? [[-1, strings.off], ...captions.list.map((c) => /** @type {[number, string]} */ ([c.id, c.label]))]
          : [],
        captions.shown,
        (value) => captions.choose(Number(value)),
      ],
      [
        "sound",
        strings.sound,
        sounds.length > 1
          ? sounds.map((s) => [s.id, strings.sounds[s.label] ?? (s.described ? fill(strings.described, { name: s.label }) : s.label)])
          : [],
        engine.sound,
        (value) => (engine.sound = Number(value)),
      ],
      [
        "quality",
        strings.quality,
        hls && rungs.length > 1
          ? [
              [-1, auto],
              ...rungs.map(
                (r) =>
                  /** @type {[number, string]} */ ([
                    r.id,
                    fill(strings.rung, { name: r.name, size: number.format(r.megabytesPerHour) }),
                  ]),
              ),
            ]
          : [],
        engine.rung,
        (value) => (engine.rung = Number(value)),
      ],
      [
        "speed",
        strings.speed,
        engine.live ? [] : RATES.map((rate) => [rate, fill(strings.rate, { rate: plain.format(rate) })]),
        engine.video.playbackRate,
        (value) => (engine.video.playbackRate = Number(value)),
      ],
    ];
  };

  function render() {
    const focused = /** @type {HTMLInputElement | null} */ (element.contains(document.activeElement) ? document.activeElement : null);
    const parts = groups().map(([name, title, options, current, choose]) => {
      if (!options.length) return null;
      const fieldset = document.createElement("fieldset");
      fieldset.append(Object.assign(document.createElement("legend"), { textContent: title }));
      for (const [value, text] of options) {
        const input = Object.assign(document.createElement("input"), {
          type: "radio",
          name: `${id}-${name}`,
          value: String(value),
          checked: value === current,
        });
        input.addEventListener("change", () => choose(String(value)));
        fieldset.append(labelled(input, text));
      }
      if (name === "quality") {
        const saver = Object.assign(document.createElement("input"), {
          type: "checkbox",
          name: `${id}-saver`,
          checked: engine.saver,
        });
        saver.setAttribute("role", "switch");
        saver.addEventListener("change", () => {
          engine.saver = saver.checked;
          render();
        });
        fieldset.append(labelled(saver, strings.saver));
      }
      return fieldset;
    });
    element.replaceChildren(...parts.filter((part) => part !== null));
    if (focused) {
      const same = [...element.querySelectorAll("input")].find((i) => i.name === focused.name && i.value === focused.value);
      same?.focus({ preventScroll: true });
    }
  }

  /** Above the button, inside the window; a sheet from below where there is little room (the style sheet's matter). */
  function place() {
    const at = button.getBoundingClientRect();
    const end = getComputedStyle(button).direction === "rtl" ? at.left : innerWidth - at.right;
    element.style.setProperty("--from-end", `${Math.max(8, end)}px`);
    element.style.setProperty("--from-bottom", `${Math.max(8, innerHeight - at.top + 8)}px`);
    element.style.setProperty("--room", `${Math.max(200, at.top - 16)}px`);
  }

  element.addEventListener("beforetoggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    render();
    place();
  });
  element.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    /** @type {HTMLElement | null} */ (element.querySelector("input:checked") ?? element.querySelector("input"))?.focus();
  });

  return {
    button,
    element,
    refresh() {
      if (element.matches(":popover-open")) render();
    },
  };
}

/** @param {HTMLInputElement} input @param {string} text */
function labelled(input, text) {
  const label = document.createElement("label");
  label.append(input, Object.assign(document.createElement("span"), { textContent: text }));
  return label;
}
