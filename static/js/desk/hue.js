/**
 * A festival's colour: the swatch and the thumb show what the slider is set to, and touching it means choosing it.
 * Without this file the slider and the two choices are sent as they are.
 */

for (const root of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-hue-choice]"))) {
  const range = root.querySelector("input[type=range]");
  const own = root.querySelector("input[value=own]");
  const figure = root.querySelector("output");
  if (!(range instanceof HTMLInputElement && own instanceof HTMLInputElement && figure)) continue;
  const coloured = [range.closest("label"), root.querySelector("[data-hue-swatch]")];
  const show = () => {
    for (const element of coloured) if (element instanceof HTMLElement) element.style.setProperty("--hue", range.value);
    figure.textContent = `${range.value}°`;
    figure.hidden = false;
  };
  range.addEventListener("input", () => {
    own.checked = true;
    show();
  });
  show();
}
