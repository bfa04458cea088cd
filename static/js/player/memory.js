/**
 * What the device remembers: where a work was left, and the viewer's choices. Nothing leaves the device, and
 * nothing breaks where storage is refused (private windows, embeds).
 */

const PLACES = "showcase.player.places";
const CHOICES = "showcase.player.choices";
const PLACES_KEPT = 100;

/** @typedef {{captions?: string, audio?: string, described?: boolean, saver?: boolean}} Choices */

/** @param {string} name @returns {any} */
function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "") ?? {};
  } catch {
    return {};
  }
}

/** @param {string} name @param {unknown} value */
function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // No storage here: the choice lasts as long as the page.
  }
}

/** @param {string} key @returns {number} seconds; 0 when unknown */
export function position(key) {
  const at = read(PLACES)[key];
  return Number.isFinite(at) && at > 0 ? at : 0;
}

/** @param {string} key @param {number} seconds */
export function keep(key, seconds) {
  if (!key) return;
  const { [key]: _, ...others } = read(PLACES);
  // The latest stand last; the oldest go.
  write(PLACES, Object.fromEntries([...Object.entries(others), [key, Math.floor(seconds)]].slice(-PLACES_KEPT)));
}

/** @param {string} key */
export function forget(key) {
  const { [key]: gone, ...others } = read(PLACES);
  if (gone !== undefined) write(PLACES, others);
}

/** @returns {Choices} */
export function choices() {
  return read(CHOICES);
}

/** @param {Choices} made */
export function choose(made) {
  write(CHOICES, { ...choices(), ...made });
}
