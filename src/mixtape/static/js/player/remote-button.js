// The button that lets another device play, where there is one.

import { Addresses } from "./addresses.js";

/** @param {HTMLElement} bar @param {import("./player.js").Player} player */
export function attachRemoteButton(bar, player) {
  const button = bar.querySelector('[data-part="remote"]');
  const { remote } = player;
  button.addEventListener("click", () => remote.prompt());
  remote.addEventListener("change", () => {
    button.hidden = !remote.isOffered;
    button.setAttribute("aria-pressed", String(remote.state === "connected"));
    button.classList.toggle("is-waiting", remote.state === "connecting");
  });
  remote.watch(new Addresses(bar.dataset));
}
