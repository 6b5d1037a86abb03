// The tracks of the mixtape that is edited and where its side B begins, without their looks.

import { QUALITIES } from "../shared/qualities.js";

/** Stands among the tracks where side B begins, so that it is moved as they are. */
export const SIDE_B = Object.freeze({ uid: "side-b" });

/**
 * @typedef {import("../library/track-row.js").FoundTrack & {uid: string, note: string}} PlacedTrack
 */

/** Fires "change" after every change, with what happened as its detail. */
export class TrackOrder extends EventTarget {
  #made = 0;

  /** @param {number} limit how many tracks a mixtape holds */
  constructor(limit) {
    super();
    this.limit = limit;
    /** @type {readonly (PlacedTrack | typeof SIDE_B)[]} never changed, but replaced */
    this.entries = [];
  }

  /** @returns {PlacedTrack[]} */
  get tracks() {
    return this.entries.filter((entry) => entry !== SIDE_B);
  }

  get ids() {
    return this.tracks.map(({ id }) => id);
  }

  get isFull() {
    return this.tracks.length >= this.limit;
  }

  /** @returns {number | null} how many tracks are before side B, null for a tape without sides */
  get sideB() {
    const index = this.entries.indexOf(SIDE_B);
    return index < 0 ? null : index;
  }

  /** @returns {{duration: number, sizes: Record<string, number>}} */
  get totals() {
    const { tracks } = this;
    const sum = (value) => tracks.reduce((total, track) => total + value(track), 0);
    const sizes = Object.fromEntries(QUALITIES.map(({ name }) => [name, sum(({ sizes: each }) => each[name])]));
    return { duration: secondsOf(tracks), sizes };
  }

  /** @returns {number[]} how long each side plays, in seconds */
  get sideLengths() {
    const { tracks, sideB } = this;
    if (sideB === null) return [secondsOf(tracks)];
    return [secondsOf(tracks.slice(0, sideB)), secondsOf(tracks.slice(sideB))];
  }

  /** Put other tracks in the place of all, as after loading. */
  fill(tracks, sideB) {
    const entries = tracks.map((track) => this.#placed(track));
    if (sideB !== null && sideB !== undefined) entries.splice(sideB, 0, SIDE_B);
    this.#become(entries, { kind: "fill" });
  }

  /** Bring back what `entries` were. */
  restore(entries) {
    this.#become(entries, { kind: "restore" });
  }

  /** @param {import("../library/track-row.js").FoundTrack} track */
  add(track) {
    if (this.isFull) return;
    const entry = this.#placed(track);
    this.#become([...this.entries, entry], { kind: "add", entry, index: this.entries.length });
  }

  /** @param {string} uid @param {number} to an index among `entries` */
  move(uid, to) {
    const from = this.indexOf(uid);
    const index = Math.min(Math.max(0, to), this.entries.length - 1);
    if (from < 0 || from === index) return;
    const entry = this.entries[from];
    this.#become(this.entries.toSpliced(from, 1).toSpliced(index, 0, entry), { kind: "move", entry, index });
  }

  /** @param {string} uid */
  remove(uid) {
    const index = this.indexOf(uid);
    if (index < 0) return;
    this.#become(this.entries.toSpliced(index, 1), { kind: "remove", entry: this.entries[index], index });
  }

  /** @param {string} uid @param {string} note */
  note(uid, note) {
    const index = this.indexOf(uid);
    if (index < 0) return;
    const entry = { ...this.entries[index], note };
    this.#become(this.entries.with(index, entry), { kind: "note", entry, index });
  }

  /** Begin side B where both sides are as equally long as they can be. */
  split() {
    if (this.sideB !== null) return;
    const { tracks } = this;
    const half = secondsOf(tracks) / 2;
    const distance = (count) => Math.abs(secondsOf(tracks.slice(0, count)) - half);
    const counts = tracks.map((_, index) => index);
    const index = counts.reduce((best, count) => (distance(count) < distance(best) ? count : best), 0);
    this.#become(tracks.toSpliced(index, 0, SIDE_B), { kind: "split", entry: SIDE_B, index });
  }

  /** @param {string} uid @returns {number} its index among `entries` */
  indexOf(uid) {
    return this.entries.findIndex((entry) => entry.uid === uid);
  }

  #placed(track) {
    // A mixtape may hold a track twice, so its id does not tell two places apart.
    this.#made += 1;
    return { note: "", ...track, uid: `place-${this.#made}` };
  }

  #become(entries, detail) {
    this.entries = entries;
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

function secondsOf(tracks) {
  return tracks.reduce((total, { duration }) => total + duration, 0);
}
