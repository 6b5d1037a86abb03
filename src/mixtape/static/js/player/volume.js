// The volume, which a browser keeps from one visit to the next.

import { canSetVolume } from "./levels.js";
import { fill } from "./slider.js";

/** @param {(name: string) => HTMLElement} part of the bar @param {import("./player.js").Player} player */
export function attachVolume(part, player) {
  const [mute, volume] = [part("mute"), part("volume")];
  const { levels } = player;
  volume.hidden = !canSetVolume();
  const show = () => {
    const { audio } = player;
    const isSilent = audio.muted || levels.volume === 0;
    mute.setAttribute("aria-pressed", String(audio.muted));
    mute.classList.toggle("is-muted", isSilent);
    volume.value = String(audio.muted ? 0 : Math.round(levels.volume * 100));
    volume.setAttribute("aria-valuetext", `${volume.value} %`);
    fill(volume, 0);
  };
  mute.addEventListener("click", () => {
    player.audio.muted = !player.audio.muted;
  });
  volume.addEventListener("input", () => {
    player.audio.muted = false;
    levels.setVolume(Number(volume.value) / 100);
  });
  for (const name of ["volumechange", "takeover"]) player.addEventListener(name, show);
  levels.addEventListener("change", show);
  show();
}
