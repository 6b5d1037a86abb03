// Tells the giver of a link how far its listener came, where the page says that it does.

const EVERY_MS = 15_000;

/** @param {HTMLElement} main @param {import("../player/player.js").Player} player */
export function attachHeard(main, player) {
  const notice = main.querySelector("[data-heard]");
  if (!notice) return;
  const { heard: url, token } = notice.dataset;
  let toldAt = -EVERY_MS;
  let told = "";

  const tell = () => {
    const { track, position } = player;
    const place = Number(track?.key);
    const isHeard = track && player.url && Number.isInteger(place) && position > 0;
    const second = Math.floor(position);
    if (!isHeard || told === `${place} ${second}`) return;
    toldAt = performance.now();
    told = `${place} ${second}`;
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    // Lost ones are no loss: the next says more.
    fetch(url, { method: "POST", headers, body: JSON.stringify({ token, place, second }), keepalive: true }).catch(() => {});
  };
  player.addEventListener("timeupdate", () => {
    if (!player.audio.paused && performance.now() - toldAt >= EVERY_MS) tell();
  });
  player.addEventListener("pause", tell);
  addEventListener("pagehide", () => !player.audio.paused && tell());
}
