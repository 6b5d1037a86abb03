// What every bar of a player has: the button that plays and pauses, and the position with its clocks;
// and all that the site's own player has in its bar and on the whole window.

import { bufferedUntil } from "./buffered.js";
import { fill } from "./slider.js";
import { clock, spokenTime } from "../shared/format.js";
import { translate } from "../shared/words.js";

const STEPS_S = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 };

/** @param {HTMLButtonElement} toggle @param {import("./player.js").Player} player */
export function attachToggle(toggle, player) {
  toggle.addEventListener("click", () => player.toggle());
  const show = () => {
    toggle.setAttribute("aria-label", player.audio.paused ? translate("Play") : translate("Pause"));
    toggle.classList.toggle("is-playing", !player.audio.paused);
  };
  for (const name of ["play", "pause", "emptied", "takeover"]) player.addEventListener(name, show);
}

/**
 * @param {(name: string) => HTMLElement} part of the bar: "seek", "elapsed", "length"
 * @param {import("./player.js").Player} player
 * @param {(seek: HTMLInputElement) => void} [shown] draws the slider once it has its place
 */
export function attachPosition(part, player, shown = () => {}) {
  const [seek, elapsed, length] = [part("seek"), part("elapsed"), part("length")];
  let isDragging = false;
  const show = (seconds) => {
    seek.max = String(player.duration);
    if (!isDragging) seek.value = String(seconds);
    elapsed.textContent = clock(seconds);
    length.textContent = clock(player.duration);
    const times = { position: spokenTime(seconds), length: spokenTime(player.duration) };
    seek.setAttribute("aria-valuetext", translate("%(position)s of %(length)s", times));
    shown(seek);
  };
  const showNow = () => show(isDragging ? Number(seek.value) : player.position);
  for (const name of ["timeupdate", "durationchange", "progress", "seeking", "emptied", "takeover"]) {
    player.addEventListener(name, showNow);
  }
  player.addEventListener("track", () => {
    seek.disabled = false;
    showNow();
  });
  seek.addEventListener("input", () => {
    isDragging = true;
    show(Number(seek.value));
  });
  seek.addEventListener("change", () => {
    isDragging = false;
    player.seek(Number(seek.value));
  });
  // A drag that ends where it began has no "change"; one that has comes in the same turn.
  for (const name of ["pointerup", "pointercancel", "blur"]) {
    seek.addEventListener(name, () => setTimeout(() => (isDragging = false)));
  }
  seek.addEventListener("keydown", (event) => {
    // The native step is for dragging; keys move by more.
    const step = STEPS_S[event.key];
    if (step === undefined) return;
    event.preventDefault();
    player.seek(player.position + step);
  });
}

/**
 * @param {(name: string) => HTMLElement} part "toggle", "previous", "next", "message", and those of a position
 * @param {import("./player.js").Player} player
 */
export function attachTransport(part, player) {
  const toggle = part("toggle");
  attachToggle(toggle, player);
  attachPosition(part, player, (seek) => fill(seek, bufferedShare(player)));
  part("previous").addEventListener("click", () => player.previous());
  part("next").addEventListener("click", () => player.next());
  for (const [name, isWaiting] of [["waiting", true], ["playing", false], ["pause", false], ["error", false]]) {
    player.addEventListener(name, () => toggle.classList.toggle("is-waiting", isWaiting));
  }
  player.addEventListener("track", () => {
    for (const name of ["previous", "toggle"]) part(name).disabled = false;
  });
  for (const name of ["track", "queue"]) {
    player.addEventListener(name, () => (part("next").disabled = !player.hasNext));
  }
  const tell = () => (part("message").textContent = player.message || player.remote.text);
  player.addEventListener("message", tell);
  player.remote.addEventListener("change", tell);
}

function bufferedShare({ audio, duration }) {
  return duration ? bufferedUntil(audio) / duration : 0;
}
