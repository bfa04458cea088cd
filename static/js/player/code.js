/**
 * Access codes of closed screenings: typed once on the screening's page, kept for as long as the tab is open, and sent
 * whenever one of its works is asked for.
 */

/** @type {Map<string, string>} for browsers that keep nothing */
const here = new Map();

/** @param {string} screening its slug */
const name = (screening) => `showcase-code-${screening}`;

/** @param {string | undefined} screening @returns {string} the code that was typed; empty without one */
export function code(screening) {
  if (!screening) return "";
  try {
    return sessionStorage.getItem(name(screening)) ?? here.get(screening) ?? "";
  } catch {
    return here.get(screening) ?? "";
  }
}

/** @param {string} screening @param {string} text */
export function keep(screening, text) {
  here.set(screening, text);
  try {
    sessionStorage.setItem(name(screening), text);
  } catch {
    // It is known until the page is left.
  }
}

/** Let the form on the page take a code. @param {HTMLFormElement} form with `data-code` */
export function mount(form) {
  const screening = form.dataset.code ?? "";
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("code"));
  const said = form.querySelector("[data-code-said]");
  const button = form.querySelector("button");
  let asking = false;
  field.value = code(screening);
  if (button) button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = field.value.trim();
    if (asking) return;
    asking = true;
    const refused = given ? await wrong(screening, given) : "";
    asking = false;
    field.setAttribute("aria-invalid", String(refused !== ""));
    if (said instanceof HTMLElement) {
      said.textContent = refused || (given ? (said.dataset.kept ?? "") : "");
      said.className = refused ? "error" : "hint";
    }
    if (refused) return field.focus();
    keep(screening, given);
    document.dispatchEvent(new CustomEvent("showcase-code", { detail: screening }));
  });
}

/**
 * Why a code is not taken, in words; empty when it is good, and when nobody can say just now: playing will tell.
 * @param {string} screening its slug @param {string} given
 */
async function wrong(screening, given) {
  try {
    const answer = await fetch(`/api/v1/screenings/${screening}/code`, {
      method: "POST",
      headers: { Accept: "application/json", "Accept-Language": document.documentElement.lang, "Content-Type": "application/json" },
      body: JSON.stringify({ code: given }),
    });
    if (answer.ok || answer.status >= 500) return "";
    return String((await answer.json()).detail ?? "");
  } catch {
    return "";
  }
}
