// Which of what is kept the player is to take. It never asks for another quality where that would be
// worse, or where there is no network to bring it.

import { AUTO } from "../player/quality.js";
import { QUALITIES } from "../shared/qualities.js";

const RANKS = ["original", ...QUALITIES.map(({ name }) => name).filter((name) => name !== "original")];

/**
 * @param {string} kept quality
 * @param {string} wanted quality, or AUTO
 * @param {boolean} isOnline
 * @returns {boolean} whether the one that is kept is to be played
 */
export function isPreferred(kept, wanted, isOnline) {
  return !isOnline || wanted === AUTO || RANKS.indexOf(kept) <= RANKS.indexOf(wanted);
}

/**
 * Let a player play what is kept.
 *
 * @param {import("../player/player.js").Player} player
 * @param {boolean} isCopy whether the page itself is a copy, so that the server cannot be reached
 * @returns {(tape: import("./shelf.js").Tape | null) => void} to be told of what is kept
 */
export function attachKept(player, isCopy) {
  let qualities = new Map();
  player.keptQuality = (track, wanted) => {
    const kept = qualities.get(track.url);
    return kept && isPreferred(kept, wanted, navigator.onLine && !isCopy) ? kept : null;
  };
  addEventListener("offline", () => player.requality());
  return (tape) => {
    const before = qualities;
    qualities = new Map((tape?.places ?? []).map(({ url }) => url.split("?quality=")));
    if (isCopy && qualities.size !== before.size) player.requality();
  };
}
