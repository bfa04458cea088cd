/**
 * The world programme: the line of the present, three clocks, what is on at any moment of the day, keys that move from
 * block to block, and everything said in the reader's own time. Without this file the page says the same in UTC.
 */

const lang = document.documentElement.lang || "en";
const MINUTE = 60_000;
const DAY = 1440;
const STEP = 15;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** The hour in a zone, undefined: the reader's. @param {string} [zone] */
function formatter(zone) {
  const found = formats.get(zone ?? "");
  if (found) return found;
  /** @type {Intl.DateTimeFormatOptions} */
  const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  let made;
  try {
    made = new Intl.DateTimeFormat(lang, { ...hour, timeZone: zone });
  } catch {
    // A zone this browser does not know.
    made = new Intl.DateTimeFormat(lang, { ...hour, timeZone: "UTC", timeZoneName: "short" });
  }
  formats.set(zone ?? "", made);
  return made;
}

// As the server writes them: 25 November, and 24 hours.
const locale = lang === "en" ? "en-GB" : lang;
const yours = formatter(undefined);
const utc = formatter("UTC");
const yourDay = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const shortDay = /** @type {const} */ ({ weekday: "short", day: "numeric", month: "short" });
const yourDate = new Intl.DateTimeFormat(locale, shortDay);
const pageDate = new Intl.DateTimeFormat(locale, { ...shortDay, timeZone: "UTC" });

/** @param {string} text @param {Record<string, string>} values */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/**
 * One screening of the page.
 * @typedef {{el: HTMLElement, link: HTMLAnchorElement, starts: number, ends: number, row: number, onDemand: boolean}} Show
 */

/* The three clocks. They go with the present, unless somebody asks about another moment or another place. */

