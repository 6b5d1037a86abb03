// What to do when no music comes: try again, fall back to what can be played, or go on.

import { translate } from "../shared/words.js";
import { clock } from "../shared/format.js";
import { Retries } from "./retries.js";
import { askServed } from "./served.js";

const LOST = translate("The connection was lost. Trying again …");
// As long as this without a byte, and the browser may be waiting for a connection that is gone.
const SILENT_S = 6;
// A track that the server sends and the browser gives back this often is not for this browser.
const MAX_RELOADS = 2;
// Music that goes on for as long has got over what was wrong.
const HEALED_S = 5;
// What ends so little before its time has ended.
const END_S = 0.5;
// Of a track, more than what passes between two looks at where it is.
const MUCH_S = 2;
// A server that is there answers within this.
const ANSWERED_WITHIN_S = 20;
// So near to where it was sent, the music has come there.
const NEAR_S = 5;
const LOOK_EVERY_S = 3;

/** Watches a player. */
export class Recovery {
  /** @param {import("./player.js").Player} player @param {string} closedText */
  constructor(player, closedText) {
    this.player = player;
    this.closedText = closedText;
    this.retries = new Retries();
    this.reloads = 0;
    this.failedAt = 0;
    this.heardAt = 0;
    /** @type {number | null} where it was sent, until it is there: Firefox forgets that with the connection */
    this.sentTo = null;
    /** @type {number | null} where the file came to an end before its time */
    this.brokeAt = null;
    this.asksOf = "";
    this.silence = 0;
    this.isMeantToPlay = false;
    this.looksAgain = 0;
    this.lookedAt = "";
    player.addEventListener("error", () => this.#failed());
    player.addEventListener("track", () => this.#beginAnew());
    player.addEventListener("playing", () => this.#calm());
    player.addEventListener("timeupdate", () => this.#follow());
    player.addEventListener("play", () => (this.isMeantToPlay = true));
    player.addEventListener("pause", () => this.#paused());
    player.addEventListener("seeking", () => (this.sentTo = player.position));
    player.addEventListener("waiting", () => this.#listen());
    player.addEventListener("progress", () => this.silence && this.#listen());
  }

  /** @param {number} status an error that the server answered instead of music */
  async refused(status) {
    const { player } = this;
    const { url, track } = player;
    if (this.closedText && status === 404 && (await ask(location.href))?.status === 401) {
      player.audio.pause();
      player.say(translate("This link has another password now. Reload the page to enter it."));
    } else if (status === 401) player.say(translate("You have been signed out. Reload the page to sign in."));
    else if (status !== 404) this.#later();
    else if (this.closedText && (await ask(location.href))?.status === 404) this.#close();
    else if (url === player.url) player.skip(translate("“%(title)s” is no longer there and was skipped.", { title: track.title }));
  }

  #failed() {
    const { error } = this.player.audio;
    // Setting src to another track ends the former with no code of interest.
    if (!error || error.code === MediaError.MEDIA_ERR_ABORTED) return;
    this.player.remote.noteFailure();
    this.#tryAgain();
  }

  async #tryAgain() {
    const { player } = this;
    const { url } = player;
    const served = await ask(url);
    if (url !== player.url) return;
    if (served === null) this.#later();
    else if (served.status >= 400) await this.refused(served.status);
    else if (served.damage) this.#makeDo(served);
    else if (this.reloads < MAX_RELOADS) this.#reload();
    else if (player.remote.isOn) player.say(translate("The other device cannot play this. It has to reach this server by itself."));
    else this.#fallBack();
  }

  #reload(second = this.player.resumeAt ?? this.sentTo ?? this.player.position) {
    const { player } = this;
    const isPlaying = this.isMeantToPlay || player.audio.ended;
    this.reloads += 1;
    this.failedAt = second;
    player.load(player.addressOf(player.track), second, isPlaying);
  }

  /** @returns {boolean} whether the end that is near comes too early, and something is done about it */
  minds() {
    const { served, track } = this.player;
    // Browsers jump to the end where a file has no more, so what tells is how far the music came.
    // Only of lossless files the length is known for sure, and a hidden page is told little.
    const isSure = (served?.damage || !document.hidden) && !this.player.remote.isOn;
    const isEarly = track.lossless && isSure && this.heardAt < track.duration - MUCH_S;
    if (isEarly) this.#brokeOff();
    return Boolean(isEarly);
  }

  /** To Firefox a file ends where the connection does; one that ends there again is damaged. */
  async #brokeOff() {
    const { player, heardAt } = this;
    const { url } = player;
    if (this.asksOf === url) return;
    this.asksOf = url;
    this.sentTo ??= heardAt;
    const served = await ask(url);
    this.asksOf = "";
    if (url !== player.url) return;
    if (!served) return this.#later();
    if (served.status >= 400) return this.refused(served.status);
    const isAgain = this.brokeAt !== null && Math.abs(heardAt - this.brokeAt) < MUCH_S;
    this.brokeAt = heardAt;
    if (served.damage || isAgain) this.#makeDo({ quality: "original", damage: served.damage ?? { heard: NaN } }, heardAt);
    else this.#reload();
  }

  /** The file is damaged: take what the server can make of it. */
  #makeDo({ quality, damage }, second = this.player.position) {
    const { player } = this;
    const { track } = player;
    if (damage.heard === 0) return player.skip(translate("“%(title)s” is damaged and was skipped.", { title: track.title }));
    if (this.reloads >= MAX_RELOADS) return player.skip(translate("“%(title)s” is damaged here, and the rest of it was skipped.", { title: track.title }));
    // What browsers make of a damaged original is their own affair, and mostly nothing.
    if (quality === "original") track.isUnplayable = track.isDamaged = true;
    return this.#reload(second);
  }

  /** Notice that all is well again, or that there is nothing more to hear. */
  #follow() {
    const { player } = this;
    const { audio, position, served, track } = player;
    // At its end a browser says that all of a file was heard, however much of it there was.
    if (!audio.ended && !audio.seeking) this.#heard(audio.currentTime);
    if (served?.how === "live" && !served.damage) this.#lookForDamage();
    if (!track || !served?.damage?.heard) return;
    const { until } = served.damage;
    if (position < until || until > player.duration - END_S) return;
    player.leave(translate("“%(title)s” is damaged and ends at %(time)s.", { title: track.title, time: clock(until) }));
  }

  #heard(second) {
    const went = second - this.heardAt;
    const isThere = this.sentTo !== null && Math.abs(second - this.sentTo) < NEAR_S;
    // Or it plays on from somewhere else.
    if (isThere || (went > 0 && went < MUCH_S)) this.sentTo = null;
    this.heardAt = second;
    if (second > this.failedAt + HEALED_S) this.reloads = 0;
  }

