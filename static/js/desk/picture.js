/**
 * A festival's picture: a file that is too large is said so before it is sent, so nothing typed has to come back.
 * Without this file the server says it.
 */

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("[data-picture-form]"))) {
  const input = form.querySelector("input[type=file]");
  const said = form.querySelector("[data-too-large]");
  if (!(input instanceof HTMLInputElement && said instanceof HTMLElement)) continue;
  input.addEventListener("change", () => {
    const sentence = (input.files?.[0]?.size ?? 0) > Number(form.dataset.most) ? (said.dataset.tooLarge ?? "") : "";
    input.setCustomValidity(sentence);
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    said.textContent = sentence;
    said.parentElement?.classList.toggle("field-bad", sentence !== "");
  });
}
