/** The player's strings, which the page hands over in the reader's language, and how times are written. */

/** @param {Element} el an element that holds `<script type="application/json" data-strings>` */
export function words(el) {
  const script = el.querySelector("script[data-strings]");
  return /** @type {Record<string, any>} */ (JSON.parse(script?.textContent || "{}"));
}

/** Put values into the `{names}` of a string. @param {string} text @param {Record<string, string | number>} values */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** @param {number} seconds @returns {string} 3:12, or 1:03:12 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return `${h ? `${h}:${String(m).padStart(2, "0")}` : m}:${String(s).padStart(2, "0")}`;
}
