// From one <audio> element to the other without a gap: to the next track at the end of one, and to
// another quality of the same track in the middle of it.

import { bufferedUntil } from "./buffered.js";
import { StartLatency } from "./start-latency.js";

// The next track is prepared when this one has arrived, or this long before its end at the latest.
const PREPARE_BEFORE_S = 20;
const WATCH_BEFORE_S = 1.2;
const SAME_SECOND_S = 0.05;
// After one seek, which mostly arrives within that, only what is heard is worth another.
const HEARD_S = 0.25;
const MOST_SEEKS = 3;

/** Uses the element that is not heard. */
export class Handover {
  /** @param {import("./player.js").Player} player */
  constructor(player) {
    this.player = player;
    this.decks = player.decks;
    /** @type {{index: number, address: object} | null} */
    this.next = null;
    this.failedUrl = "";
    this.latency = new StartLatency();
    this.timer = 0;
    this.abort = new AbortController();
    for (const name of ["timeupdate", "progress"]) player.addEventListener(name, () => this.#watch());
    player.addEventListener("ended", () => {
      if (!player.recovery.minds()) player.leave();
    });
  }

  /** Drop whatever was prepared. */
  forget() {
    this.abort.abort();
    this.abort = new AbortController();
    clearTimeout(this.timer);
    this.timer = 0;
    this.next = null;
    this.decks.clear();
  }

  /** @param {number} index @returns what was prepared for this track, which is not kept; or null */
  take(index) {
    const taken = this.next?.index === index ? this.next.address : null;
    if (!taken) return null;
    this.abort.abort();
    clearTimeout(this.timer);
    this.timer = 0;
    this.next = null;
    return taken;
  }

  /** Go on with the same track at another address, from when that is ready. */
  change(address) {
    const { player } = this;
    const heard = this.decks.active;
    const spare = this.#prepare(address.url, () => player.load(address, player.position, !heard.paused));
    spare.currentTime = heard.currentTime;
    let seeks = 0;
    const follow = () => {
      const isThere = Math.abs(spare.currentTime - heard.currentTime) < (seeks ? HEARD_S : SAME_SECOND_S);
      // The other went on meanwhile: again, to where it is now, which has mostly arrived too.
      if (!isThere && seeks < MOST_SEEKS) {
        seeks += 1;
        spare.currentTime = heard.currentTime;
        return;
      }
      const isPlaying = !heard.paused;
      this.abort.abort();
      player.takeOver(address);
      if (isPlaying) player.start();
      if (isPlaying) this.latency.measure(spare);
    };
    spare.addEventListener("canplay", follow, { signal: this.abort.signal });
  }

  #watch() {
    const { player } = this;
    const { audio, duration } = player;
    const remaining = duration - audio.currentTime;
    if (!this.next && this.#isTimeToPrepare(remaining)) this.#prepareNext();
    if (this.next && remaining < WATCH_BEFORE_S && !audio.paused && !this.timer) {
      this.timer = setTimeout(() => this.#start(), 1000 * Math.max(0, remaining - this.latency.seconds));
    }
  }

  #isTimeToPrepare(remaining) {
    const { audio, hasNext, duration } = this.player;
    const isBusy = this.decks.spare.hasAttribute("src");
    if (!hasNext || isBusy || !duration || audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) return false;
    return remaining < PREPARE_BEFORE_S || bufferedUntil(audio) >= duration - 0.5;
  }

  #prepareNext() {
    const { player } = this;
    const index = player.index + 1;
    const address = player.addressOf(player.queue[index]);
    if (address.url === this.failedUrl) return;
    this.next = { index, address };
    this.#prepare(address.url, () => {
      // Whoever comes to this track finds out why.
      this.failedUrl = address.url;
      this.forget();
    });
  }

  /** @returns {HTMLAudioElement} that gets ready */
  #prepare(url, onError) {
    this.abort.abort();
    this.abort = new AbortController();
    const { spare } = this.decks;
    this.decks.prepare(url);
    spare.addEventListener("error", onError, { signal: this.abort.signal });
    return spare;
  }

  /** Begin the next track, if this one is still at its end. */
  #start() {
    const { player } = this;
    this.timer = 0;
    const remaining = player.duration - player.audio.currentTime;
    if (!this.next || player.audio.paused || remaining > WATCH_BEFORE_S || !this.decks.isReady) return;
    if (player.recovery.minds()) return;
    this.latency.measure(this.decks.spare);
    player.go(this.next.index, { toTheEnd: true });
  }
}
