/** Files that are dropped anywhere on the page. */

/**
 * @param {HTMLElement | null} place what says where they go
 * @param {(files: File[], folders: string[]) => void} take
 */
export function drop(place, take) {
  const sign = /** @type {HTMLElement | null} */ (place?.querySelector("[data-drop-here]") ?? null);
  let depth = 0;

  /** @param {boolean} over */
  function show(over) {
    if (!over) depth = 0;
    place?.classList.toggle("drop-over", over);
    if (sign) sign.hidden = !over;
  }

  /** @param {DragEvent} event */
  const holds = (event) => event.dataTransfer?.types.includes("Files") ?? false;

  // Entering a child comes before leaving its parent: only the last leave counts.
  addEventListener("dragenter", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (!holds(event)) return;
    depth -= 1;
    if (depth <= 0) show(false);
  });
  addEventListener("dragover", (event) => {
    if (!holds(event) || !event.dataTransfer) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", (event) => {
    if (!holds(event) || !event.dataTransfer) return;
    event.preventDefault();
    show(false);
    const folders = new Set(
      [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory).map((entry) => entry?.name ?? ""),
    );
    take([...event.dataTransfer.files].filter((file) => !folders.has(file.name)), [...folders]);
  });
}
