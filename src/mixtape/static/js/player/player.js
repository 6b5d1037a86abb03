// The player without its looks: a queue, what to load for each track, and at which quality.

import { AutoQuality } from "./auto-quality.js";
import { Decks, FORWARDED } from "./decks.js";
import { Handover } from "./handover.js";
import { Levels } from "./levels.js";
import { AUTO, decideQuality, recallQuality, rememberQuality, urlAt } from "./quality.js";
import { Queue } from "./queue.js";
import { Recovery } from "./recovery.js";
import { Remote } from "./remote.js";
import { recallMode, rememberMode, replayGain } from "./replay-gain.js";
import { askServed, damageText } from "./served.js";
import { translate } from "../shared/words.js";

// "Previous" begins the track again once this much of it was heard.
const RESTART_AFTER_S = 3;
// Seeking lands on a frame, not on the sample that was asked for.
const CLOSE_ENOUGH_S = 0.03;

/**
 * @typedef {object} Track
 * @property {string} key tells two places of a list apart that hold the same track
 * @property {number} id of the library, by which it is found again
 * @property {string} url without a quality
 * @property {string} title
 * @property {string} artist
 * @property {string} album
 * @property {string} cover its address, "" without one
 * @property {string} note what whoever made the mixtape wrote to it
 * @property {string} format
 * @property {string} mime
 * @property {boolean} lossless
 * @property {number} duration in seconds
 * @property {{track: Array, album: Array}} [gain] see `replayGain`
 * @property {string} albumUrl the page of its album, "" where there is none for this listener
 * @property {string} loudnessUrl of its loudness line
 */

/**
 * Fires "track", "load" or "takeover", "served", "message", "gone", "queue" where what comes next is
 * another, "held" where it stopped at the end of a track because it was told to, and the events of
 * the <audio> that is heard.
 */
export class Player extends EventTarget {
  /**
   * @param {HTMLAudioElement} audio
   * @param {string} defaultQuality where none was ever chosen
   * @param {object} [options]
   * @param {string} [options.autoStart] what "Auto" chooses while nothing is known
   * @param {string} [options.autoBest] what "Auto" chooses at most
   * @param {string} [options.closedText] what to say when the page itself is no longer there
   */
  constructor(audio, defaultQuality, { autoStart = "", autoBest = "", closedText = "" } = {}) {
    super();
    this.decks = new Decks(audio);
    for (const name of FORWARDED) this.decks.addEventListener(name, () => this.dispatchEvent(new Event(name)));
    this.levels = new Levels();
    for (const deck of [this.decks.active, this.decks.spare]) this.levels.setGain(deck, 1);
    this.gainMode = recallMode();
    this.list = new Queue();
    this.holdsAtEnd = false;
    /** Which list was begun, as the keys of its tracks; and where it stands. */
    this.startedFrom = "";
    /** @type {{title: string, url: string} | null} */
    this.source = null;
    this.quality = recallQuality(defaultQuality);
    /** @type {import("./served.js").Served | null} */
    this.served = null;
    this.url = "";
    /** Where the element has it from: `url`, or the same for a device without a cookie. */
    this.src = "";
    this.message = "";
    this.asking = new AbortController();
    this.resumeAt = null;
    /** What a track is to be played at because that is kept on this device; null where it is not. */
    this.keptQuality = (_track, _wanted) => null;
    this.remote = new Remote(this);
    this.auto = new AutoQuality(this, autoStart, autoBest);
    this.handover = new Handover(this);
    this.recovery = new Recovery(this, closedText);
    this.addEventListener("loadedmetadata", () => this.#resume());
  }

  /** The element that is heard now; it changes. @returns {HTMLAudioElement} */
  get audio() {
    return this.decks.active;
  }

  /** @returns {Track[]} in the order in which they are played */
  get queue() {
    return this.list.tracks;
  }

  get index() {
    return this.list.index;
  }

  /** @returns {Track | null} */
  get track() {
    return this.list.current;
  }

  get hasNext() {
    return this.list.following >= 0;
  }

  /** @returns {Track | null} what is heard when this track has ended */
  get upcoming() {
    return this.holdsAtEnd ? null : (this.queue[this.list.upcoming] ?? null);
  }

  /** @returns {number} length of the track in seconds, by its tags until the browser knows it */
  get duration() {
    const { duration } = this.audio;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.track?.duration ?? 0);
  }

  /** @returns {boolean} whether more has happened than that a page offers its first track */
  get hasBegun() {
    return Boolean(this.url || this.index > 0 || this.position);
  }

  /** @returns {number} the second that is heard, or will be when it has been loaded */
  get position() {
    return this.resumeAt ?? this.audio.currentTime;
  }

  /**
   * @param {Track[]} tracks
   * @param {number} index of the one to begin with; negative for any, where they are shuffled
   * @param {{title: string, url: string} | null} source the page that lists them
   */
  play(tracks, index, source = null) {
    this.decks.unlock();
    this.handover.forget();
    this.startedFrom = keysOf(tracks);
    this.source = source;
    this.list.set(tracks, index);
    this.go(this.index);
    this.changed();
  }

  /** @param {Track[]} tracks @returns {boolean} whether it is these that play, or those they begin with */
  isFrom(tracks) {
    return Boolean(this.track && this.startedFrom) && keysOf(tracks).startsWith(this.startedFrom);
  }

  /**
   * Show a track, to be played when somebody presses play.
   *
   * @param {Track[]} tracks
   * @param {{index?: number, second?: number, given?: Track[]}} place where the music was left
   */
  offer(tracks, { index = 0, second = 0, given = tracks } = {}) {
    this.startedFrom = keysOf(given);
    this.list.restore([...tracks], index, [...given]);
    this.#cue(index, second);
  }

