/** Calls of the site's own API, in the language of the page. */

/**
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {number} status 0: the server could not be reached
 * @property {any} body what it answered; of a refusal its `code` and, in words, its `detail`
 */

/** @param {string} method @param {string} path @param {unknown} [body] @param {AbortSignal} [signal] @returns {Promise<Answer>} */
export async function call(method, path, body, signal) {
  try {
    const answer = await fetch(path, {
      method,
      signal,
      headers: {
        Accept: "application/json",
        "Accept-Language": document.documentElement.lang,
        "X-Requested-With": "showcase",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, body: said };
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    return { ok: false, status: 0, body: {} };
  }
}

/** What a refusal says: each field's sentence, else its own. @param {Answer} answer @param {string} otherwise */
export function reason(answer, otherwise) {
  const fields = /** @type {{detail: string}[]} */ (answer.body.errors ?? []).map((e) => e.detail);
  return fields.length ? fields.join(" ") : answer.body.detail || otherwise;
}
