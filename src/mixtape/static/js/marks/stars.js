// The stars and ratings that the user has given, and what gives or takes them.

import { send } from "../shared/api.js";

// In the addresses that a page has, what stands for the track, album or artist.
const NOTHING = "tracks/0";

/**
 * What they are of: a track by its id, an album or artist by what stands for it in addresses, such as "albums/QQ".
 *
 * @typedef {number | string} Subject
 */

/** Fires "change" whenever something else has stars or ratings. */
export class Stars extends EventTarget {
  #starred = new Set();
  #ratings = new Map();
  #url;

  /** @param {string} url of all of them @param {string} starUrl of the star of track 0 @param {string} ratingUrl of its rating */
  constructor(url, starUrl, ratingUrl) {
    super();
    this.#url = url;
    this.starUrl = starUrl;
    this.ratingUrl = ratingUrl;
  }

  async load() {
    const { track_ids: ids, ratings, albums, artists } = await send("GET", this.#url);
    const others = [...namedBy("albums", albums), ...namedBy("artists", artists)];
    this.#starred = new Set([...ids, ...others.filter(({ isStarred }) => isStarred).map(({ id }) => id)]);
    this.#ratings = new Map([...ratings, ...others].map(({ id, rating }) => [id, rating]));
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Subject} id @returns {boolean} */
  has(id) {
    return this.#starred.has(id);
  }

  /** Give or take a star, which shows at once; where the server does not do it, that is undone. @param {Subject} id */
  async toggle(id) {
    const isStarred = !this.has(id);
    this.#set(id, isStarred);
    try {
      await send(isStarred ? "PUT" : "DELETE", addressFor(this.starUrl, id));
    } catch (error) {
      this.#set(id, !isStarred);
      throw error;
    }
  }

  /** @param {Subject} id @returns {number} from 1 to 5; 0 for none */
  ratingOf(id) {
    return this.#ratings.get(id) ?? 0;
  }

  /** Rate something; what the server does not keep is not remembered. @param {Subject} id @param {number} rating 0 for none */
  async rate(id, rating) {
    await send("PUT", addressFor(this.ratingUrl, id), { rating });
    this.#ratings.set(id, rating);
    this.dispatchEvent(new Event("change"));
  }

  #set(id, isStarred) {
    if (isStarred) this.#starred.add(id);
    else this.#starred.delete(id);
    this.dispatchEvent(new Event("change"));
  }
}

function namedBy(place, marks) {
  return marks.map(({ key, is_starred: isStarred, rating }) => ({ id: `${place}/${key}`, isStarred, rating }));
}

function addressFor(url, id) {
  return url.replace(NOTHING, typeof id === "number" ? `tracks/${id}` : id);
}
