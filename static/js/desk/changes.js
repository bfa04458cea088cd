/**
 * What people change on the timeline: saved at once with the revision they saw, so that nobody overwrites another
 * silently, told in words, and undone in the order it was done.
 */

import { call, reason } from "./api.js";
import { filled, DAY, MINUTE } from "./clock.js";

const MOST = 50;

/**
 * @typedef {import("./board.js").When} When
 * @typedef {{slug: string, title: string, place: string, to: When | null, slots?: object[], from: number, revision: number}} Step
 *   what undoes a change: back `to`, or (null) away; the change led `from` one revision to another
 */

/** @param {string} slug */
const address = (slug) => `/api/v1/screenings/${encodeURIComponent(slug)}`;

/**
 * @param {import("./board.js").Board} board
 * @param {ReturnType<typeof import("./notes.js").notes>} told
 * @param {Record<string, string>} words
 */
export function changes(board, told, words) {
  /** @type {Step[]} */
  const steps = [];
  /** What was saved here: others hear of it, and so does this page. @type {Set<string>} */
  const own = new Set();
  /** What is being saved (empty: something new): its answer tells of it better. @type {Set<string>} */
  const busy = new Set();
  /** What is being saved by now, and what is taken back after it. @type {Promise<unknown>} */
  let last = Promise.resolve();
  const changed = new EventTarget();
  const iso = (/** @type {number} */ moment) => new Date(moment).toISOString();

  /** @param {Step} step */
  function remember(step) {
    steps.push(step);
    if (steps.length > MOST) steps.shift();
    changed.dispatchEvent(new Event("steps"));
  }

  /**
   * What is taken back waits for it.
   * @template {any[]} Given @template Made
   * @param {(...given: Given) => Promise<Made>} save @returns {(...given: Given) => Promise<Made>}
   */
  const awaited = (save) => (...given) => {
    const saving = save(...given);
    last = Promise.allSettled([last, saving]);
    return saving;
  };

  /** One's own saving led from one revision to another: what came before it can still be taken back. @param {string} slug @param {number} from @param {number} to */
  function carry(slug, from, to) {
    for (const one of steps) if (one.slug === slug && one.revision === from) one.revision = to;
  }

  /** @param {(step: Step) => boolean} which */
  function forget(which) {
    const kept = steps.filter((step) => !which(step));
    steps.splice(0, steps.length, ...kept);
    changed.dispatchEvent(new Event("steps"));
  }

  /** @param {{slug: string, revision?: number, state: string}} body */
  function mine(body) {
    own.add(`${body.slug} ${body.revision} ${body.state}`);
  }

  /** Errors first; what is only worth a look is at the block. @param {any} body @param {string} sentence */
  function tell(body, sentence) {
    told.clear();
    const errors = /** @type {{severity: string, detail: string}[]} */ (body.conflicts ?? []).filter((c) => c.severity === "error");
    told.say([sentence, ...errors.map((c) => c.detail)].join(" "));
  }

  /**
   * Save another time or room.
   * @param {string} slug @param {When} to @param {number} [seen] the revision that was seen, unless it is the board's
   * @returns {Promise<boolean>}
   */
  async function move(slug, to, seen) {
    const before = board.screening(slug);
    if (!before || Number.isNaN(to.starts) || Number.isNaN(to.ends)) return false;
    busy.add(slug);
    const answer = await call("PATCH", address(slug), {
      starts: iso(to.starts),
      ends: iso(to.ends),
      ...(to.room !== before.room ? { room: to.room } : {}),
      revision: seen ?? before.revision,
    });
    if (answer.ok) {
      mine(answer.body);
      const { starts, ends, room } = before;
      remember({ slug, title: before.title, place: before.place, to: { starts, ends, room }, from: seen ?? before.revision, revision: answer.body.revision });
      await board.refresh();
      busy.delete(slug);
      const now = board.screening(slug) ?? { ...before, ...to };
      tell(answer.body, filled(before.state === "published" ? words.savedPublic : words.saved, { title: before.title, when: board.said(now, now.place) }));
      return true;
    }
    await board.refresh();
    busy.delete(slug);
    const now = board.screening(slug);
    if (answer.body.code === "changed-meanwhile" && now) {
      told.note(filled(words.meanwhile, { title: now.title, now: board.said(now, now.place), yours: board.said(to, now.place) }), {
        bad: true,
        offer: words.allTheSame,
        act: () => awaited(move)(slug, to),
      });
    } else {
      const why = answer.status === 404 ? words.gone : reason(answer, words.unreachable);
      told.note(filled(words.refused, { title: before.title, why }), { bad: true });
    }
    return false;
  }

  /** Make a draft. @param {object} given as POST /api/v1/screenings takes it @param {string} title */
  async function create(given, title) {
    busy.add("");
    const answer = await call("POST", "/api/v1/screenings", { festival: board.facts.festival, ...given });
    busy.delete("");
    if (!answer.ok) {
      told.note(filled(words.refused, { title, why: reason(answer, words.unreachable) }), { bad: true });
      return null;
    }
    const made = answer.body;
    mine(made);
    remember({ slug: made.slug, title, place: "", to: null, from: 0, revision: made.revision });
    await board.refresh();
    const now = board.screening(made.slug);
    const link = board.block(made.slug)?.querySelector("a");
    link?.scrollIntoView({ block: "nearest", inline: "nearest" });
    link?.focus({ preventScroll: true });
    tell(made, filled(words.made, { title, when: now ? board.said(now, now.place) : "" }));
    return made;
  }

  /**
   * A work from the shelf, in a room at a time.
   * @param {{slug: string, titles: Record<string, string>, title: string}} work @param {string} place @param {string} room @param {number} starts
   */
  function put(work, place, room, starts) {
    const { en, fr } = work.titles;
    const title = en || fr ? { ...(en ? { en } : {}), ...(fr ? { fr } : {}) } : { en: work.title };
    const demand = place === "on_demand";
    return create(
      { kind: demand ? "on_demand" : "premiere", title, room, starts: iso(starts), ...(demand ? { ends: iso(starts + DAY) } : {}), slots: [{ work: work.slug }] },
      work.title,
    );
  }

  /** A further work in a premiere, which then lasts as much longer. @param {string} slug @param {{slug: string, length: number}} work */
  async function append(slug, work) {
    const before = board.screening(slug);
    const found = await call("GET", address(slug));
    if (!before || !found.ok) return told.note(reason(found, words.unreachable), { bad: true });
    const { slots } = found.body;
    const ends = before.ends + Math.max(1, Math.ceil(work.length / MINUTE)) * MINUTE;
    const answer = await call("PATCH", address(slug), { slots: [...slots, { work: work.slug }], ends: iso(ends), revision: before.revision });
    if (answer.ok) {
      mine(answer.body);
      const { starts, room } = before;
      remember({ slug, title: before.title, place: before.place, to: { starts, ends: before.ends, room }, slots, from: before.revision, revision: answer.body.revision });
    }
    await board.refresh();
    if (answer.ok) tell(answer.body, filled(words.added, { title: before.title, when: board.said({ ...before, ends }, before.place) }));
    else told.note(filled(words.refused, { title: before.title, why: answer.body.code === "changed-meanwhile" ? words.lookAgain : reason(answer, words.unreachable) }), { bad: true });
  }

  /** The same once more, as a draft, at the next free time after its end. @param {string} slug */
  async function duplicate(slug) {
    const one = board.screening(slug);
    const found = await call("GET", address(slug));
    if (!one || !found.ok) return told.note(reason(found, words.unreachable), { bad: true });
    const { kind, title, text, languages, notes, slots, minimum_age, closed } = found.body;
    const room = one.place === "elsewhere" ? "" : one.room;
    const at = board.free("", kind, { starts: one.ends, ends: one.ends + (one.ends - one.starts), room });
    return create({ kind, title, text, languages, notes, slots, minimum_age, closed, room, starts: iso(at.starts), ends: iso(at.ends) }, one.title);
  }

  /** @param {string} slug @param {number} seen the revision that was looked at */
  async function publish(slug, seen) {
    const answer = await call("POST", `${address(slug)}/publish`, { revision: seen });
    if (answer.ok) {
      mine(answer.body);
      carry(slug, seen, answer.body.revision);
    }
    await board.refresh();
    if (answer.ok) told.say(filled(words.published, { title: board.screening(slug)?.title ?? "" }));
    return answer.ok ? "" : reason(answer, words.unreachable);
  }

  /** @param {string} slug @param {"withdraw" | "delete"} act */
  async function end(slug, act) {
    const title = board.screening(slug)?.title ?? "";
    const answer = act === "delete" ? await call("DELETE", address(slug)) : await call("POST", `${address(slug)}/withdraw`);
    if (answer.ok && act === "withdraw") {
      mine(answer.body);
      // Only what is public is withdrawn, so its revision rose by one.
      carry(slug, answer.body.revision - 1, answer.body.revision);
    }
    if (answer.ok && act === "delete") {
      own.add(slug);
      forget((step) => step.slug === slug);
    }
    await board.refresh();
    if (answer.ok) told.say(filled(act === "delete" ? words.deleted : words.withdrawn, { title }));
    return answer.ok ? "" : reason(answer, words.unreachable);
  }

  /** Take the last change back, unless somebody changed the same since. One after the other: each needs what the one before it left. */
  function undo() {
    last = last.then(takeBack, takeBack);
    return last;
  }

  async function takeBack() {
    const step = steps.at(-1);
    if (!step) return;
    const { slug, to, slots } = step;
    let answer;
    if (to === null) {
      // A call removes whatever is there: first see that it is still what was made here.
      answer = await call("GET", address(slug));
      if (answer.ok && answer.body.revision !== step.revision) answer = { ok: false, status: 409, body: { code: "changed-meanwhile" } };
      else if (answer.ok && answer.body.state !== "draft") answer = { ok: false, status: 409, body: { detail: words.noDraft } };
      else if (answer.ok) answer = await call("DELETE", address(slug));
      if (answer.ok) own.add(slug);
    } else {
      const room = to.room !== board.screening(slug)?.room ? { room: to.room } : {};
      answer = await call("PATCH", address(slug), { starts: iso(to.starts), ends: iso(to.ends), ...room, ...(slots ? { slots } : {}), revision: step.revision });
    }
    // What was not reached or not let in now can be tried again; what was refused would be so again.
    if (![0, 401, 429].includes(answer.status) && answer.status < 500) forget((one) => one === step);
    if (answer.ok && to !== null) {
      mine(answer.body);
      carry(slug, step.from, answer.body.revision);
    }
    await board.refresh();
    if (answer.ok) {
      told.say(filled(to === null ? words.undoneMade : words.undone, { title: step.title, when: to ? board.said(to, step.place) : "" }));
      board.block(slug)?.querySelector("a")?.focus({ preventScroll: true });
    } else {
      const why = answer.body.code === "changed-meanwhile" ? words.since : reason(answer, words.unreachable);
      told.note(filled(words.notUndone, { title: step.title, why }), { bad: true });
    }
  }

  return {
    move: awaited(move),
    put: awaited(put),
    append: awaited(append),
    duplicate: awaited(duplicate),
    publish: awaited(publish),
    end: awaited(end),
    undo,
    own,
    busy,
    changed,
    count: () => steps.length,
  };
}
