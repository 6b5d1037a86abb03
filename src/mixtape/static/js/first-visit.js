// Whoever opens the page of a mixtape for the first time sees its cassette. No module, so that this
// is known before the first paint; mixtape/opening.js opens it.
(() => {
  const slug = window.location.pathname.split("/").pop();
  try {
    if (window.localStorage.getItem(`mixtape.opened.${slug}`)) return;
  } catch {
    // A browser that remembers nothing shows it every time.
  }
  document.documentElement.dataset.opening = "shut";
})();
