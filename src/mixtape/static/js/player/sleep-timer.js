// Stops the music after a while, or when the track has ended.

export const END_OF_TRACK = "track";
const FADE_S = 10;
const STEP_MS = 250;

/** Fires "change" when it is set, when it was called off, and when it has stopped the music. */
export class SleepTimer extends EventTarget {
  /** @param {import("./player.js").Player} player */
  constructor(player) {
    super();
    this.player = player;
    /** @type {Date | null} when the music stops */
    this.endsAt = null;
    this.timer = 0;
    player.addEventListener("held", () => this.set(""));
  }

  /** @returns {string} minutes, END_OF_TRACK, or "" where none is set */
  get choice() {
    return this.player.holdsAtEnd ? END_OF_TRACK : this.minutes || "";
  }

  /** @param {string} choice minutes, END_OF_TRACK, or "" for none */
  set(choice) {
    clearTimeout(this.timer);
    this.player.levels.setEvening(1);
    this.player.setHold(choice === END_OF_TRACK);
    const minutes = Number(choice) || 0;
    this.minutes = minutes ? choice : "";
    this.endsAt = minutes ? new Date(Date.now() + minutes * 60_000) : null;
    // Clocks of pages that sleep stand still: each step asks what time it is.
    if (minutes) this.#wait();
    this.dispatchEvent(new Event("change"));
  }

  #wait() {
    const left = (this.endsAt - Date.now()) / 1000;
    if (left <= 0) return this.#stop();
    if (left < FADE_S) this.player.levels.setEvening(left / FADE_S);
    const pause = left > FADE_S ? Math.min(1000 * (left - FADE_S), 30_000) : STEP_MS;
    this.timer = setTimeout(() => this.#wait(), pause);
    return undefined;
  }

  #stop() {
    this.player.audio.pause();
    this.set("");
  }
}
