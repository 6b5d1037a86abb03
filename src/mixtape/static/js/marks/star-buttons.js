// The star buttons: in the rows of tracks, on the pages of albums and artists, and in the player for what is playing.

import { idOf } from "../add/subject.js";
import { toast } from "../shared/spoken.js";
import { translate } from "../shared/words.js";

/**
 * @param {HTMLElement} main
 * @param {HTMLElement} bar the player's
 * @param {import("../player/player.js").Player} player
 * @param {import("./stars.js").Stars} stars
 * @returns {() => void} marks the rows anew, after the list was replaced
 */
export function attachStarButtons(main, bar, player, stars) {
  const press = (id) => stars.toggle(id).catch((error) => toast(error.message, { label: translate("Try again"), act: () => press(id) }));
  main.addEventListener("click", (event) => {
    const button = event.target.closest("[data-star]");
    if (button) press(starredBy(button));
  });

  const playing = document.getElementById("star-playing").content.firstElementChild.cloneNode(true);
  bar.querySelector(".player-text").after(playing);
  playing.addEventListener("click", () => press(idOf(player.track)));

  const mark = () => {
    for (const button of main.querySelectorAll("[data-star]")) {
      button.setAttribute("aria-pressed", String(stars.has(starredBy(button))));
    }
    const { track } = player;
    playing.hidden = !track || !idOf(track);
    if (!track) return;
    playing.setAttribute("aria-label", labelOfStar(track.title));
    playing.setAttribute("aria-pressed", String(stars.has(idOf(track))));
  };
  stars.addEventListener("change", mark);
  player.addEventListener("track", mark);
  mark();
  // Without them the buttons show no stars, and give them all the same.
  stars.load().catch(() => {});
  return mark;
}

/** @param {HTMLElement} button @returns {import("./stars.js").Subject} what it gives a star to */
function starredBy(button) {
  const { id, marks } = button.closest("[data-track], [data-marks]").dataset;
  return marks ?? Number(id);
}

/** @param {string} name @returns {string} what a star button is called, pressed or not */
export function labelOfStar(name) {
  return translate("Favourite: “%(name)s”", { name });
}
