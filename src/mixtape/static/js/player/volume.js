// The volume, which a browser keeps from one visit to the next.

import { recall, remember } from "../shared/storage.js";
import { fill } from "./slider.js";

/** @param {(name: string) => HTMLElement} part of the bar @param {import("./player.js").Player} player */
export function attachVolume(part, player) {
  const [mute, volume] = [part("mute"), part("volume")];
  player.audio.volume = Math.min(100, Math.max(0, Number(recall("volume", "100")) || 0)) / 100;
  const show = () => {
    const { audio } = player;
    const isSilent = audio.muted || audio.volume === 0;
    mute.setAttribute("aria-pressed", String(audio.muted));
    mute.classList.toggle("is-muted", isSilent);
    volume.value = String(audio.muted ? 0 : Math.round(audio.volume * 100));
    volume.setAttribute("aria-valuetext", `${volume.value} %`);
    fill(volume, 0);
  };
  mute.addEventListener("click", () => {
    player.audio.muted = !player.audio.muted;
  });
  volume.addEventListener("input", () => {
    player.audio.muted = false;
    player.audio.volume = Number(volume.value) / 100;
    remember("volume", volume.value);
  });
  for (const name of ["volumechange", "takeover"]) player.addEventListener(name, show);
  show();
}
