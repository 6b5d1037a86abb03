// Another device that plays in place of this one, such as a Chromecast or an Apple TV. It fetches the
// music itself, without the cookie of this browser, and takes over one element: no second one can get
// ready beside it, and nothing fades.

import { ENCODED } from "../shared/qualities.js";
import { translate } from "../shared/words.js";
import { receiverOf } from "./receivers.js";

// Signed together with the one that plays, so that a press on "Next" waits for nothing.
const AHEAD = 20;
const TEXTS = {
  connecting: translate("Connecting to another device …"),
  connected: translate("Playing on another device"),
  disconnected: "",
};

/** Fires "change" where another device comes, goes, begins or ends to play. */
export class Remote extends EventTarget {
  /** @param {import("./player.js").Player} player */
  constructor(player) {
    super();
    this.player = player;
    this.state = "disconnected";
    this.isAsking = false;
    /** Whether music is loaded from where other devices can fetch it, as one was seen. */
    this.isReady = false;
    this.isRefused = false;
    /** @type {import("./addresses.js").Addresses | null} */
    this.addresses = null;
    /** @type {Map<HTMLAudioElement, RemotePlayback>} */
    this.receivers = new Map();
    /** @type {Set<HTMLAudioElement>} those for which a device is in reach */
    this.inReach = new Set();
  }

  /** @returns {boolean} whether another device plays, or is about to */
  get isOn() {
    return this.state !== "disconnected";
  }

  /** @returns {boolean} whether the element that is heard has to stay the one */
  get keepsDeck() {
    return this.isOn || this.isAsking;
  }

  /** @returns {boolean} whether there is a device that could play what is loaded */
  get isOffered() {
    const { audio, track, src } = this.player;
    const url = track && this.#urlOf(track);
    return this.isOn || (this.inReach.has(audio) && Boolean(url) && src.startsWith(`${url}?`));
  }

  get text() {
    return TEXTS[this.state];
  }

  /** Look for other devices from now on. @param {import("./addresses.js").Addresses} addresses */
  watch(addresses) {
    const { player } = this;
    this.addresses = addresses;
    for (const deck of [player.decks.active, player.decks.spare]) {
      const receiver = receiverOf(deck);
      if (!receiver) return;
      this.receivers.set(deck, receiver);
      // Where devices cannot be watched for, nobody knows whether a button would lead anywhere.
      receiver.watchAvailability((isThere) => this.#found(deck, isThere)).catch(() => {});
      for (const name of ["connecting", "connect", "disconnect"]) {
        receiver.addEventListener(name, () => deck === player.audio && this.#follow(receiver.state));
      }
    }
    for (const name of ["track", "queue"]) player.addEventListener(name, () => this.#prepare());
    for (const name of ["load", "takeover"]) player.addEventListener(name, () => this.#changed());
  }

  /** Let the listener choose a device; to be called while a press is handled. */
  async prompt() {
    const { player } = this;
    this.isAsking = true;
    player.handover.forget();
    try {
      await this.receivers.get(player.audio).prompt();
    } catch (error) {
      // NotAllowedError: nobody chose one.
      if (error.name !== "NotAllowedError") player.say(translate("The other device could not be reached."));
    } finally {
      this.isAsking = false;
    }
  }

  /** @param {import("./player.js").Track} track @returns {string} where to load it from, without a quality */
  sourceOf(track) {
    return (this.isReady && !this.isRefused && this.#urlOf(track)) || track.url;
  }

  /** @param {string} quality that is wanted @returns {string} what to ask for while another device plays */
  qualityFor(quality) {
    // No receiver says which formats it plays, and each plays MP3.
    return this.isOn && quality === "original" ? ENCODED[0].name : quality;
  }

  /** @param {import("./player.js").Track} track @returns {boolean} whether it has to be brought before it is loaded */
  lacks(track) {
    return this.isOn && !this.#urlOf(track);
  }

  /**
   * Bring the address of the track that is to be played.
   *
   * @param {number} second at which it begins
   * @param {() => void} load once it is there
   */
  async bring(second, load) {
    const { player } = this;
    const { track } = player;
    player.resumeAt = second;
    let status = 404;
    try {
      await this.addresses.learn([track]);
    } catch (error) {
      status = error.status;
    }
    if (track !== player.track) return;
    if (this.#urlOf(track)) load();
    else player.recovery.refused(status);
  }

  /** Take note that what is loaded does not come: the address for others may not be one for here. */
  noteFailure() {
    if (!this.isOn && !this.player.src.startsWith("/")) this.isRefused = true;
  }

  #urlOf(track) {
    return this.addresses?.of(track) ?? "";
  }

  #found(deck, isThere) {
    if (isThere) this.inReach.add(deck);
    else this.inReach.delete(deck);
    this.isReady ||= isThere;
    if (isThere) this.#prepare();
    this.#changed();
  }

  /** Have what plays, and what comes after it, where another device can fetch it. */
  async #prepare() {
    const { player } = this;
    const { list, track } = player;
    if (!this.isReady || this.isRefused || !track) return;
    try {
      await this.addresses.learn(list.tracks.slice(list.index, list.index + 1 + AHEAD));
    } catch {
      return; // with the next track again
    }
    if (!player.url || this.isOn || track !== player.track) return;
    const { src } = player.addressOf(track);
    // The other element may be getting ready with it by now, which is what brought a device into reach.
    if (src !== player.src && src !== player.decks.spare.getAttribute("src")) player.requality();
    this.#changed();
  }

  #follow(state) {
    const { player } = this;
    const was = this.state;
    this.state = state;
    if (this.isOn) player.handover.forget();
    if (this.isOn) player.levels.endFade(player.audio);
    if (state === "connected") player.requality();
    if (state === "disconnected" && was === "connected") this.#takeBack();
    this.#changed();
  }

  /** Go on here at the same second, once the browser is done with the other device. */
  #takeBack() {
    const { player } = this;
    const { audio, track, position } = player;
    const isPlaying = !audio.paused;
    if (audio.ended || !player.url) return;
    setTimeout(() => track === player.track && player.load(player.addressOf(track), position, isPlaying));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
