// The player at the bottom of the page: shows what the Player does and passes on what is pressed.

import { bufferedUntil } from "./buffered.js";
import { clock, spokenTime } from "../shared/format.js";
import { fill } from "./slider.js";
import { attachVolume } from "./volume.js";
import { translate } from "../shared/words.js";

const STEPS_S = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 };

/** @param {HTMLElement} bar @param {import("./player.js").Player} player */
export function attachPlayerBar(bar, player) {
  const part = (name) => bar.querySelector(`[data-part="${name}"]`);
  attachButtons(part, player);
  attachSeek(part, player);
  attachVolume(part, player);
  attachTrack(bar, part, player);
  player.addEventListener("message", () => {
    part("message").textContent = player.message;
  });
  const quality = part("quality");
  quality.value = player.quality;
  quality.addEventListener("change", () => player.setQuality(quality.value));
}

function attachButtons(part, player) {
  const toggle = part("toggle");
  toggle.addEventListener("click", () => player.toggle());
  part("previous").addEventListener("click", () => player.previous());
  part("next").addEventListener("click", () => player.next());
  const show = () => {
    toggle.setAttribute("aria-label", player.audio.paused ? translate("Play") : translate("Pause"));
    toggle.classList.toggle("is-playing", !player.audio.paused);
  };
  for (const name of ["play", "pause", "emptied", "takeover"]) player.addEventListener(name, show);
  for (const [name, isWaiting] of [["waiting", true], ["playing", false], ["pause", false], ["error", false]]) {
    player.addEventListener(name, () => toggle.classList.toggle("is-waiting", isWaiting));
  }
}

function attachSeek(part, player) {
  const [seek, elapsed, length] = [part("seek"), part("elapsed"), part("length")];
  let isDragging = false;
  const show = (seconds) => {
    seek.max = String(player.duration);
    if (!isDragging) seek.value = String(seconds);
    elapsed.textContent = clock(seconds);
    length.textContent = clock(player.duration);
    const times = { position: spokenTime(seconds), length: spokenTime(player.duration) };
    seek.setAttribute("aria-valuetext", translate("%(position)s of %(length)s", times));
    fill(seek, bufferedShare(player));
  };
  const showNow = () => show(isDragging ? Number(seek.value) : player.position);
  for (const name of ["timeupdate", "durationchange", "progress", "seeking", "emptied"]) {
    player.addEventListener(name, showNow);
  }
  player.addEventListener("track", showNow);
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
    // The native step is a tenth of a second, for dragging; keys move by more.
    const step = STEPS_S[event.key];
    if (step === undefined) return;
    event.preventDefault();
    player.seek(player.position + step);
  });
}

function bufferedShare({ audio, duration }) {
  return duration ? bufferedUntil(audio) / duration : 0;
}

function attachTrack(bar, part, player) {
  const cover = part("cover");
  cover.addEventListener("error", () => {
    cover.hidden = true;
  });
  player.addEventListener("track", () => {
    const { track } = player;
    part("title").textContent = track.title;
    part("artist").textContent = track.artist || translate("Unknown artist");
    showSource(part("source"), player);
    cover.hidden = !track.cover;
    if (track.cover) cover.src = track.cover;
    bar.classList.add("has-track");
    for (const name of ["previous", "toggle", "seek"]) part(name).disabled = false;
  });
  for (const name of ["track", "queue"]) {
    player.addEventListener(name, () => (part("next").disabled = !player.hasNext));
  }
  // A bar that only offers a first track, as that of a mixtape's page does, would take room from a
  // small page before it is wanted.
  const isOwners = "lookupUrl" in bar.dataset;
  const begin = () => bar.classList.toggle("has-begun", isOwners || Boolean(player.url || player.index > 0 || player.position));
  for (const name of ["track", "load", "takeover"]) player.addEventListener(name, begin);
}

/** Lead to what the music comes from: the page that it was begun on, else the album. */
function showSource(link, { source, track }) {
  const { title, url } = source ?? { title: track.album, url: track.albumUrl };
  link.textContent = url ? title : "";
  link.hidden = !url || !title;
  if (url) link.href = url;
}
