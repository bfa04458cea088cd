/**
 * A work's page in the studio: files are dropped on it and uploaded, the server's progress is shown while it happens, and
 * nothing that is typed gets lost. Each part is a module of its own; this is where they meet.
 */

import { drop } from "./studio/drop.js";
import { files } from "./studio/files.js";
import { keep } from "./studio/keep.js";
import { preview } from "./studio/preview.js";
import { speaker } from "./studio/saying.js";
import { uploads } from "./studio/uploads.js";

for (const root of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-studio]"))) {
  const strings = JSON.parse(root.querySelector(":scope > script[data-strings]")?.textContent ?? "{}");
  const say = speaker(root.querySelector("[data-said]"));
  const place = /** @type {HTMLElement | null} */ (root.querySelector("[data-preview-place]"));
  const form = root.querySelector("form[data-keep]");
  if (form instanceof HTMLFormElement) keep(form, root.dataset.slug ?? "");

  // Uploads and files tell each other: what is sent becomes a file, and an unfinished file may be what is being sent.
  const sending = uploads(root, { strings, say, refresh: () => shown.refresh() });
  const shown = files(root, {
    strings,
    say,
    preview: place && preview(place),
    owns: sending.owns,
    refreshed: sending.refreshed,
  });
  drop(root.querySelector("[data-drop]"), sending.take);
}
