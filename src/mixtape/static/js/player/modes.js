// Shuffle and repeat, wherever there are buttons for them.

import { REPEATS } from "./queue.js";
import { translate } from "../shared/words.js";

/** @returns {Record<string, string>} */
const labels = () => ({
  off: translate("Repeat: off"),
  all: translate("Repeat: all"),
  one: translate("Repeat: this track"),
});

/** @param {import("./player.js").Player} player */
export function attachModes(player) {
  const shuffles = [...document.querySelectorAll("[data-shuffle]")];
  const repeats = [...document.querySelectorAll("[data-repeat]")];
  const show = () => {
    const { isShuffled, repeat } = player.list;
    for (const button of shuffles) button.setAttribute("aria-pressed", String(isShuffled));
    for (const button of repeats) {
      button.dataset.repeat = repeat;
      button.setAttribute("aria-label", labels()[repeat]);
      button.title = labels()[repeat];
    }
  };
  for (const button of shuffles) {
    button.addEventListener("click", () => {
      player.list.shuffle(!player.list.isShuffled);
      player.changed();
    });
  }
  for (const button of repeats) {
    button.addEventListener("click", () => {
      player.list.repeat = REPEATS[(REPEATS.indexOf(player.list.repeat) + 1) % REPEATS.length];
      player.changed();
    });
  }
  player.addEventListener("queue", show);
  show();
}
