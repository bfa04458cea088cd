/** What a file is, as far as its name tells. */

const CAPTIONS = /\.(vtt|srt)$/i;
const NAMED_LANGUAGE = /[._-]([a-z]{2,3}(?:-[a-z0-9]{2,8})*)\.(?:vtt|srt)$/i;
const NEEDS_LANGUAGE = new Set(["captions", "audio-description", "audio-track"]);

/** @param {string} filename @param {string} chosen the role in the select; 'work' is what stands there by itself */
export function roleOf(filename, chosen) {
  return chosen === "work" && CAPTIONS.test(filename) ? "captions" : chosen;
}

/** @param {string} role */
export function needsLanguage(role) {
  return NEEDS_LANGUAGE.has(role);
}

/** @param {string} typed @returns {string | null} the tag as BCP 47 writes it, null when it is none */
export function tag(typed) {
  try {
    return Intl.getCanonicalLocales(typed.trim())[0] ?? null;
  } catch {
    return null;
  }
}

/** The language in a caption file's name, as in film.fr.vtt; '' when there is none. @param {string} filename */
export function languageOf(filename) {
  const found = tag(NAMED_LANGUAGE.exec(filename)?.[1] ?? "");
  if (!found) return "";
  // Any two letters look like a tag; a language is what has a name.
  return new Intl.DisplayNames("en", { type: "language", fallback: "none" }).of(found) ? found : "";
}
