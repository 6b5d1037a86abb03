// Where the music was left: kept from one page to the next, for each mixtape and each site by itself.
// Tracks are kept by their ids, as addresses may be secret and may have ended since.

import { recall, remember } from "../shared/storage.js";

const MOST_TRACKS = 500;
const EVERY_S = 3;

/**
 * @typedef {object} Place
 * @property {number[]} ids in the order in which they are played
 * @property {number[]} given the order to go back to after a shuffle, as places in `ids`
 * @property {number} at the place of the track that was heard
 * @property {number} second
 * @property {boolean} isShuffled
 * @property {string} repeat
 */

/** Keeps the place of a player, and brings it back. */
export class Memory {
  /**
   * @param {import("./player.js").Player} player
   * @param {string} scope whose place it is
   * @param {(ids: number[]) => Promise<import("./player.js").Track[]>} find tracks by their ids; unknown ones are left out
   */
  constructor(player, scope, find) {
    this.player = player;
    this.key = `place.${scope}`;
    this.find = find;
    this.keptAt = 0;
  }

  /**
   * Offer what was heard last, paused at its second, and keep the place from now on.
   *
   * @returns {Promise<boolean>} whether there was anything
   */
  async restore() {
    const place = this.#read();
    let isThere = false;
    try {
      isThere = Boolean(place) && (await this.#offer(place));
    } catch {
      // Without an answer it stays where it is, for the next page.
    }
    this.#attach();
    return isThere;
  }

  async #offer({ ids, given, at, second, isShuffled, repeat }) {
    const { player } = this;
    const found = new Map((await this.find(ids)).map((track) => [track.id, track]));
    const places = ids.map((id) => (found.has(id) ? { ...found.get(id) } : null));
    const tracks = places.filter(Boolean);
    // Whoever was quicker to play something hears that.
    if (!tracks.length || player.track) return false;
    const current = places[at] ?? tracks[0];
    player.list.isShuffled = Boolean(isShuffled);
    player.list.repeat = repeat;
    const order = (given ?? ids.map((_, place) => place)).map((place) => places[place]).filter(Boolean);
    const isSame = current === places[at];
    player.offer(tracks, { index: tracks.indexOf(current), second: isSame ? second : 0, given: order });
    player.changed();
    return true;
  }

  #attach() {
    const { player } = this;
    for (const name of ["track", "pause", "queue"]) player.addEventListener(name, () => this.#keep());
    player.addEventListener("timeupdate", () => {
      if (Math.abs(player.position - this.keptAt) > EVERY_S) this.#keep();
    });
    addEventListener("pagehide", () => this.#keep());
    document.addEventListener("visibilitychange", () => document.hidden && this.#keep());
  }

  #keep() {
    const { player } = this;
    const { list, position } = player;
    if (!player.track) return;
    this.keptAt = position;
    // What was heard to its end begins anew.
    const isOver = player.audio.ended && !player.upcoming;
    const from = Math.max(0, Math.min(list.index - 100, list.tracks.length - MOST_TRACKS));
    const kept = list.tracks.slice(from, from + MOST_TRACKS);
    const places = new Map(kept.map((track, place) => [track, place]));
    remember(this.key, JSON.stringify({
      ids: kept.map(({ id }) => id),
      given: list.given.map((track) => places.get(track)).filter((place) => place !== undefined),
      at: isOver ? 0 : list.index - from,
      second: isOver ? 0 : Math.round(10 * position) / 10,
      isShuffled: list.isShuffled,
      repeat: list.repeat,
    }));
  }

  /** @returns {Place | null} */
  #read() {
    try {
      const place = JSON.parse(recall(this.key, "null"));
      return Array.isArray(place?.ids) && place.ids.length ? place : null;
    } catch {
      return null;
    }
  }
}
