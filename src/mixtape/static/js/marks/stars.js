// The stars and ratings that the user has given to tracks, by their ids, and what gives or takes them.

import { send } from "../shared/api.js";

/** Fires "change" whenever other tracks have stars or ratings. */
export class Stars extends EventTarget {
  #ids = new Set();
  #ratings = new Map();
  #url;

  /** @param {string} url of all of them @param {string} trackUrl of the star of track 0 @param {string} ratingUrl of its rating */
  constructor(url, trackUrl, ratingUrl) {
    super();
    this.#url = url;
    this.trackUrl = trackUrl;
    this.ratingUrl = ratingUrl;
  }

  async load() {
    const { track_ids: ids, ratings } = await send("GET", this.#url);
    this.#ids = new Set(ids);
    this.#ratings = new Map(ratings.map(({ id, rating }) => [id, rating]));
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number} id @returns {boolean} */
  has(id) {
    return this.#ids.has(id);
  }

  /** Give or take a star, which shows at once; where the server does not do it, that is undone. @param {number} id */
  async toggle(id) {
    const isStarred = !this.has(id);
    this.#set(id, isStarred);
    try {
      await send(isStarred ? "PUT" : "DELETE", this.trackUrl.replace("/0/", `/${id}/`));
    } catch (error) {
      this.#set(id, !isStarred);
      throw error;
    }
  }

  /** @param {number} id @returns {number} from 1 to 5; 0 for none */
  ratingOf(id) {
    return this.#ratings.get(id) ?? 0;
  }

  /** Rate a track; what the server does not keep is not remembered. @param {number} id @param {number} rating 0 for none */
  async rate(id, rating) {
    await send("PUT", this.ratingUrl.replace("/0/", `/${id}/`), { rating });
    this.#ratings.set(id, rating);
    this.dispatchEvent(new Event("change"));
  }

  #set(id, isStarred) {
    if (isStarred) this.#ids.add(id);
    else this.#ids.delete(id);
    this.dispatchEvent(new Event("change"));
  }
}
