// What to do when no music comes: try again, fall back to what can be played, or go on.

import { Retries } from "./retries.js";
import { askServed } from "./served.js";

const LOST = "The connection was lost. Trying again …";
// As long as this without a byte, and the browser may be waiting for a connection that is gone.
const SILENT_S = 6;
// A track that the server sends and the browser gives back this often is not for this browser.
const MAX_RELOADS = 2;

/** Watches a player. */
export class Recovery {
  /** @param {import("./player.js").Player} player @param {string} closedText */
  constructor(player, closedText) {
    this.player = player;
    this.closedText = closedText;
    this.retries = new Retries();
    this.reloads = 0;
    this.silence = 0;
    player.addEventListener("error", () => this.#failed());
    player.addEventListener("track", () => this.#calm());
    player.addEventListener("playing", () => this.#calm());
    player.addEventListener("pause", () => this.#stopListening());
    player.addEventListener("waiting", () => this.#listen());
    player.addEventListener("progress", () => this.silence && this.#listen());
  }

  /** @param {number} status an error that the server answered instead of music */
  async refused(status) {
    const { player } = this;
    const { url, track } = player;
    if (status === 401) player.say("You have been signed out. Reload the page to sign in.");
    else if (status !== 404) this.#later();
    else if (this.closedText && (await statusOf(location.href)) === 404) this.#close();
    else if (url === player.url) player.skip(`“${track.title}” is no longer there and was skipped.`);
  }

  #failed() {
    const { error } = this.player.audio;
    // Setting src to another track ends the former with no code of interest.
    if (error && error.code !== MediaError.MEDIA_ERR_ABORTED) this.#tryAgain();
  }

  async #tryAgain() {
    const { player } = this;
    const { url } = player;
    const status = await statusOf(url);
    if (url !== player.url) return;
    if (status === 0) this.#later();
    else if (status >= 400) await this.refused(status);
    else if (this.reloads >= MAX_RELOADS) this.#fallBack();
    else {
      this.reloads += 1;
      player.load(player.addressOf(player.track), player.position, !player.audio.paused);
    }
  }

  #later() {
    this.player.say(LOST);
    this.retries.schedule(() => this.#tryAgain());
  }

  #close() {
    this.player.audio.pause();
    this.player.say(this.closedText);
  }

  /** The server sends it, and the browser cannot play it. */
  #fallBack() {
    const { player } = this;
    const { track } = player;
    const [name] = track.format.split(" ");
    const hasRenditions = track.lossless && !track.isUnplayable;
    if (!hasRenditions) return player.skip(`This browser cannot play ${name}: “${track.title}” was skipped.`);
    // Whatever canPlayType promised. The address is another one from here on.
    track.isUnplayable = true;
    this.reloads = 0;
    return player.load(player.addressOf(track), player.position, !player.audio.paused);
  }

  #calm() {
    this.#stopListening();
    this.retries.reset();
    this.reloads = 0;
    if (this.player.message === LOST) this.player.say("");
  }

  #listen() {
    this.#stopListening();
    this.silence = setTimeout(() => {
      this.silence = 0;
      if (!this.player.audio.paused && !this.player.audio.error) this.#tryAgain();
    }, 1000 * SILENT_S);
  }

  #stopListening() {
    clearTimeout(this.silence);
    this.silence = 0;
  }
}

/** @returns {Promise<number>} the status that an address has, 0 where no answer comes */
async function statusOf(url) {
  try {
    return (await askServed(url)).status;
  } catch {
    return 0;
  }
}