/** @param {HTMLElement} root */
function mountClocks(root) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-clock-${name}]`));
  const there = part("there");
  const first = { zone: there.dataset.clockThere ?? "UTC", place: there.querySelector("dt")?.textContent ?? "" };
  let place = first;
  let there_ = formatter(place.zone);
  /** @type {number | null} */
  let then = null;

  function show() {
    const moment = new Date(then ?? Date.now());
    for (const [name, format] of /** @type {const} */ ([["yours", yours], ["there", there_], ["utc", utc]])) {
      const time = part(name).querySelector("time");
      if (!time) continue;
      time.textContent = format.format(moment);
      time.dateTime = moment.toISOString();
    }
    root.toggleAttribute("data-then", then !== null);
  }

  part("yours").hidden = false;
  return {
    show,
    /** @param {number | null} moment */
    at(moment) {
      then = moment;
      show();
    },
    /** @param {{zone: string, place: string} | null} asked */
    of(asked) {
      place = asked ?? first;
      there_ = formatter(place.zone);
      const name = there.querySelector("dt");
      if (name) name.textContent = place.place;
      show();
    },
  };
}

/** @param {HTMLElement} world @param {ReturnType<typeof mountClocks>} clocks */
function mountWorld(world, clocks) {
  const start = Date.parse(world.dataset.start ?? "");
  const sky = /** @type {HTMLElement} */ (world.querySelector("[data-sky]"));
  const list = /** @type {HTMLElement | null} */ (world.querySelector(".shows"));
  const rows = [.../** @type {NodeListOf<HTMLElement>} */ (world.querySelectorAll(".world-rows li"))];
  const words = /** @type {Record<string, string>} */ ({ ...world.dataset });
  /** @type {Show[]} */
  const shows = [.../** @type {NodeListOf<HTMLElement>} */ (world.querySelectorAll(".show"))].map((el) => ({
    el,
    link: /** @type {HTMLAnchorElement} */ (el.querySelector("a")),
    starts: Date.parse(el.dataset.starts ?? ""),
    ends: Date.parse(el.dataset.ends ?? ""),
    row: Number(el.dataset.row),
    onDemand: el.classList.contains("show-on_demand"),
  }));
  const x = (/** @type {number} */ minutes) => `${((minutes / DAY) * 100).toFixed(3)}%`;
  const wide = () => rows.length > 0 && rows[0].offsetParent !== null;

  /* In the reader's time. */

  /** The page is a day of UTC: where the reader's is another one by then, it is said. @param {number} moment */
  function otherDay(moment) {
    const there = yourDate.format(moment);
    return there === pageDate.format(start) ? "" : `${there}, `;
  }

  /** @param {Element} el @param {number} starts @param {number} ends @param {boolean} onDemand */
  function say(el, starts, ends, onDemand) {
    const mine = /** @type {HTMLElement | null} */ (el.querySelector("[data-yours]"));
    if (!mine) return;
    mine.textContent = onDemand
      ? filled(words.until, { moment: yourDay.format(ends) })
      : `${otherDay(starts)}${yours.format(starts)}–${yours.format(ends)} ${words.yourTime}`;
    mine.hidden = false;
  }

  for (const { el, starts, ends, onDemand } of shows) {
    say(el, starts, ends, onDemand);
    const hour = el.querySelector(".show-hour");
    const of = hour?.querySelector("[data-of]");
    if (!hour?.firstChild || !of) continue;
    hour.firstChild.textContent = yours.format(starts);
    of.textContent = `${otherDay(starts)}${words.yourTime}`;
  }
  for (const el of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-soon]"))) {
    say(el, Date.parse(el.dataset.starts ?? ""), Date.parse(el.dataset.ends ?? ""), el.dataset.onDemand !== undefined);
  }
  // On a phone what is over is put away, so that the present is what is seen first.
  /** @type {HTMLButtonElement | null} */
  let earlier = null;

  function unfold() {
    list?.classList.remove("shows-coming");
    earlier?.remove();
    earlier = null;
  }

  /** @param {number} over how many are */
  function fold(over) {
    if (!earlier) return;
    if (over >= shows.length) return unfold();
    earlier.textContent = filled(words.earlier, { count: String(over) });
  }

  const over = shows.filter(({ ends }) => ends <= Date.now()).length;
  if (list && words.today !== undefined && over && over < shows.length) {
    earlier = Object.assign(document.createElement("button"), { type: "button", className: "button button-quiet shows-earlier" });
    earlier.addEventListener("click", () => {
      unfold();
      shows[0].link.focus();
    });
    list.classList.add("shows-coming");
    list.before(earlier);
    fold(over);
  }

  const axis = /** @type {HTMLElement} */ (world.querySelector("[data-axis]"));
  axis.querySelectorAll("div.t > span").forEach((tick, n) => {
    tick.textContent = yours.format(start + n * 120 * MINUTE).replace(/:00$/, "");
  });
  axis.hidden = false;

  /* The present. */

  function tick() {
    const now = Date.now();
    const minutes = (now - start) / MINUTE;
    const line = /** @type {HTMLElement | null} */ (world.querySelector("[data-now]"));
    if (line) {
      line.hidden = minutes < 0 || minutes >= DAY;
      line.style.setProperty("--x", x(minutes));
      const label = line.querySelector("span");
      if (label) label.textContent = utc.format(now);
    }
    for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (world.querySelectorAll("[data-there]"))) {
      time.textContent = formatter(time.dataset.there).format(now);
    }
    for (const { el, starts, ends, onDemand } of shows) {
      const on = !onDemand && starts <= now && now < ends;
      el.classList.toggle("show-ended", ends <= now);
      if (el.classList.contains("show-on") === on) continue;
      el.classList.toggle("show-on", on);
      const state = /** @type {HTMLElement | null} */ (el.querySelector("[data-state]"));
      if (!state) continue;
      state.dataset.kind ??= state.textContent ?? "";
      state.textContent = on ? words.on : state.dataset.kind;
    }
    fold(shows.filter(({ ends }) => ends <= now).length);
    // The day is over: the page of today becomes that of the next day.
    if (words.today !== undefined && minutes >= DAY && !new URLSearchParams(location.search).get("day")) location.reload();
  }

  /* Any other moment: under the pointer, or where the slider is. */

  const line = Object.assign(document.createElement("div"), { className: "world-scrub", hidden: true });
  const label = Object.assign(document.createElement("span"), { className: "t" });
  line.append(label);
  line.setAttribute("aria-hidden", "true");
  sky.append(line);

  const hint = Object.assign(document.createElement("span"), { className: "player-hidden", id: "world-hint", textContent: words.scrubHint });
  const slider = Object.assign(document.createElement("input"), {
    type: "range", className: "world-slider", min: "0", max: String(DAY - 1), step: "1",
  });
  slider.setAttribute("aria-label", words.scrub);
  slider.setAttribute("aria-describedby", "world-hint");
  // It is not hidden from anybody, unlike the figures that it lies over.
  const hours = /** @type {HTMLElement} */ (world.querySelector(".world-hours"));
  const track = /** @type {HTMLElement} */ (hours.querySelector("div"));
  hours.removeAttribute("aria-hidden");
  for (const figure of hours.querySelectorAll("span")) figure.setAttribute("aria-hidden", "true");
  track.append(slider);
  hours.append(hint);

  /** @param {number | null} minutes */
  function scrub(minutes) {
    line.hidden = minutes === null;
    list?.toggleAttribute("data-then", minutes !== null && document.activeElement === slider);
    if (minutes === null) return clocks.at(null);
    const moment = start + minutes * MINUTE;
    line.style.setProperty("--x", x(minutes));
    label.textContent = utc.format(moment);
    for (const { el, starts, ends } of shows) el.classList.toggle("show-then", starts <= moment && moment < ends);
    clocks.at(moment);
  }

  /** @param {number} minutes */
  function slide(minutes) {
    slider.value = String(minutes);
    const moment = start + minutes * MINUTE;
    slider.setAttribute("aria-valuetext", filled(words.at, { utc: utc.format(moment), yours: yours.format(moment) }));
  }

  const present = (Date.now() - start) / MINUTE;
  const asked = Number(/^#m(\d{1,4})$/.exec(location.hash)?.[1] ?? NaN);
  slide(asked >= 0 && asked < DAY ? asked : present >= 0 && present < DAY ? Math.floor(present) : DAY / 2);
  if (asked >= 0 && asked < DAY) {
    // Somebody came here by the arrow keys, over the end of the day before or after.
    history.replaceState(null, "", location.pathname + location.search);
    slider.focus({ preventScroll: true });
    scrub(asked);
  }
  slider.addEventListener("input", () => {
    slide(Number(slider.value));
    scrub(Number(slider.value));
  });
  slider.addEventListener("focus", () => scrub(Number(slider.value)));
  slider.addEventListener("blur", () => scrub(null));
  slider.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -60, PageUp: 60 }[event.key];
    if (event.key === "Escape") slider.blur();
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const from = Number(slider.value);
    // Onto the quarters of the hour first.
    const to = by > 0 ? Math.floor(from / STEP) * STEP + by : Math.ceil(from / STEP) * STEP + by;
    if (to >= 0 && to < DAY) {
      slide(to);
      scrub(to);
      return;
    }
    const next = document.querySelector(`.days [rel=${to < 0 ? "prev" : "next"}]`);
    if (next instanceof HTMLAnchorElement) location.assign(`${next.href}#m${to < 0 ? DAY - STEP : 0}`);
  });

  /** @param {PointerEvent} event */
  function point(event) {
    if (!wide()) return;
    const box = sky.getBoundingClientRect();
    const minutes = Math.round(((event.clientX - box.left) / box.width) * DAY);
    scrub(Math.max(0, Math.min(DAY - 1, minutes)));
    const over = rows.findIndex((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return top <= event.clientY && event.clientY < bottom;
    });
    here(over < 0 ? null : rows[over]);
  }

  /** @param {HTMLElement | null} row */
  function here(row) {
    for (const one of rows) one.classList.toggle("here", one === row);
    const zone = /** @type {HTMLElement | null} */ (row?.querySelector("[data-there]") ?? null)?.dataset.there;
    clocks.of(zone ? { zone, place: row?.querySelector("a")?.textContent ?? "" } : null);
  }

  sky.addEventListener("pointermove", (event) => {
    if (!(event.target instanceof Element && event.target.closest(".show-words"))) point(event);
  });
  sky.addEventListener("pointerleave", () => {
    scrub(document.activeElement === slider ? Number(slider.value) : null);
    here(null);
  });

  /* Keys: from block to block. */

  /** @param {Show} from @param {string} key @returns {Show | undefined} */
  function towards(from, key) {
    // What is folded away is stepped over.
    const there = shows.filter(({ el }) => el.offsetParent !== null);
    if (key === "Home") return there[0];
    if (key === "End") return there.at(-1);
    const back = key === "ArrowLeft" || key === "ArrowUp";
    if (!wide()) return there[there.indexOf(from) + (back ? -1 : 1)];
    if (key === "ArrowLeft" || key === "ArrowRight") {
      // By time: the next of the row, else the next of all.
      const order = [...shows].sort((a, b) => Math.max(a.starts, start) - Math.max(b.starts, start) || a.row - b.row);
      const sameRow = order.filter((show) => show.row === from.row);
      const step = back ? -1 : 1;
      return sameRow[sameRow.indexOf(from) + step] ?? order[order.indexOf(from) + step];
    }
    const middle = (/** @type {Show} */ { el }) => el.offsetLeft + el.offsetWidth / 2;
    const ahead = shows.filter((show) => (back ? show.row < from.row : show.row > from.row));
    const row = back ? Math.max(...ahead.map((s) => s.row)) : Math.min(...ahead.map((s) => s.row));
    return ahead
      .filter((show) => show.row === row)
      .sort((a, b) => Math.abs(middle(a) - middle(from)) - Math.abs(middle(b) - middle(from)))[0];
  }

  list?.addEventListener("keydown", (event) => {
    const from = shows.find(({ link }) => link === event.target);
    if (!from || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "Escape") from.el.classList.add("show-hushed");
    if (!/^(Arrow\w+|Home|End)$/.test(event.key)) return;
    event.preventDefault();
    towards(from, event.key)?.link.focus();
  });
  // What Escape took away comes back with the next visit.
  for (const { el } of shows) {
    const back = () => el.classList.remove("show-hushed");
    el.addEventListener("focusout", back);
    el.addEventListener("pointerleave", back);
  }
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const { el } of shows) if (el.matches(":hover")) el.classList.add("show-hushed");
  });
  list?.addEventListener("focusin", (event) => {
    const show = shows.find(({ link }) => link === event.target);
    if (show) clocks.of({ zone: show.el.dataset.zone ?? "UTC", place: show.el.dataset.place ?? "" });
  });
  list?.addEventListener("focusout", () => clocks.of(null));

  return tick;
}

const head = /** @type {HTMLElement | null} */ (document.querySelector("[data-clocks]"));
if (head) {
  const clocks = mountClocks(head);
  let tick = () => {};
  const mount = () => {
    const world = /** @type {HTMLElement | null} */ (document.querySelector("[data-world]"));
    if (!world || world.dataset.mounted !== undefined) return;
    world.dataset.mounted = "";
    tick = mountWorld(world, clocks);
    tick();
  };
  mount();
  clocks.show();
  // The filters put another picture into the page.
  const results = document.querySelector("[data-results]");
  if (results) new MutationObserver(mount).observe(results, { childList: true });

  let timer = 0;
  const beat = () => {
    clearTimeout(timer);
    if (document.hidden) return;
    if (!head.hasAttribute("data-then")) clocks.show();
    tick();
    timer = setTimeout(beat, 10_000 - (Date.now() % 10_000) + 20);
  };
  document.addEventListener("visibilitychange", beat);
  beat();
}
