// What is known of the connection: what the browser says, and how fast music really came.

// Shorter than this, a measurement is mostly the time that the first byte took.
const MIN_WINDOW_S = 0.2;
const MIN_BYTES = 50_000;
const NEWEST_WEIGHT = 0.5;

/** @returns what the Network Information API says, where there is one */
export function readConnection(connection = navigator.connection) {
  return {
    saveData: connection?.saveData ?? false,
    type: connection?.type ?? "",
    effectiveType: connection?.effectiveType ?? "",
    downlink: 1000 * (connection?.downlink ?? 0),
  };
}

/** Measures how fast music comes, from how fast the buffer of an <audio> element grows. */
export class Throughput {
  constructor(now = () => performance.now() / 1000) {
    this.now = now;
    this.kbits = 0;
    this.begin();
  }

  /** Another track is asked for: its buffer begins empty. */
  begin() {
    this.since = this.now();
    this.from = 0;
  }

  /**
   * Take note of how far the buffer reaches.
   *
   * @param {number} bytes in the buffer, or 0 where that is not known
   */
  add(bytes) {
    if (this.from === null || bytes < this.from) {
      this.since = this.now();
      this.from = bytes;
      return;
    }
    const [seconds, received] = [this.now() - this.since, bytes - this.from];
    if (seconds < MIN_WINDOW_S || received < MIN_BYTES) return;
    const kbits = (received * 8) / 1000 / seconds;
    this.kbits = this.kbits ? NEWEST_WEIGHT * kbits + (1 - NEWEST_WEIGHT) * this.kbits : kbits;
    this.since = this.now();
    this.from = bytes;
  }

  /** The browser has enough for now and takes a rest, which says nothing about the connection. */
  pause() {
    this.from = null;
  }
}
