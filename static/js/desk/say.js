/** The bubble at a block: when and where it would be, and what stands against that. One for the whole page. */

/** @typedef {{severity: string, detail: string}} Against */

/** @param {HTMLElement} root */
export function saying(root) {
  const bubble = Object.assign(document.createElement("div"), { className: "desk-say", popover: "manual" });
  // Who listens hears the same from the block's description, or as it changes.
  bubble.setAttribute("aria-hidden", "true");
  root.append(bubble);

  /** @param {DOMRect} at */
  function place(at) {
    const frame = document.documentElement;
    const { width, height } = bubble.getBoundingClientRect();
    const below = at.bottom + height + 12 < frame.clientHeight;
    const left = Math.min(Math.max(8, at.left), frame.clientWidth - width - 8);
    bubble.style.left = `${left}px`;
    bubble.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - height - 8)}px`;
  }

  return {
    /** @param {DOMRect} at @param {string} title @param {Against[]} against */
    show(at, title, against) {
      const list = document.createElement("ul");
      for (const { severity, detail } of against) {
        list.append(Object.assign(document.createElement("li"), { className: `why-${severity}`, textContent: detail }));
      }
      bubble.replaceChildren(...(title ? [Object.assign(document.createElement("b"), { textContent: title })] : []), ...(against.length ? [list] : []));
      if (!bubble.matches(":popover-open")) bubble.showPopover();
      place(at);
    },
    hide() {
      if (bubble.matches(":popover-open")) bubble.hidePopover();
    },
  };
}
