// How long it takes from play() to the first sound of an element that is ready: the next track has
// to be started so much before the end of one for the two to meet.

// Until it was measured: what Chromium takes on a desktop.
const FIRST_GUESS_S = 0.09;
const LONGEST_S = 0.2;
const NEWEST_WEIGHT = 0.5;
// Right after the start the clock of an element still jumps.
const SETTLED_AFTER_S = 0.15;

/** Learns from every start. */
export class StartLatency {
  constructor(now = () => performance.now() / 1000) {
    this.now = now;
    this.seconds = FIRST_GUESS_S;
  }

  /** @param {HTMLAudioElement} audio that is ready, and played from now on */
  measure(audio) {
    const [startedAt, from] = [this.now(), audio.currentTime];
    const stop = new AbortController();
    const read = () => {
      const played = audio.currentTime - from;
      if (played < SETTLED_AFTER_S) return;
      stop.abort();
      this.add(this.now() - startedAt - played);
    };
    audio.addEventListener("timeupdate", read, { signal: stop.signal });
    for (const name of ["seeking", "pause", "waiting", "emptied"]) {
      audio.addEventListener(name, () => stop.abort(), { signal: stop.signal });
    }
  }

  /** @param {number} seconds that one start took */
  add(seconds) {
    const sound = Math.min(LONGEST_S, Math.max(0, seconds));
    this.seconds = NEWEST_WEIGHT * sound + (1 - NEWEST_WEIGHT) * this.seconds;
  }
}
