// Two <audio> elements, one of which is heard: the other takes what comes next, or the same track
// at another quality, and is heard from when it is ready.

/** What is told of the element that is heard. */
export const FORWARDED = [
  "play", "playing", "pause", "waiting", "ended", "error", "timeupdate", "seeking", "emptied",
  "loadedmetadata", "durationchange", "progress", "suspend", "volumechange",
];

/** Fires the events of the element that is heard. */
export class Decks extends EventTarget {
  /** @param {HTMLAudioElement} audio the first to be heard; the second is put beside it */
  constructor(audio) {
    super();
    this.active = audio;
    this.spare = audio.cloneNode();
    this.spare.preload = "auto";
    audio.after(this.spare);
    for (const deck of [this.active, this.spare]) {
      for (const name of FORWARDED) {
        deck.addEventListener(name, () => deck === this.active && this.dispatchEvent(new Event(name)));
      }
    }
  }

  /** Let both elements play from here on; to be called while a press or a key is handled. */
  unlock() {
    // Safari allows each element by itself, and takes load() within a gesture for its consent.
    if (!this.isUnlocked) this.spare.load();
    this.isUnlocked = true;
  }

  /** @param {string} url to make ready on the element that is not heard */
  prepare(url) {
    this.spare.preload = "auto";
    this.spare.src = url;
    this.spare.load();
  }

  /** Stop what was prepared, and the transfer with it. */
  clear() {
    if (!this.spare.hasAttribute("src")) return;
    this.spare.pause();
    this.spare.removeAttribute("src");
    this.spare.load();
  }

  get isReady() {
    return this.spare.hasAttribute("src") && this.spare.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /**
   * Make the prepared element the one that is heard.
   *
   * @param {boolean} toTheEnd let the other play out the little that is left of it
   */
  swap(toTheEnd) {
    const old = this.active;
    this.active = this.spare;
    this.spare = old;
    this.active.muted = old.muted;
    // The one that is heard comes first in the document. It is not moved itself: that could stop it.
    this.active.after(old);
    if (toTheEnd && !old.ended) old.addEventListener("ended", () => old === this.spare && this.clear(), { once: true });
    else this.clear();
  }
}
