// The button in the player that adds what is playing.

import { translate } from "../shared/words.js";
import { idOf } from "./subject.js";

/** @param {HTMLElement} bar @param {import("../player/player.js").Player} player @returns {HTMLButtonElement} */
export function makePlayingButton(bar, player) {
  const button = document.getElementById("add-playing").content.firstElementChild.cloneNode(true);
  const show = () => {
    const { track } = player;
    button.hidden = !track || !idOf(track);
    if (track) button.setAttribute("aria-label", translate("Add “%(name)s” to a mixtape", { name: track.title }));
  };
  player.addEventListener("track", show);
  show();
  bar.querySelector(".player-track").append(button);
  return button;
}
