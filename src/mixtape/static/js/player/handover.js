// From one <audio> element to the other without a gap: to the next track at the end of one, and to
// another quality of the same track in the middle of it.

import { bufferedUntil } from "./buffered.js";
import { recall, remember } from "../shared/storage.js";
import { StartLatency } from "./start-latency.js";

// The next track is prepared when this one has arrived, or this long before its end at the latest.
const PREPARE_BEFORE_S = 20;
const WATCH_BEFORE_S = 1.2;
const SAME_SECOND_S = 0.05;
// After one seek, which mostly arrives within that, only what is heard is worth another.
const HEARD_S = 0.25;
const MOST_SEEKS = 3;
const FADE_KEY = "crossfade";
export const LONGEST_FADE_S = 12;
// Of a short track, more than this part is never faded.
const FADED_PART = 1 / 3;

/** Uses the element that is not heard. */
export class Handover {
  /** @param {import("./player.js").Player} player */
  constructor(player) {
    this.player = player;
    this.decks = player.decks;
    /** @type {{track: import("./player.js").Track, address: object} | null} */
    this.next = null;
    this.failedUrl = "";
    this.latency = new StartLatency();
    this.timer = 0;
    this.abort = new AbortController();
    const seconds = Number(recall(FADE_KEY, "0"));
    this.crossfade = Math.min(LONGEST_FADE_S, Math.max(0, seconds || 0));
    player.addEventListener("pause", () => this.#endFade());
    for (const name of ["timeupdate", "progress"]) player.addEventListener(name, () => this.#watch());
    player.addEventListener("ended", () => {
      if (!player.recovery.minds()) player.leave();
    });
  }

  /** @param {number} seconds in which one track gives way to the next, 0 for none */
  setCrossfade(seconds) {
    this.crossfade = seconds;
    remember(FADE_KEY, String(seconds));
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

  /** @param {object} track @returns what was prepared for this track, which is not kept; or null */
  take(track) {
    const taken = this.next?.track === track ? this.next.address : null;
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
    const spare = this.#prepare(address.src, player.track, () => player.load(address, player.position, !heard.paused));
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
    const lead = this.#fadeLength();
    if (this.next && remaining < lead + WATCH_BEFORE_S && !audio.paused && !this.timer) {
      const before = lead || this.latency.seconds;
      this.timer = setTimeout(() => this.#start(), 1000 * Math.max(0, remaining - before));
    }
  }

  /** @returns {number} seconds; tracks of one album in their order meet as they do on the record */
  #fadeLength() {
    const { player, next } = this;
    if (!next || !this.crossfade) return 0;
    const isOneAlbum = player.track.album && player.track.album === next.track.album && !player.list.isShuffled;
    const shortest = Math.min(player.duration, next.track.duration || Infinity);
    return isOneAlbum || next.track === player.track ? 0 : Math.min(this.crossfade, shortest * FADED_PART);
  }

  /** Whoever stops the music stops what is left of the track before as well. */
  #endFade() {
    const { active, spare } = this.decks;
    if (spare.paused) return;
    this.decks.clear();
    this.player.levels.endFade(active);
  }

  #isTimeToPrepare(remaining) {
    const { audio, upcoming, duration } = this.player;
    const isBusy = this.decks.spare.hasAttribute("src");
    if (!upcoming || isBusy || !duration || this.player.remote.keepsDeck || audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) return false;
    return remaining < PREPARE_BEFORE_S || bufferedUntil(audio) >= duration - 0.5;
  }

  #prepareNext() {
    const { player } = this;
    const track = player.upcoming;
    const address = player.addressOf(track);
    if (address.src === this.failedUrl) return;
    this.next = { track, address };
    this.#prepare(address.src, track, () => {
      // Whoever comes to this track finds out why.
      this.failedUrl = address.src;
      this.forget();
    });
  }

  /** @returns {HTMLAudioElement} that gets ready */
  #prepare(url, track, onError) {
    this.abort.abort();
    this.abort = new AbortController();
    const { spare } = this.decks;
    this.player.levels.endFade(spare);
    this.player.levels.setGain(spare, this.player.gainOf(track));
    this.decks.prepare(url);
    spare.addEventListener("error", onError, { signal: this.abort.signal });
    return spare;
  }

  /** Begin the next track, if this one is still at its end. */
  #start() {
    const { player } = this;
    this.timer = 0;
    const remaining = player.duration - player.audio.currentTime;
    const lead = this.#fadeLength();
    if (!this.next || player.audio.paused || remaining > lead + WATCH_BEFORE_S || !this.decks.isReady) return;
    // Before its end nothing has broken off yet.
    if (!lead && player.recovery.minds()) return;
    this.latency.measure(this.decks.spare);
    const old = player.audio;
    player.go(player.queue.indexOf(this.next.track), { toTheEnd: true });
    if (!lead) return;
    player.levels.fade(old, lead, false);
    player.levels.fade(player.audio, lead, true);
  }
}