  /** Put a track behind the one that plays. @param {Track} track */
  playNext(track) {
    this.#add(() => this.list.insertNext(track));
  }

  /** Put a track at the end of the queue. @param {Track} track */
  enqueue(track) {
    this.#add(() => this.list.append(track));
  }

  /** Tell everybody that what comes next may be another; to be called after a change of `list`. */
  changed() {
    if (this.handover.next && this.handover.next.track !== this.upcoming) this.handover.forget();
    this.dispatchEvent(new Event("queue"));
  }

  /** @param {boolean} holdsAtEnd stop when this track has ended */
  setHold(holdsAtEnd) {
    this.holdsAtEnd = holdsAtEnd;
    this.changed();
  }

  toggle() {
    if (!this.track) return;
    this.decks.unlock();
    if (!this.url) this.load(this.addressOf(this.track), this.position, true);
    else if (this.audio.paused) this.start();
    else this.audio.pause();
  }

  /** Play another track of the queue. @param {number} index */
  jump(index) {
    this.decks.unlock();
    this.go(index);
  }

  next() {
    if (this.hasNext) this.go(this.list.following);
  }

  previous() {
    if (this.position > RESTART_AFTER_S || this.index <= 0) this.seek(0);
    else this.go(this.index - 1);
  }

  /** @param {number} seconds */
  seek(seconds) {
    if (!this.track) return;
    const second = Math.min(Math.max(0, seconds), this.duration);
    if (!this.url) return this.#cue(this.index, second);
    // A jump to the end is no music that breaks off.
    this.recovery.heardAt = second;
    if (this.audio.readyState === HTMLMediaElement.HAVE_NOTHING) this.resumeAt = second;
    this.audio.currentTime = second;
    return undefined;
  }

  /** @param {string} mode one of `MODES` */
  setGainMode(mode) {
    this.gainMode = mode;
    rememberMode(mode);
    if (this.track) this.levels.setGain(this.audio, this.gainOf(this.track));
    if (this.handover.next) this.levels.setGain(this.decks.spare, this.gainOf(this.handover.next.track));
  }

  /** @param {Track} track @returns {number} */
  gainOf(track) {
    return replayGain(track, this.gainMode);
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
    const isLoaded = this.audio.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
    if (address.src === this.src) this.say(address.note);
    else if (isLoaded && !this.remote.keepsDeck) this.handover.change(address);
    else this.load(address, this.position, !this.audio.paused);
  }

  /** @param {number} index @param {{message?: string, toTheEnd?: boolean}} how */
  go(index, { message = "", toTheEnd = false } = {}) {
    this.list.index = index;
    const prepared = this.handover.take(this.track);
    if (prepared) {
      this.takeOver(prepared, toTheEnd, message);
      this.start();
    } else {
      this.audio.pause();
      this.load(this.addressOf(this.track), 0, true, message);
    }
    this.dispatchEvent(new Event("track"));
  }

  /** @param {Track} track @returns {{url: string, src: string, quality: string, note: string}} what to load */
  addressOf(track) {
    const kept = this.keptQuality(track, this.quality);
    const wanted = this.remote.qualityFor(kept ?? (this.quality === AUTO ? this.auto.choose() : this.quality));
    const { quality, note } = decideQuality(track, wanted, (mime) => this.audio.canPlayType(mime));
    return { url: urlAt(track.url, quality), src: urlAt(this.remote.sourceOf(track), quality), quality, note };
  }

  /** Load into the element that is heard. */
  load(address, second, isPlaying, message = "") {
    if (this.remote.lacks(this.track)) {
      this.remote.bring(second, () => this.load(this.addressOf(this.track), second, isPlaying, message));
      return;
    }
    this.handover.forget();
    this.levels.endFade(this.audio);
    this.levels.setGain(this.audio, this.gainOf(this.track));
    this.#loaded(address, message);
    this.dispatchEvent(new Event("load"));
    this.audio.src = address.src;
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
    const { following } = this.list;
    if (this.holdsAtEnd) {
      this.dispatchEvent(new Event("held"));
      if (following >= 0) this.#cue(following, 0);
      return message && this.say(message);
    }
    const next = this.list.upcoming;
    if (next >= 0) return this.go(next, { message });
    this.audio.pause();
    return message && this.say(message);
  }

  async start() {
    const { audio } = this;
    try {
      await audio.play();
    } catch (error) {
      // AbortError: another track was chosen meanwhile. Others reach the "error" event as well.
      if (error.name === "NotAllowedError" && audio === this.audio) this.say(translate("Press play to begin."));
    }
  }

  /** @param {string} message for the listener; "" takes the last one back */
  say(message) {
    this.message = message;
    this.dispatchEvent(new Event("message"));
  }

  #add(put) {
    const wasEmpty = !this.track;
    put();
    if (wasEmpty) this.#cue(0, 0);
    this.changed();
  }

  /** Show a track at a second without loading it. */
  #cue(index, second) {
    this.handover.forget();
    this.asking.abort();
    this.url = this.src = "";
    this.list.index = index;
    if (this.audio.hasAttribute("src")) {
      this.audio.pause();
      this.audio.removeAttribute("src");
      this.audio.load();
    }
    this.resumeAt = second || null;
    this.#tell(null);
    for (const name of ["track", "seeking"]) this.dispatchEvent(new Event(name));
  }

  #loaded({ url, src, note }, message) {
    Object.assign(this, { url, src });
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
    if (served?.damage?.heard && !this.message) this.say(damageText(this.track, served.damage));
  }
}

/** @param {Track[]} tracks */
function keysOf(tracks) {
  return tracks.map(({ key }) => `${key}\n`).join("");
}
