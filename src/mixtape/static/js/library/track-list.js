// The tracks on the page: play the one that is pressed, mark the one that is playing.

import { translate } from "../shared/words.js";

/** @param {HTMLElement} row @returns {string} the address, except where a list may repeat it */
function keyOf({ dataset }) {
  return dataset.key ?? dataset.url;
}

/** @param {HTMLElement} row @returns {import("../player/player.js").Track} */
export function readTrack(row) {
  const { id, gain, lossless, duration, albumUrl = "", ...texts } = row.dataset;
  const values = { id: Number(id), lossless: lossless === "true", duration: Number(duration) };
  return trackOf({ ...texts, ...values, gain: gain ? JSON.parse(gain) : null, album_url: albumUrl }, keyOf(row));
}

/** @param {object} fields of a track as the server tells them @returns {import("../player/player.js").Track} */
export function trackOf(fields, key = String(fields.id)) {
  const { id, url, title, artist, album, cover, note = "", format, mime, lossless, duration, gain } = fields;
  return { key, id, url, title, artist, album, cover, note, format, mime, lossless, duration, gain, albumUrl: fields.album_url };
}

/** @param {HTMLElement} root @returns {import("../player/player.js").Track[]} all that `root` lists */
export function readTracks(root) {
  return [...root.querySelectorAll("[data-track]")].map(readTrack);
}

/**
 * Handle every list of tracks that `root` holds or will hold.
 *
 * @param {HTMLElement} root
 * @param {import("../player/player.js").Player} player
 * @returns {() => void} marks the playing track anew, after the list was replaced
 */
export function attachTrackList(root, player) {
  const rows = () => [...root.querySelectorAll("[data-track]")];
  const playList = (list) => {
    const tracks = readTracks(list);
    if (tracks.length && player.isFrom(tracks)) player.toggle();
    else if (tracks.length) player.play(tracks, -1, pageOf(list));
  };

  root.addEventListener("click", (event) => {
    const row = event.target.closest("[data-track]");
    const playAll = event.target.closest("[data-play-all]");
    const button = event.target.closest("button, a, input");
    if (playAll?.classList.contains("is-resume")) return player.toggle();
    if (playAll) return playList(playAll.dataset.playAll ? root.querySelector(playAll.dataset.playAll) : root);
    if (!row || (button && !button.matches("[data-play]"))) return;
    if (keyOf(row) === player.track?.key) return player.toggle();
    // A page may hold several lists; what follows is the rest of the one that was pressed.
    const list = row.closest("[data-queue]") ?? root;
    player.play(readTracks(list), [...list.querySelectorAll("[data-track]")].indexOf(row), pageOf(list));
  });

  const mark = () => {
    for (const row of rows()) {
      const isCurrent = player.hasBegun && keyOf(row) === player.track?.key;
      const isPlaying = isCurrent && !player.audio.paused;
      row.classList.toggle("is-current", isCurrent);
      row.classList.toggle("is-playing", isPlaying);
      const button = row.querySelector("[data-play]");
      button.setAttribute("aria-label", labelOfPlay(row.dataset, isPlaying));
      if (isCurrent) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    for (const button of root.querySelectorAll("[data-play-all]")) {
      const list = button.dataset.playAll ? root.querySelector(button.dataset.playAll) : root;
      markPlayAll(button, !player.audio.paused && player.isFrom(readTracks(list)));
    }
  };
  player.addEventListener("track", mark);
  for (const name of ["play", "pause", "emptied"]) player.addEventListener(name, mark);
  player.addEventListener("gone", () => {
    rows().find((row) => keyOf(row) === player.track.key)?.classList.add("is-broken");
  });
  return mark;
}

/** @param {{title: string, artist: string}} track @param {boolean} [isPlaying] @returns {string} what its button does */
export function labelOfPlay({ title, artist }, isPlaying = false) {
  const values = { title, artist };
  if (isPlaying) return artist ? translate("Pause %(title)s by %(artist)s", values) : translate("Pause %(title)s", values);
  return artist ? translate("Play %(title)s by %(artist)s", values) : translate("Play %(title)s", values);
}

/** Let the button above a list say whether it plays or pauses. */
function markPlayAll(button, isPlaying) {
  const label = button.querySelector("span");
  const use = button.querySelector("use");
  if (isPlaying === (button.dataset.is === "playing")) return;
  if (isPlaying) button.dataset.label = label.textContent;
  label.textContent = isPlaying ? translate("Pause") : button.dataset.label;
  use.setAttribute("href", use.getAttribute("href").replace(/#\w+$/, isPlaying ? "#pause" : "#play"));
  button.dataset.is = isPlaying ? "playing" : "";
}

/** @param {HTMLElement} list @returns {{title: string, url: string} | null} the page that it stands on, to lead back to */
export function pageOf(list) {
  const heading = list.closest("main").querySelector("h1");
  // A mixtape's own page is where its listeners are anyway.
  const isOwners = "lookupUrl" in document.getElementById("player").dataset;
  const name = document.getElementById("title")?.value || heading?.textContent.trim();
  return isOwners && name ? { title: name, url: location.pathname + location.search } : null;
}
