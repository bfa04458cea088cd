/**
 * A festival's timeline at work: blocks are moved, resized and doubled by pointer or by key, works are dragged from the
 * shelf, what others change appears by itself. Each part is a module of its own; this is where they meet. Without this
 * file the page is a list for each room, and the table and forms below it do the same.
 */

import { board } from "./desk/board.js";
import { changes } from "./desk/changes.js";
import { clocks } from "./desk/clocks.js";
import { drag } from "./desk/drag.js";
import { keys } from "./desk/keys.js";
import { lifting } from "./desk/lift.js";
import { live } from "./desk/live.js";
import { notes } from "./desk/notes.js";
import { panel } from "./desk/panel.js";
import { saying } from "./desk/say.js";
import { shelf } from "./desk/shelf.js";

for (const root of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-desk]"))) {
  const words = /** @type {Record<string, string>} */ (JSON.parse(root.querySelector("script[data-strings]")?.textContent ?? "{}"));
  const shown = board(root, words);
  const told = notes(root, words);
  const change = changes(shown, told, words);
  const lift = lifting(shown, saying(root), words, told.say);
  const sheet = panel(root, shown, change, told, words);
  clocks(root, shown, words);
  keys(root, shown, change, lift, sheet, told, words);
  drag(root, shown, change, lift);
  shelf(root, shown, change, lift, words);
  live(root, shown, change, told, words);
  root.dataset.live = "";
}
