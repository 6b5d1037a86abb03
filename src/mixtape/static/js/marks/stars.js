// The tracks that the user has starred, by their ids, and what gives or takes a star.

import { send } from "../shared/api.js";

/** Fires "change" whenever other tracks have stars. */
export class Stars extends EventTarget {
  #ids = new Set();
  #url;

  /** @param {string} url of all of them @param {string} trackUrl of the star of track 0 */
  constructor(url, trackUrl) {
    super();
    this.#url = url;
    this.trackUrl = trackUrl;
  }

  async load() {
    const { track_ids: ids } = await send("GET", this.#url);
    this.#ids = new Set(ids);
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

  #set(id, isStarred) {
    if (isStarred) this.#ids.add(id);
    else this.#ids.delete(id);
    this.dispatchEvent(new Event("change"));
  }
}
