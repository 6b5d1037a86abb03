// The player without its looks: a queue, what to load for each track, and at which quality.

import { AutoQuality } from "./auto-quality.js";
import { Decks, FORWARDED } from "./decks.js";
import { Handover } from "./handover.js";
import { AUTO, decideQuality, recallQuality, rememberQuality, urlAt } from "./quality.js";
import { Recovery } from "./recovery.js";
import { askServed, damageText } from "./served.js";

// "Previous" begins the track again once this much of it was heard.
const RESTART_AFTER_S = 3;
// Seeking lands on a frame, not on the sample that was asked for.
const CLOSE_ENOUGH_S = 0.03;

/**
 * @typedef {object} Track
 * @property {string} key tells two places of a list apart that hold the same track
 * @property {string} url without a quality
 * @property {string} title
 * @property {string} artist
 * @property {string} album
 * @property {string} cover its address, "" without one
 * @property {string} format
 * @property {string} mime
 * @property {boolean} lossless
 * @property {number} duration in seconds
 */

/**
 * Fires "track", "load" or "takeover", "served", "message" and "gone", and the events of the
 * <audio> that is heard.
 */
export class Player extends EventTarget {
  /**
   * @param {HTMLAudioElement} audio
   * @param {string} defaultQuality where none was ever chosen
   * @param {object} [options]
   * @param {string} [options.autoStart] what "Auto" chooses while nothing is known
   * @param {string} [options.closedText] what to say when the page itself is no longer there
   */
  constructor(audio, defaultQuality, { autoStart = "", closedText = "" } = {}) {
    super();
    this.decks = new Decks(audio);
    for (const name of FORWARDED) this.decks.addEventListener(name, () => this.dispatchEvent(new Event(name)));
    /** @type {Track[]} */
    this.queue = [];
    this.index = -1;
    this.quality = recallQuality(defaultQuality);
    /** @type {import("./served.js").Served | null} */
    this.served = null;
    this.url = "";
    this.message = "";
    this.asking = new AbortController();
    this.resumeAt = null;
    /** What a track is to be played at because that is kept on this device; null where it is not. */
    this.keptQuality = (_track, _wanted) => null;
    this.auto = new AutoQuality(this, autoStart);
    this.handover = new Handover(this);
    this.recovery = new Recovery(this, closedText);
    this.addEventListener("loadedmetadata", () => this.#resume());
  }

  /** The element that is heard now; it changes. @returns {HTMLAudioElement} */
  get audio() {
    return this.decks.active;
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

  /** @returns {number} the second that is heard, or will be when it has been loaded */
  get position() {
    return this.resumeAt ?? this.audio.currentTime;
  }

  /** @param {Track[]} queue @param {number} index */
  play(queue, index) {
    this.decks.unlock();
    this.handover.forget();
    this.queue = queue;
    this.go(index);
  }

  /** Show the first of some tracks, to be played when somebody presses play. @param {Track[]} queue */
  offer(queue) {
    this.queue = queue;
    this.index = 0;
    this.dispatchEvent(new Event("track"));
  }

  toggle() {
    if (!this.track) return;
    this.decks.unlock();
    if (!this.url) this.go(this.index);
    else if (this.audio.paused) this.start();
    else this.audio.pause();
  }

  next() {
    if (this.hasNext) this.go(this.index + 1);
  }

  previous() {
    if (this.position > RESTART_AFTER_S || this.index <= 0) this.seek(0);
    else this.go(this.index - 1);
  }

  /** @param {number} seconds */
  seek(seconds) {
    if (!this.url) return;
    const second = Math.min(Math.max(0, seconds), this.duration);
    // A jump to the end is no music that breaks off.
    this.recovery.heardAt = second;
    if (this.audio.readyState === HTMLMediaElement.HAVE_NOTHING) this.resumeAt = second;
    this.audio.currentTime = second;
  }

  /** Change the quality, of the track that is playing too, which goes on at the same second. */
  setQuality(quality) {
    this.quality = quality;
    rememberQuality(quality);
    this.requality();
  }

  /** Load the track at the quality that it should have by now, if that is another. */
  requality() {
    this.handover.forget();
    if (!this.url) return;
    const address = this.addressOf(this.track);
    if (address.url === this.url) this.say(address.note);
    else if (this.audio.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) this.handover.change(address);
    else this.load(address, this.position, !this.audio.paused);
  }

  /** @param {number} index @param {{message?: string, toTheEnd?: boolean}} how */
  go(index, { message = "", toTheEnd = false } = {}) {
    this.index = index;
    const prepared = this.handover.take(index);
    if (prepared) {
      this.takeOver(prepared, toTheEnd, message);
      this.start();
    } else {
      this.audio.pause();
      this.load(this.addressOf(this.track), 0, true, message);
    }
    this.dispatchEvent(new Event("track"));
  }

  /** @param {Track} track @returns {{url: string, quality: string, note: string}} what to load */
  addressOf(track) {
    const kept = this.keptQuality(track, this.quality);
    const wanted = kept ?? (this.quality === AUTO ? this.auto.choose() : this.quality);
    const { quality, note } = decideQuality(track, wanted, (mime) => this.audio.canPlayType(mime));
    return { url: urlAt(track.url, quality), quality, note };
  }

  /** Load into the element that is heard. */
  load(address, second, isPlaying, message = "") {
    this.handover.forget();
    this.#loaded(address, message);
    this.dispatchEvent(new Event("load"));
    this.audio.src = address.url;
    this.resumeAt = second || null;
    if (second) this.audio.currentTime = second;
    if (isPlaying) this.start();
  }

  /** Listen to what was prepared on the other element. */
  takeOver(address, toTheEnd = false, message = "") {
    this.resumeAt = null;
    this.decks.swap(toTheEnd);
    this.#loaded(address, message);
    for (const name of ["takeover", "durationchange"]) this.dispatchEvent(new Event(name));
  }

  /** Say that the track cannot be had and go on with the next. @param {string} message */
  skip(message) {
    this.track.isGone = true;
    this.dispatchEvent(new Event("gone"));
    return this.leave(message);
  }

  /** Take note of what was found to be wrong with the file. @param {import("./served.js").Damage} damage */
  learn(damage) {
    this.say("");
    if (this.served) this.#tell({ ...this.served, damage });
  }

  /** Go on with the next track, where there is one. @param {string} [message] why */
  leave(message = "") {
    const next = this.queue.findIndex((track, index) => index > this.index && !track.isGone);
    if (next > 0) return this.go(next, { message });
    this.audio.pause();
    return message && this.say(message);
  }

  async start() {
    const { audio } = this;
    try {
      await audio.play();
    } catch (error) {
      // AbortError: another track was chosen meanwhile. Others reach the "error" event as well.
      if (error.name === "NotAllowedError" && audio === this.audio) this.say("Press play to begin.");
    }
  }

  /** @param {string} message for the listener; "" takes the last one back */
  say(message) {
    this.message = message;
    this.dispatchEvent(new Event("message"));
  }

  #loaded({ url, note }, message) {
    this.url = url;
    this.say([message, note].filter(Boolean).join(" "));
    this.#ask(url);
  }

  #resume() {
    const second = this.resumeAt;
    this.resumeAt = null;
    if (second !== null && Math.abs(this.audio.currentTime - second) > CLOSE_ENOUGH_S) this.audio.currentTime = second;
  }

  async #ask(url) {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.#tell(null);
    try {
      const served = await askServed(url, signal);
      if (served.status >= 400) return this.recovery.refused(served.status);
      this.#tell(served);
    } catch {
      // Without an answer there is nothing to tell; whether music comes is for <audio> to say.
    }
  }

  #tell(served) {
    this.served = served;
    this.dispatchEvent(new Event("served"));
    if (served?.damage?.heard && !this.message) this.say(`“${this.track.title}” ${damageText(served.damage)}`);
  }
}
