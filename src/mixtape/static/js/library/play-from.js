// "Play all" and "Shuffle" of what the page shows only in part, such as a folder with those below it.

import { tracksAt } from "../add/subject.js";
import { pageOf } from "./track-list.js";
import { toast } from "../shared/spoken.js";

/** @param {HTMLElement} main @param {import("../player/player.js").Player} player */
export function attachPlayFrom(main, player) {
  main.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-play-from]");
    if (!button || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    // While the press is fresh: a phone lets no music begin later.
    player.decks.unlock();
    try {
      player.play(await tracksAt(button.dataset.playFrom), -1, pageOf(main));
    } catch (error) {
      toast(error.message);
    }
    button.removeAttribute("aria-busy");
  });
}
