// The mixtapes that something can be added to, and what the server is asked for that.

import { send } from "../shared/api.js";

const CHANNEL = "mixtape.added";

/**
 * @typedef {object} Target
 * @property {string} title
 * @property {number} tracks how many it holds
 * @property {boolean} saved false for one that is only begun
 * @property {string} cover
 * @property {string} url takes tracks by POST, takes them back by DELETE
 * @property {string} edit_url
 * @property {string} [share_url]
 */

export class Targets {
  /** @param {string} url of the list, which makes a new mixtape by POST */
  constructor(url) {
    this.url = url;
    /** @type {Target[]} as they were seen last, to be shown at once */
    this.known = [];
  }

  /** @returns {Promise<Target[]>} the one that was changed last first */
  async load() {
    this.known = (await send("GET", this.url)).mixtapes;
    return this.known;
  }

  /**
   * @param {Target} target
   * @param {number[]} ids
   * @param {"ask" | "skip" | "add"} repeats
   * @returns {Promise<{added: number[], repeated: number[]}>}
   */
  async add(target, ids, repeats) {
    const answer = await send("POST", target.url, { track_ids: ids, repeats });
    if (answer.added.length) tellEditors(target);
    return answer;
  }

  /** @param {Target} target @param {number[]} ids */
  async takeBack(target, ids) {
    await send("DELETE", target.url, { track_ids: ids });
    tellEditors(target);
  }

  /** @param {string} title @param {number[]} ids */
  create(title, ids) {
    return send("POST", this.url, { title, track_ids: ids });
  }
}

/** Let the editor of a mixtape that is open in another tab show it too. */
function tellEditors(target) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(new URL(target.edit_url, location.href).pathname);
  channel.close();
}

/** @param {(path: string) => void} act is told the path of the editor @returns {() => void} */
export function hearAdditions(act) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => act(data));
  return () => channel.close();
}
