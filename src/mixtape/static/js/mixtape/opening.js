// The cassette before the page: opened by a tap, by Escape, or by going on to what is behind it.

import { remember } from "../shared/storage.js";

const page = document.documentElement;

/**
 * @param {HTMLElement} section
 * @param {HTMLElement} main that it lies upon
 * @param {import("../player/player.js").Player} player
 * @param {() => void} play begins with the first track
 */
export function attachOpening(section, main, player, play) {
  const [open, look] = ["open", "look"].map((name) => section.querySelector(`[data-part="${name}"]`));
  const isShut = () => page.dataset.opening === "shut";
  const end = () => {
    section.classList.remove("is-opened");
    delete page.dataset.opening;
  };
  const leave = () => {
    if (!isShut()) return;
    remember(`opened.${location.pathname.split("/").pop()}`, "1");
    page.dataset.opening = "opened";
    if (section.contains(document.activeElement)) main.focus({ preventScroll: true });
    section.classList.add("is-opened");
    // Without motion there is nothing to wait for.
    if (!section.getAnimations().length) end();
  };
  section.addEventListener("animationend", (event) => event.target === section && end());
  open.addEventListener("click", () => {
    if (player.audio.paused) play();
    leave();
  });
  look.addEventListener("click", leave);
  // By a key, or by the buttons of a headset.
  player.addEventListener("play", leave);
  document.addEventListener("focusin", ({ target }) => {
    if (target !== document.body && !section.contains(target)) leave();
  });
  document.addEventListener("keydown", (event) => {
    if (!isShut()) return;
    if (event.key === "Escape") leave();
    if (event.key !== "Tab" || event.shiftKey || section.contains(document.activeElement)) return;
    event.preventDefault();
    open.focus();
  });
  const again = main.querySelector("[data-show-opening]");
  again.hidden = false;
  again.addEventListener("click", () => {
    page.dataset.opening = "shut";
    open.focus();
  });
}
