// The tracks on the page: play the one that is pressed, mark the one that is playing.

/** @param {HTMLElement} row @returns {string} the address, except where a list may repeat it */
function keyOf({ dataset }) {
  return dataset.key ?? dataset.url;
}

/** @param {HTMLElement} row @returns {import("../player/player.js").Track} */
export function readTrack(row) {
  const { id, lossless, duration, ...texts } = row.dataset;
  return trackOf({ ...texts, id: Number(id), lossless: lossless === "true", duration: Number(duration) }, keyOf(row));
}

/** @param {object} fields of a track as the server tells them @returns {import("../player/player.js").Track} */
export function trackOf(fields, key = String(fields.id)) {
  const { id, url, title, artist, album, cover, format, mime, lossless, duration } = fields;
  return { key, id, url, title, artist, album, cover, format, mime, lossless, duration };
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
    if (tracks.length) player.play(tracks, 0);
  };

  root.addEventListener("click", (event) => {
    const row = event.target.closest("[data-track]");
    const playAll = event.target.closest("[data-play-all]");
    const button = event.target.closest("button, a, input");
    if (playAll) return playList(playAll.dataset.playAll ? root.querySelector(playAll.dataset.playAll) : root);
    if (!row || (button && !button.matches("[data-play]"))) return;
    if (keyOf(row) === player.track?.key) return player.toggle();
    // A page may hold several lists; what follows is the rest of the one that was pressed.
    const list = row.closest("[data-queue]") ?? root;
    player.play(readTracks(list), [...list.querySelectorAll("[data-track]")].indexOf(row));
  });

  const mark = () => {
    for (const row of rows()) {
      const isCurrent = keyOf(row) === player.track?.key;
      const isPlaying = isCurrent && !player.audio.paused;
      row.classList.toggle("is-current", isCurrent);
      row.classList.toggle("is-playing", isPlaying);
      const button = row.querySelector("[data-play]");
      const { title, artist } = row.dataset;
      button.setAttribute("aria-label", `${isPlaying ? "Pause" : "Play"} ${title}${artist ? ` by ${artist}` : ""}`);
      if (isCurrent) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  };
  player.addEventListener("track", mark);
  for (const name of ["play", "pause"]) player.addEventListener(name, mark);
  player.addEventListener("gone", () => {
    rows().find((row) => keyOf(row) === player.track.key)?.classList.add("is-broken");
  });
  return mark;
}
