// What the small player shows and what is pressed on it.

import { clock, spokenTime } from "../shared/format.js";
import { translate } from "../shared/words.js";

/** @param {HTMLElement} box @param {import("../player/player.js").Player} player @param {import("../player/player.js").Track[]} tracks */
export function attachEmbedBar(box, player, tracks) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  attachToggle(part("toggle"), player);
  attachSeek(part, player);
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

function attachToggle(toggle, player) {
  toggle.addEventListener("click", () => player.toggle());
  const show = () => {
    const { paused } = player.audio;
    toggle.setAttribute("aria-label", paused ? translate("Play") : translate("Pause"));
    toggle.classList.toggle("is-playing", !paused);
  };
  for (const name of ["play", "pause", "emptied", "takeover"]) player.addEventListener(name, show);
}

function attachSeek(part, player) {
  const [seek, elapsed, length] = ["seek", "elapsed", "length"].map(part);
  let isDragging = false;
  const show = (second) => {
    seek.max = String(player.duration);
    if (!isDragging) seek.value = String(second);
    elapsed.textContent = clock(second);
    length.textContent = clock(player.duration);
    seek.setAttribute("aria-valuetext", spokenTime(second));
    seek.disabled = !player.url;
  };
  for (const name of ["timeupdate", "durationchange", "track", "load", "takeover", "seeking"]) {
    player.addEventListener(name, () => !isDragging && show(player.position));
  }
  seek.addEventListener("input", () => {
    isDragging = true;
    show(Number(seek.value));
  });
  seek.addEventListener("change", () => {
    isDragging = false;
    player.seek(Number(seek.value));
  });
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
