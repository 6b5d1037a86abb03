// The buttons that let another device play, where there is one: in the bar, and on the whole window.

import { Addresses } from "./addresses.js";

/** @param {HTMLElement} bar @param {HTMLElement} now what plays, on the whole window @param {import("./player.js").Player} player */
export function attachRemoteButtons(bar, now, player) {
  const buttons = [bar, now].map((place) => place.querySelector('[data-part="remote"]'));
  const { remote } = player;
  for (const button of buttons) button.addEventListener("click", () => remote.prompt());
  remote.addEventListener("change", () => {
    for (const button of buttons) {
      button.hidden = !remote.isOffered;
      button.setAttribute("aria-pressed", String(remote.state === "connected"));
      button.classList.toggle("is-waiting", remote.state === "connecting");
    }
  });
  remote.watch(new Addresses(bar.dataset));
}
