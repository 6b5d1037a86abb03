// The tracks of the mixtape that is edited, without their looks.

import { QUALITIES } from "../shared/qualities.js";

/** Fires "change" after every change, with what happened as its detail. */
export class TrackOrder extends EventTarget {
  #made = 0;
  #removed = [];

  /** @param {number} limit how many tracks a mixtape holds */
  constructor(limit) {
    super();
    this.limit = limit;
    /** @type {(import("../library/track-row.js").FoundTrack & {uid: string})[]} */
    this.tracks = [];
  }

  get ids() {
    return this.tracks.map(({ id }) => id);
  }

  get isFull() {
    return this.tracks.length >= this.limit;
  }

  get canUndo() {
    return this.#removed.length > 0;
  }

  /** @returns {{duration: number, sizes: Record<string, number>}} */
  get totals() {
    const sum = (value) => this.tracks.reduce((total, track) => total + value(track), 0);
    const sizes = Object.fromEntries(QUALITIES.map(({ name }) => [name, sum(({ sizes: each }) => each[name])]));
    return { duration: sum(({ duration }) => duration), sizes };
  }

  /** Put other tracks in the place of all, as after loading; what was removed is forgotten. */
  fill(tracks) {
    this.tracks = tracks.map((track) => this.#numbered(track));
    this.#removed = [];
    this.#tell({ kind: "fill" });
  }

  /** @param {import("../library/track-row.js").FoundTrack} track */
  add(track) {
    if (this.isFull) return;
    const added = this.#numbered(track);
    this.tracks.push(added);
    this.#tell({ kind: "add", track: added, index: this.tracks.length - 1 });
  }

  /** @param {string} uid @param {number} to */
  move(uid, to) {
    const from = this.indexOf(uid);
    const index = Math.min(Math.max(0, to), this.tracks.length - 1);
    if (from < 0 || from === index) return;
    const [track] = this.tracks.splice(from, 1);
    this.tracks.splice(index, 0, track);
    this.#tell({ kind: "move", track, index });
  }

  /** @param {string} uid */
  remove(uid) {
    const index = this.indexOf(uid);
    if (index < 0) return;
    const [track] = this.tracks.splice(index, 1);
    this.#removed.push({ track, index });
    this.#tell({ kind: "remove", track, index });
  }

  /** Put back what was removed last. */
  undo() {
    const last = this.#removed.pop();
    if (!last) return;
    const index = Math.min(last.index, this.tracks.length);
    this.tracks.splice(index, 0, last.track);
    this.#tell({ kind: "undo", track: last.track, index });
  }

  /** @param {string} uid @returns {number} */
  indexOf(uid) {
    return this.tracks.findIndex((track) => track.uid === uid);
  }

  #numbered(track) {
    // A mixtape may hold a track twice, so its id does not tell two places apart.
    this.#made += 1;
    return { ...track, uid: `place-${this.#made}` };
  }

  #tell(detail) {
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}
