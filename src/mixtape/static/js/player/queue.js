// What is played one after the other: the order as it was given, a shuffled one, and the place in it.
// Values alone; who plays them is the business of others.

export const REPEATS = ["off", "all", "one"];

/** @typedef {import("./player.js").Track} Track */

export class Queue {
  constructor(random = Math.random) {
    this.random = random;
    /** @type {Track[]} in the order in which they are played */
    this.tracks = [];
    this.index = -1;
    /** @type {Track[]} the order to go back to when the shuffled one ends */
    this.given = [];
    this.isShuffled = false;
    this.repeat = REPEATS[0];
  }

  /** @returns {Track | null} */
  get current() {
    return this.tracks[this.index] ?? null;
  }

  /**
   * Begin anew with other tracks.
   *
   * @param {Track[]} tracks
   * @param {number} index of the one to begin with; negative for any, where they are shuffled
   */
  set(tracks, index) {
    this.given = [...tracks];
    this.tracks = [...tracks];
    this.index = index < 0 ? (this.isShuffled ? Math.floor(this.random() * tracks.length) : 0) : index;
    if (this.isShuffled) this.#shuffle();
  }

  /** Take up an order that was kept. @param {Track[]} tracks @param {number} index @param {Track[]} given */
  restore(tracks, index, given) {
    Object.assign(this, { tracks, index, given });
  }

  /** @returns {number} where to go from here by hand, or past what cannot be had; -1 for nowhere */
  get following() {
    const after = this.tracks.findIndex((track, index) => index > this.index && !track.isGone);
    if (after >= 0 || this.repeat === "off") return after;
    return this.tracks.findIndex((track) => !track.isGone);
  }

  /** @returns {number} what is heard when this track has ended; -1 for nothing */
  get upcoming() {
    return this.repeat === "one" && this.current && !this.current.isGone ? this.index : this.following;
  }

  /** Put a track behind the one that plays. @param {Track} track */
  insertNext(track) {
    const copy = { ...track };
    this.given.splice(this.given.indexOf(this.current) + 1, 0, copy);
    this.tracks.splice(this.index + 1, 0, copy);
    this.index = Math.max(0, this.index);
  }

  /** @param {Track} track */
  append(track) {
    const copy = { ...track };
    this.given.push(copy);
    this.tracks.push(copy);
    this.index = Math.max(0, this.index);
  }

  /** Take out a track that does not play. @param {number} index @returns {Track | undefined} */
  remove(index) {
    if (index === this.index) return undefined;
    const [track] = this.tracks.splice(index, 1);
    this.given = this.given.filter((other) => other !== track);
    if (index < this.index) this.index -= 1;
    return track;
  }

  /** Put a track elsewhere. @param {number} from @param {number} to */
  move(from, to) {
    if (to < 0 || to >= this.tracks.length || from === to) return;
    const { current } = this;
    const [track] = this.tracks.splice(from, 1);
    this.tracks.splice(to, 0, track);
    this.index = this.tracks.indexOf(current);
    if (!this.isShuffled) this.given = [...this.tracks];
  }

  /** Take out all that comes after the track that plays. */
  clear() {
    this.tracks = this.tracks.slice(0, this.index + 1);
    this.given = this.given.filter((track) => this.tracks.includes(track));
  }

  /** @param {boolean} isShuffled false brings the order back that was given */
  shuffle(isShuffled) {
    this.isShuffled = isShuffled;
    if (isShuffled) return this.#shuffle();
    const { current } = this;
    this.tracks = [...this.given];
    this.index = this.tracks.indexOf(current);
    return undefined;
  }

  /** The track that plays comes first, the others in any order (Fisher and Yates). */
  #shuffle() {
    const { current } = this;
    const rest = this.tracks.filter((track) => track !== current);
    for (let last = rest.length - 1; last > 0; last -= 1) {
      const other = Math.floor(this.random() * (last + 1));
      [rest[last], rest[other]] = [rest[other], rest[last]];
    }
    this.tracks = current ? [current, ...rest] : rest;
    this.index = current ? 0 : -1;
  }
}
