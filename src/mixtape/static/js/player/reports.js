// Tells the server what is played, so that it is shown to the user's other players and counted.

import { send } from "../shared/api.js";

const EVERY_MS = 30_000;

/** @param {import("./player.js").Player} player @param {string} url */
export function attachReports(player, url) {
  // No more than a name that tells this page from others: two may play at once.
  const page = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  let said = { id: 0, state: "", at: 0 };
  let isNew = false;

  const tell = (state, options) => {
    const { track, position } = player;
    const id = track?.id;
    if (!id) return;
    const isSame = said.id === id && !isNew;
    const body = { page, id, state, position, rate: player.audio.playbackRate, is_new: !isSame };
    said = { id, state, at: performance.now() };
    isNew = false;
    // Lost ones are no loss: the next says more.
    send("POST", url, body, options).catch(() => {});
  };

  player.addEventListener("track", () => {
    isNew = true;
  });
  player.addEventListener("timeupdate", () => {
    if (player.audio.paused || player.audio.ended) return;
    const isNews = isNew || said.state !== "playing" || performance.now() - said.at >= EVERY_MS;
    if (isNews) tell("playing");
  });
  player.addEventListener("pause", () => {
    if (said.state === "playing" && !isNew) tell(player.audio.ended ? "stopped" : "paused");
  });
  player.addEventListener("ended", () => {
    if (said.state !== "stopped" && !isNew) tell("stopped");
  });
  addEventListener("pagehide", () => {
    if (said.state === "playing" || said.state === "paused") tell("stopped", { keepalive: true });
  });
}
