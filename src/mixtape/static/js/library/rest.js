// A list that is shown in part plays on beyond its last row: the rest is asked for as it comes near.

import { readTracks } from "./track-list.js";

const NEAR = 3;

/**
 * @param {HTMLElement} main
 * @param {import("../player/player.js").Player} player
 */
export function attachRest(main, player) {
  let rest = null;

  const goOn = async () => {
    const isSame = rest?.from === player.startedFrom && player.list.given.some(({ key }) => key === rest.last);
    if (!isSame || rest.isAsking || player.queue.length - player.index > NEAR) return;
    const asked = rest;
    asked.isAsking = true;
    try {
      const answer = await fetch(asked.url, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const tracks = readTracks(page.querySelector('[data-more-into="tracks"]') ?? page.createElement("ol"));
      if (asked !== rest) return;
      const next = page.querySelector("a[data-more]")?.getAttribute("href");
      rest = next && tracks.length ? { ...asked, url: next, last: tracks.at(-1).key, isAsking: false } : null;
      for (const track of tracks) player.enqueue(track);
    } catch {
      // Asked for again with the next track.
      asked.isAsking = false;
    }
  };

  // After the list's own listener, which has begun to play by then.
  main.addEventListener("click", (event) => {
    const isPlay = event.target.closest("[data-track], [data-play-all]") && !event.target.closest("[data-add]");
    if (!isPlay) return;
    const url = main.querySelector("a[data-more]:not([hidden])")?.getAttribute("href") ?? null;
    const rows = readTracks(main);
    const isList = rows.length && rows.at(-1).key === player.list.given.at(-1)?.key;
    if (isList) rest = url ? { url, last: rows.at(-1).key, from: player.startedFrom } : null;
    goOn();
  });
  player.addEventListener("track", goOn);
}
