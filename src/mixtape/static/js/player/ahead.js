// What comes next is asked for early, by two bytes: where it was never made, the server begins to
// make it, and it is there when the other deck loads it.

const AHEAD = 2;
// Whoever skips from track to track wants none of those behind.
const SETTLED_S = 5;

/** @param {import("./player.js").Player} player */
export function attachAhead(player) {
  const asked = new Set();
  player.addEventListener("timeupdate", () => {
    if (player.audio.paused || player.position < SETTLED_S || player.audio.seeking) return;
    for (const track of comingAfter(player)) {
      const { url, quality } = player.addressOf(track);
      if (quality === "original" || asked.has(url)) continue;
      asked.add(url);
      ask(url);
    }
  });
}

function comingAfter({ list, upcoming }) {
  if (!upcoming || list.repeat === "one") return [];
  return list.tracks.slice(list.index + 1, list.index + 1 + AHEAD);
}

async function ask(url) {
  try {
    const answer = await fetch(url, { headers: { Range: "bytes=0-1" }, priority: "low" });
    await answer.arrayBuffer();
  } catch {
    // whoever comes to this track finds out why
  }
}
