// Before the first paint: the light or dark that was chosen here earlier.
(() => {
  try {
    const chosen = localStorage.getItem("showcase.scheme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.scheme = chosen;
  } catch {
    // No storage: the system's scheme it is.
  }
})();