  /** Damage is found while a track is made, and then the browser is given the rest without a word. */
  async #lookForDamage() {
    const { url } = this.player;
    if (this.lookedAt === url || Date.now() < this.looksAgain) return;
    this.looksAgain = Date.now() + 1000 * LOOK_EVERY_S;
    const served = await ask(url);
    if (url !== this.player.url) return;
    if (served?.damage) this.player.learn(served.damage);
    // What is whole by now stays so.
    else if (served && served.how !== "live") this.lookedAt = url;
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
    if (!hasRenditions) return player.skip(translate("This browser cannot play %(format)s: “%(title)s” was skipped.", { format: name, title: track.title }));
    // Whatever canPlayType promised. The address is another one from here on.
    track.isUnplayable = true;
    this.reloads = 0;
    return player.load(player.addressOf(track), player.position, this.isMeantToPlay);
  }

  #paused() {
    this.#stopListening();
    // A browser pauses by itself where it fails.
    if (!this.player.audio.error) this.isMeantToPlay = false;
  }

  #calm() {
    this.#stopListening();
    this.retries.reset();
    if (this.player.message === LOST) this.player.say("");
  }

  #beginAnew() {
    this.#calm();
    this.reloads = 0;
    this.failedAt = 0;
    this.heardAt = 0;
    this.sentTo = null;
    this.brokeAt = null;
  }

  #listen() {
    this.#stopListening();
    // Another device has patience of its own, and what it waits for is not told.
    if (this.player.remote.isOn) return;
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

/** @returns {Promise<import("./served.js").Served | null>} what an address would send, null where no answer comes */
async function ask(url) {
  try {
    return await askServed(url, AbortSignal.timeout(1000 * ANSWERED_WITHIN_S));
  } catch {
    return null;
  }
}
