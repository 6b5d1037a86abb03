// The player at the bottom of the page: shows what the Player does and passes on what is pressed.

import { attachTransport } from "./controls.js";
import { attachVolume } from "./volume.js";
import { translate } from "../shared/words.js";

/** @param {HTMLElement} bar @param {import("./player.js").Player} player */
export function attachPlayerBar(bar, player) {
  const part = (name) => bar.querySelector(`[data-part="${name}"]`);
  attachTransport(part, player);
  attachVolume(part, player);
  attachTrack(bar, part, player);
  const quality = part("quality");
  quality.value = player.quality;
  quality.addEventListener("change", () => player.setQuality(quality.value));
}

function attachTrack(bar, part, player) {
  const cover = part("cover");
  cover.addEventListener("error", () => {
    cover.hidden = true;
  });
  player.addEventListener("track", () => {
    const { track } = player;
    part("title").textContent = track.title;
    part("artist").textContent = track.artist || translate("Unknown artist");
    showSource(part("source"), player);
    cover.hidden = !track.cover;
    if (track.cover) cover.src = track.cover;
    bar.classList.add("has-track");
  });
  // A bar that only offers a first track, as that of a mixtape's page does, would take room from a
  // small page before it is wanted.
  const isOwners = "lookupUrl" in bar.dataset;
  const begin = () => bar.classList.toggle("has-begun", isOwners || player.hasBegun);
  for (const name of ["track", "load", "takeover"]) player.addEventListener(name, begin);
}

/** Lead to what the music comes from: the page that it was begun on, else the album. */
function showSource(link, { source, track }) {
  const { title, url } = source ?? { title: track.album, url: track.albumUrl };
  link.textContent = url ? title : "";
  link.hidden = !url || !title;
  if (url) link.href = url;
}
