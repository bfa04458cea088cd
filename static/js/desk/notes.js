/** What the page tells: sentences for who listens, and notes above the timeline that may offer something. */

import { speaker } from "../studio/saying.js";

const MOST = 3;

/** @param {HTMLElement} root @param {Record<string, string>} words */
export function notes(root, words) {
  const place = /** @type {HTMLElement} */ (root.querySelector("[data-notes]"));
  const say = speaker(root.querySelector("[data-said]"));

  /**
   * @param {string} text
   * @param {{bad?: boolean, offer?: string, act?: () => void}} [more]
   */
  function note(text, { bad = false, offer, act } = {}) {
    const box = Object.assign(document.createElement("div"), { className: `notice desk-note${bad ? " notice-bad" : ""}` });
    box.append(Object.assign(document.createElement("p"), { textContent: text }));
    if (offer && act) {
      box.dataset.offer = "";
      const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: offer });
      button.addEventListener("click", () => {
        box.remove();
        act();
      });
      box.append(button);
    }
    const away = Object.assign(document.createElement("button"), { type: "button", className: "button button-quiet", textContent: words.dismiss });
    away.addEventListener("click", () => box.remove());
    box.append(away);
    for (const same of [...place.children].filter((one) => one.firstChild?.textContent === text)) same.remove();
    place.prepend(box);
    while (place.children.length > MOST) place.lastElementChild?.remove();
  }

  /** Something went well: what was wrong before it is no longer the news. */
  function clear() {
    // One that offers something waits for its answer.
    for (const old of place.querySelectorAll(".notice-bad:not([data-offer])")) old.remove();
  }

  return { note, say, clear };
}
