// The title of the tab says what plays, and which page it is.

/** @param {import("./player.js").Player} player */
export function attachTabTitle(player) {
  let page = document.title;
  let shown = page;
  const show = () => {
    const { audio, track } = player;
    shown = track && player.url && !audio.paused ? `▶ ${track.title} · ${page}` : page;
    if (document.title !== shown) document.title = shown;
  };
  // Whoever else changes it has gone to another page.
  const watch = new MutationObserver(() => {
    if (document.title === shown) return;
    page = document.title;
    show();
  });
  watch.observe(document.querySelector("title"), { childList: true, characterData: true, subtree: true });
  for (const name of ["track", "play", "pause", "emptied", "takeover"]) player.addEventListener(name, show);
}
