// What "Auto" chooses. Decided from values alone; where they come from is the business of others.

import { bufferedSeconds, bufferedUntil } from "./buffered.js";
import { Throughput, readConnection } from "./connection.js";
import { AUTO } from "./quality.js";
import { ENCODED } from "../shared/qualities.js";

const LADDER = ENCODED.map(({ name }) => name);
// What to take where nothing is known, and at most where data are paid by the gigabyte.
const MODERATE_KBPS = 192;
// Of what a connection bears, music may take a half: the rest is for its ups and downs.
const HEADROOM = 2;
// The browser's own figure is a guess in steps of 25 kbit/s over all that went on lately.
const GUESS_HEADROOM = 3;
const PLENTY_S = 15;

/**
 * @typedef {object} Evidence
 * @property {string} start what to choose while nothing is known
 * @property {string} best the best that is made ahead, and so what to choose at most; "" for any
 * @property {boolean} saveData the visitor asked the browser to be sparing
 * @property {string} type "cellular", "wifi", …, "" where the browser does not tell
 * @property {string} effectiveType "slow-2g", "2g", "3g", "4g", "" where it does not tell
 * @property {number} downlink in kbit/s by the browser's guess, 0 where it does not tell
 * @property {number} measured in kbit/s as music really came, 0 before any did
 * @property {string} stalledAt the quality at which the music stopped for want of data, "" if none
 */

/** @param {Evidence} evidence @returns {string} */
export function chooseQuality(evidence) {
  if (evidence.saveData || /2g/.test(evidence.effectiveType)) return within(0);
  const choices = [fitting(evidence)];
  // By the gigabyte or not, mobile data runs out and the train runs into tunnels.
  if (evidence.type === "cellular") choices.push(within(MODERATE_KBPS));
  if (evidence.stalledAt) choices.push(below(evidence.stalledAt));
  // What lies ready begins at once, also for many at a time.
  if (LADDER.includes(evidence.best)) choices.push(evidence.best);
  return choices.reduce(lower);
}

/** @returns {string} the one of two qualities that takes less */
export function lower(one, other) {
  return LADDER.indexOf(one) > LADDER.indexOf(other) ? one : other;
}

function fitting({ measured, downlink, start }) {
  const [rate, headroom] = measured ? [measured, HEADROOM] : [downlink, GUESS_HEADROOM];
  if (!rate) return LADDER.includes(start) ? start : within(MODERATE_KBPS);
  return within(rate / headroom);
}

/** @returns {string} the best quality that takes no more than a rate, or the one that takes least */
function within(rate) {
  return (ENCODED.find(({ kbps }) => kbps <= rate) ?? ENCODED.at(-1)).name;
}

function below(quality) {
  return LADDER[Math.min(LADDER.indexOf(quality) + 1, LADDER.length - 1)];
}

/** Gathers the evidence while a player plays. */
export class AutoQuality {
  /**
   * @param {import("./player.js").Player} player
   * @param {string} start while nothing is known
   * @param {string} best the best that is made ahead, "" for any
   */
  constructor(player, start, best = "") {
    this.player = player;
    this.start = start;
    this.best = best;
    this.stalledAt = "";
    this.throughput = new Throughput();
    player.addEventListener("load", () => this.throughput.begin());
    for (const name of ["suspend", "takeover"]) player.addEventListener(name, () => this.throughput.pause());
    player.addEventListener("progress", () => this.#measure());
    player.addEventListener("waiting", () => this.#stall());
    player.addEventListener("track", () => {
      this.stalledAt = "";
    });
  }

  /** @returns {string} */
  choose() {
    const { start, best, stalledAt, throughput } = this;
    return chooseQuality({ ...readConnection(), start, best, stalledAt, measured: throughput.kbits });
  }

  #measure() {
    const { audio, duration, served } = this.player;
    if (!served || !duration) return;
    // With plenty in hand the browser takes its time, and the pace says nothing any more.
    if (bufferedUntil(audio) - audio.currentTime > PLENTY_S) this.throughput.pause();
    else this.throughput.add((served.bytes * bufferedSeconds(audio)) / duration);
  }

  /** Nothing left to play: the rest of this track gets less, the next one is decided anew. */
  #stall() {
    const { player } = this;
    const { audio, served } = player;
    if (player.quality !== AUTO || player.remote.isOn || audio.seeking || audio.currentTime < 1 || !LADDER.includes(served?.quality)) return;
    this.stalledAt = served.quality;
    player.requality();
  }
}
