// What the small player shows and what is pressed on it.

import { attachPosition, attachToggle } from "../player/controls.js";

/** @param {HTMLElement} box @param {import("../player/player.js").Player} player @param {import("../player/player.js").Track[]} tracks */
export function attachEmbedBar(box, player, tracks) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  attachToggle(part("toggle"), player);
  attachPosition(part, player);
  attachTracks(box, player, tracks);
  const line = part("line");
  const facts = line.textContent;
  const show = () => {
    const { track, url, message } = player;
    const playing = track && url ? [track.title, track.artist].filter(Boolean).join(" – ") : facts;
    line.textContent = message || playing;
  };
  for (const name of ["track", "load", "takeover", "message"]) player.addEventListener(name, show);
}

function attachTracks(box, player, tracks) {
  const rows = [...box.querySelectorAll("[data-track]")];
  rows.forEach((row, index) => {
    row.querySelector("button").addEventListener("click", () => {
      if (player.url && player.index === index) player.toggle();
      else player.play(tracks, index);
    });
  });
  const mark = () => {
    for (const [index, row] of rows.entries()) {
      const isCurrent = Boolean(player.url) && index === player.index;
      row.classList.toggle("is-current", isCurrent);
      row.querySelector("button").toggleAttribute("aria-current", isCurrent);
    }
  };
  for (const name of ["track", "load", "takeover"]) player.addEventListener(name, mark);
}
