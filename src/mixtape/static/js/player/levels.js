// How loud each of the two elements is: what the listener chose, times what its track needs to be
// as loud as others, times a fade. By the element's own volume and not by WebAudio, whose context
// phones suspend in the background, and which would stand between two decks that have to meet.

import { recall, remember } from "../shared/storage.js";

const KEY = "volume";
const STEP_MS = 50;

/** @returns {boolean} false on iOS, where only the keys of the device change the volume */
export function canSetVolume() {
  const probe = new Audio();
  probe.volume = 0.5;
  return probe.volume === 0.5;
}

/** Fires "change" when the listener's own volume is another. */
export class Levels extends EventTarget {
  constructor() {
    super();
    this.volume = Math.min(100, Math.max(0, Number(recall(KEY, "100")) || 0)) / 100;
    /** @type {Map<HTMLAudioElement, {gain: number, fade: number, timer: number}>} */
    this.decks = new Map();
    // The end of the evening: over both decks.
    this.evening = 1;
  }

  /** @param {number} volume from 0 to 1 */
  setVolume(volume) {
    this.volume = volume;
    remember(KEY, String(Math.round(volume * 100)));
    for (const deck of this.decks.keys()) this.#apply(deck);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number} share from 0 to 1 of what is heard otherwise */
  setEvening(share) {
    this.evening = share;
    for (const deck of this.decks.keys()) this.#apply(deck);
  }

  /** @param {HTMLAudioElement} deck @param {number} gain of its track; more than 1 cannot be had */
  setGain(deck, gain) {
    this.#of(deck).gain = gain;
    this.#apply(deck);
  }

  /**
   * Become louder or softer; both together stay as loud as one (the sum of their powers).
   *
   * @param {HTMLAudioElement} deck
   * @param {number} seconds
   * @param {boolean} isIn from silence, else into it
   */
  fade(deck, seconds, isIn) {
    this.endFade(deck);
    const level = this.#of(deck);
    const from = performance.now();
    const step = () => {
      const share = Math.min(1, (performance.now() - from) / 1000 / seconds);
      level.fade = Math.sin((Math.PI / 2) * (isIn ? share : 1 - share));
      this.#apply(deck);
      if (share === 1) clearInterval(level.timer);
    };
    level.timer = setInterval(step, STEP_MS);
    step();
  }

  /** @param {HTMLAudioElement} deck that is as loud as ever at once */
  endFade(deck) {
    const level = this.#of(deck);
    clearInterval(level.timer);
    level.fade = 1;
    this.#apply(deck);
  }

  #of(deck) {
    if (!this.decks.has(deck)) this.decks.set(deck, { gain: 1, fade: 1, timer: 0 });
    return this.decks.get(deck);
  }

  #apply(deck) {
    const { gain, fade } = this.#of(deck);
    deck.volume = Math.min(1, Math.max(0, this.volume * gain * fade * this.evening));
  }
}
