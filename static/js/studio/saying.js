/** What a screen reader should hear. Sentences that come at once are said together: a live region keeps only its last. */

const GATHER_MS = 250;

/** @param {HTMLElement | null} region with role=status */
export function speaker(region) {
  /** @type {string[]} */
  let gathered = [];

  /** @param {string} sentence */
  return function say(sentence) {
    gathered.push(sentence);
    if (gathered.length > 1) return;
    setTimeout(() => {
      if (region) region.textContent = gathered.join(" ");
      gathered = [];
    }, GATHER_MS);
  };
}
