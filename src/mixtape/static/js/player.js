// The player without its looks: a queue, one <audio> element, and what to load into it.

import { decideQuality, recallQuality, rememberQuality, urlAt } from "./quality.js";
import { askServed } from "./served.js";

// "Previous" begins the track again once this much of it was heard.
const RESTART_AFTER_S = 3;

/**
 * @typedef {object} Track
 * @property {string} url
 * @property {string} title
 * @property {string} artist
 * @property {string} album
 * @property {string} cover
 * @property {string} format
 * @property {string} mime
 * @property {boolean} lossless
 * @property {number} duration in seconds
 */

/** Fires "track", "served" and "message" besides the events of its <audio> element. */
export class Player extends EventTarget {
  /** @param {HTMLAudioElement} audio @param {string} defaultQuality where none was ever chosen */
  constructor(audio, defaultQuality) {
    super();
    this.audio = audio;
    /** @type {Track[]} */
    this.queue = [];
    this.index = -1;
    this.quality = recallQuality(defaultQuality);
    /** @type {import("./served.js").Served | null} */
    this.served = null;
    this.message = "";
    this.asking = new AbortController();
    this.resumeAt = 0;
    audio.addEventListener("loadedmetadata", () => this.#resume());
    audio.addEventListener("ended", () => this.next());
    audio.addEventListener("error", () => this.#explainError());
  }

  /** @returns {Track | null} */
  get track() {
    return this.queue[this.index] ?? null;
  }

  get hasNext() {
    return this.index + 1 < this.queue.length;
  }

  /** @returns {number} length of the track in seconds, by its tags until the browser knows it */
  get duration() {
    const { duration } = this.audio;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.track?.duration ?? 0);
  }

  /** @param {Track[]} queue @param {number} index */
  play(queue, index) {
    this.queue = queue;
    this.#go(index);
  }

  toggle() {
    if (!this.track) return;
    if (this.audio.paused) this.#start();
    else this.audio.pause();
  }

  next() {
    if (this.hasNext) this.#go(this.index + 1);
  }

  previous() {
    if (this.audio.currentTime > RESTART_AFTER_S || this.index <= 0) this.seek(0);
    else this.#go(this.index - 1);
  }

  /** @param {number} seconds */
  seek(seconds) {
    if (!this.track) return;
    this.audio.currentTime = Math.min(Math.max(0, seconds), this.duration);
  }

  /** Change the quality, of the track that is playing too, which goes on at the same second. */
  setQuality(quality) {
    this.quality = quality;
    rememberQuality(quality);
    if (!this.track) return;
    const { url, note } = this.#address();
    if (this.audio.src === new URL(url, location.href).href) this.#say(note);
    else this.#load(this.resumeAt || this.audio.currentTime, !this.audio.paused);
  }

  #go(index) {
    this.index = index;
    this.audio.pause();
    this.#load(0, true);
    this.dispatchEvent(new Event("track"));
  }

  #address() {
    const canPlayType = (mime) => this.audio.canPlayType(mime);
    const { quality, note } = decideQuality(this.track, this.quality, canPlayType);
    return { url: urlAt(this.track.url, quality), note };
  }

  #load(second, isPlaying) {
    const { url, note } = this.#address();
    this.#say(note);
    this.resumeAt = second;
    this.audio.src = url;
    if (isPlaying) this.#start();
    this.#ask(url);
  }

  #resume() {
    if (this.resumeAt > 0) this.seek(this.resumeAt);
    this.resumeAt = 0;
  }

  async #start() {
    try {
      await this.audio.play();
    } catch (error) {
      // AbortError: another track was chosen meanwhile. Others reach the "error" event as well.
      if (error.name === "NotAllowedError") this.#say("Press play to begin.");
    }
  }

  async #ask(url) {
    this.asking.abort();
    this.asking = new AbortController();
    this.#tell(null);
    try {
      const served = await askServed(url, this.asking.signal);
      if (served.status < 400) this.#tell(served);
      else this.#say(refusal(served.status));
    } catch (error) {
      if (error.name !== "AbortError") this.#say("The server cannot be reached.");
    }
  }

  #explainError() {
    // Setting src to another track ends the former with no code of interest.
    const { error } = this.audio;
    if (!error || error.code === MediaError.MEDIA_ERR_ABORTED) return;
    const isOriginal = !this.served || this.served.quality === "original";
    if (error.code === MediaError.MEDIA_ERR_NETWORK) this.#say("The connection was lost.");
    else if (isOriginal && !this.message) {
      this.#say(`This browser cannot play this ${this.track.format.split(" ")[0]} file.`);
    }
  }

  #tell(served) {
    this.served = served;
    this.dispatchEvent(new Event("served"));
  }

  #say(message) {
    this.message = message;
    this.dispatchEvent(new Event("message"));
  }
}

/** @param {number} status @returns {string} why the server sent no music */
function refusal(status) {
  if (status === 401) return "You have been signed out. Reload the page to sign in.";
  if (status === 404) return "This track is no longer there.";
  return `The server answered with error ${status}.`;
}
