// The tracks on the page: play the one that is pressed, mark the one that is playing.

/** @param {HTMLElement} row @returns {import("./player.js").Track} */
function readTrack({ dataset }) {
  return {
    url: dataset.url,
    title: dataset.title,
    artist: dataset.artist,
    album: dataset.album,
    cover: dataset.cover,
    format: dataset.format,
    mime: dataset.mime,
    lossless: dataset.lossless === "true",
    duration: Number(dataset.duration),
  };
}

/**
 * Handle every list of tracks that `root` holds or will hold.
 *
 * @param {HTMLElement} root
 * @param {import("./player.js").Player} player
 * @returns {() => void} marks the playing track anew, after the list was replaced
 */
export function attachTrackList(root, player) {
  const rows = () => [...root.querySelectorAll("[data-track]")];

  root.addEventListener("click", (event) => {
    const row = event.target.closest("[data-track]");
    const all = rows();
    if (event.target.closest("[data-play-all]")) player.play(all.map(readTrack), 0);
    else if (!row) return;
    else if (row.dataset.url === player.track?.url) player.toggle();
    else player.play(all.map(readTrack), all.indexOf(row));
  });

  const mark = () => {
    for (const row of rows()) {
      const isCurrent = row.dataset.url === player.track?.url;
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
  for (const name of ["play", "pause"]) player.audio.addEventListener(name, mark);
  return mark;
}
