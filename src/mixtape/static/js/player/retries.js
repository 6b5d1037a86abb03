// Trying again after the connection was lost: soon at first, then less often, at once when the
// browser is online again.

const PAUSES_S = [0.5, 1, 2, 3, 5];

/** Waits between attempts; one at a time. */
export class Retries {
  constructor() {
    this.attempts = 0;
    this.timer = 0;
    this.act = null;
    addEventListener("online", () => this.#run());
  }

  /** @param {() => void} act what to do after a while that grows with every call */
  schedule(act) {
    this.cancel();
    const pause = PAUSES_S[Math.min(this.attempts, PAUSES_S.length - 1)];
    this.attempts += 1;
    this.act = act;
    this.timer = setTimeout(() => this.#run(), 1000 * pause);
  }

  cancel() {
    clearTimeout(this.timer);
    this.act = null;
  }

  /** All is well again: the next failure is a first one. */
  reset() {
    this.cancel();
    this.attempts = 0;
  }

  #run() {
    const { act } = this;
    this.cancel();
    act?.();
  }
}
