/**
 * A form that loses nothing: what was typed is kept in this tab until the server has it, through a reload, a crash or a
 * form elsewhere on the page. The revision it was typed on is kept with it, so that somebody else's save is not undone.
 */

/** @typedef {{fields: Record<string, unknown[]>, revision: string, sent: boolean}} Kept */
/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/** @param {HTMLFormElement} form @param {string} here the page's address without language or query */
export function keep(form, here) {
  const key = `showcase.typed ${here}`;
  const dirty = form.querySelector("[data-dirty]");
  const revision = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=revision]"));
  const refused = "refused" in form.dataset;
  // Only an answer to this very form shows what was typed into it.
  let answered = false;

  const kept = read(key);
  if (kept?.sent && refused) {
    answered = true;
    write(key, { fields: values(form), revision: revision?.value ?? "", sent: false });
  } else if (kept?.sent && location.hash === "#saved") {
    forget(key);
  } else if (kept) {
    restore(form, kept.fields);
    if (changed(form)) {
      if (revision) revision.value = kept.revision;
      write(key, { ...kept, sent: false });
    } else {
      forget(key);
    }
  }
  show();

  function show() {
    if (dirty instanceof HTMLElement) dirty.hidden = !(answered || changed(form));
  }

  function typed() {
    if (answered || changed(form)) write(key, { fields: values(form), revision: revision?.value ?? "", sent: false });
    else forget(key);
    show();
  }

  form.addEventListener("input", typed);
  form.addEventListener("change", typed);
  form.addEventListener("submit", () => {
    write(key, { fields: values(form), revision: revision?.value ?? "", sent: true });
  });
}

/** @param {HTMLFormElement} form @returns {Control[]} */
function controls(form) {
  return /** @type {Control[]} */ ([...form.elements].filter((el) => "name" in el && el.name && el.type !== "hidden"));
}

/** @param {Control} el */
function value(el) {
  return el instanceof HTMLInputElement && (el.type === "checkbox" || el.type === "radio") ? el.checked : el.value;
}

/** @param {HTMLFormElement} form @returns {Record<string, unknown[]>} name -> the values of the fields of that name */
function values(form) {
  /** @type {Record<string, unknown[]>} */
  const found = {};
  for (const el of controls(form)) (found[el.name] ??= []).push(value(el));
  return found;
}

/** @param {HTMLFormElement} form @param {Record<string, unknown[]>} fields */
function restore(form, fields) {
  /** @type {Record<string, number>} */
  const seen = {};
  for (const el of controls(form)) {
    const n = (seen[el.name] = (seen[el.name] ?? -1) + 1);
    const given = fields[el.name]?.[n];
    if (typeof given === "boolean" && el instanceof HTMLInputElement) el.checked = given;
    else if (typeof given === "string") el.value = given;
    // What is inside a closed part of the page would be saved unseen.
    if (given !== undefined && different(el)) el.closest("details")?.setAttribute("open", "");
  }
}

/** @param {Control} el */
function different(el) {
  if (el instanceof HTMLSelectElement) {
    const standing = [...el.options].findLast((o) => o.defaultSelected) ?? el.options[0];
    return standing !== undefined && el.value !== standing.value;
  }
  if (el instanceof HTMLInputElement && (el.type === "checkbox" || el.type === "radio")) return el.checked !== el.defaultChecked;
  return el.value !== el.defaultValue;
}

/** @param {HTMLFormElement} form */
function changed(form) {
  return controls(form).some(different);
}

/** @param {string} key @returns {Kept | null} */
function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} key @param {Kept} kept */
function write(key, kept) {
  try {
    sessionStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // No storage: the form works as any other.
  }
}

/** @param {string} key */
function forget(key) {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // There is nothing to forget then.
  }
}
