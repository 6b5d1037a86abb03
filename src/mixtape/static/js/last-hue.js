// The colour that the page of a mixtape had the last time, which mixtape/tint.js finds. No module,
// so that it has it before the first paint.
(() => {
  try {
    const hue = window.localStorage.getItem(`mixtape.hue.${window.location.pathname.split("/").pop()}`);
    if (!hue) return;
    document.documentElement.style.setProperty("--mt-hue", hue);
    document.documentElement.dataset.tinted = "";
  } catch {
    // A browser that remembers nothing finds the colour again.
  }
})();
