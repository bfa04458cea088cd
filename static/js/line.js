/** A line to the server's events that comes back by itself, whatever ended it. */

const RECONNECT_MS = [2000, 5000, 15000, 60000];

/**
 * @param {string} address
 * @param {Record<string, (event: MessageEvent) => void>} heard what to do at each event, by its name
 * @param {{open: (missed: boolean) => void, lost?: () => void}} on `open`: `missed` whether something may have happened
 *   while nobody listened; `lost`: each time that it is away or cannot be opened
 */
export function line(address, heard, { open, lost }) {
  /** @type {EventSource | null} */
  let source = null;
  let timer = 0;
  let failed = 0;
  let missed = false;

  function listen() {
    clearTimeout(timer);
    source?.close();
    const mine = new EventSource(address);
    source = mine;
    mine.addEventListener("open", () => {
      const since = missed;
      failed = 0;
      missed = false;
      open(since);
    });
    for (const [name, act] of Object.entries(heard)) mine.addEventListener(name, (event) => act(/** @type {MessageEvent} */ (event)));
    mine.addEventListener("error", () => {
      if (mine !== source) return;
      missed = true;
      lost?.();
      // A lost line is mended by the browser; an answer that is no stream (a server that starts, a proxy) ends it.
      if (mine.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(listen, RECONNECT_MS[Math.min(failed, RECONNECT_MS.length - 1)]);
      failed += 1;
    });
  }

  addEventListener("pagehide", () => {
    clearTimeout(timer);
    source?.close();
    source = null;
    missed = true;
  });
  // The browser kept the page and shows it again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) listen();
  });
  listen();
}
