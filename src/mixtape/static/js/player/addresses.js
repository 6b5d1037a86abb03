// Addresses by which a device plays that has no cookie of this site: signed, whole, and good for a while.

import { send } from "../shared/api.js";

const AT_ONCE = 100;
// The server signs for a day at least; whoever pauses overnight goes on in the morning.
const KEPT_MS = 12 * 3600 * 1000;

/** @typedef {import("./player.js").Track} Track */

export class Addresses {
  /**
   * @param {object} site
   * @param {string} [site.addressesUrl] signs tracks of the library for whoever has signed in
   * @param {string} [site.publicPage] this page as others reach it, below which a listener's tracks are
   */
  constructor({ addressesUrl = "", publicPage = "" }) {
    this.addressesUrl = addressesUrl;
    this.publicPage = publicPage;
    /** @type {Map<number, {url: string, until: number}>} by the ids of tracks */
    this.signed = new Map();
    this.learning = Promise.resolve();
  }

  /** @param {Track} track @returns {string} without a quality; "" while it is not known */
  of(track) {
    if (!this.addressesUrl) return withoutOrigin(this.publicPage + track.url.slice(location.pathname.length));
    const { url, until } = this.signed.get(track.id) ?? { url: "", until: 0 };
    return Date.now() < until ? url : "";
  }

  /** Have those of tracks signed that are not known. @param {Track[]} tracks @returns {Promise<void>} */
  learn(tracks) {
    // One after the other, so that none is asked for twice.
    this.learning = this.learning.catch(() => {}).then(() => this.#sign(tracks));
    return this.learning;
  }

  async #sign(tracks) {
    const ids = [...new Set(tracks.filter((track) => !this.of(track)).map(({ id }) => id))];
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      const until = Date.now() + KEPT_MS;
      const { addresses } = await send("GET", `${this.addressesUrl}?ids=${ids.slice(start, start + AT_ONCE)}`);
      for (const [id, url] of Object.entries(addresses)) this.signed.set(Number(id), { url: withoutOrigin(url), until });
    }
  }
}

/** @param {string} url @returns {string} as pages of this site write it, so that one address is written one way */
function withoutOrigin(url) {
  return url.startsWith(`${location.origin}/`) ? url.slice(location.origin.length) : url;
}
