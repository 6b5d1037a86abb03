// How much was not transferred in this session, because renditions came instead of originals.

/** Adds up what was saved, track by track, by the share of each that was really fetched. */
export class Savings {
  constructor() {
    /** @type {Map<string, number>} the bytes saved by each address */
    this.byUrl = new Map();
  }

  /**
   * Take note of how much of a track has come.
   *
   * @param {string} url
   * @param {number} share of its length, from 0 to 1; less than before changes nothing
   * @param {import("./served.js").Served} served
   */
  add(url, share, { bytes, sourceBytes }) {
    const saved = Math.max(0, sourceBytes - bytes) * Math.min(1, share);
    this.byUrl.set(url, Math.max(saved, this.byUrl.get(url) ?? 0));
  }

  /** @returns {number} bytes */
  get total() {
    return [...this.byUrl.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}
