// The connection to a run's events, which outlives timeouts, networks and restarts of the server.

const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15_000;
// A stream that the server ends on schedule is back within this time, and nobody need know.
const QUIET_MS = 4000;
// After a restart the server may need a while to take a run up again.
const UNKNOWN_AFTER_MS = 15_000;

/**
 * @typedef {"connecting" | "open" | "reconnecting" | "unknown" | "refused"} Connection
 * "unknown" and "refused" are final.
 */

/** Fires "event" and "reset" with the message's JSON as detail, and "connection". */
export class ProgressStream extends EventTarget {
  /** @type {Connection} */
  connection = "connecting";
  #url;
  #unknownAfterMs;
  #quietMs;
  #source = null;
  #lastId = "";
  #wasOpen = false;
  #failures = 0;
  #unknownSince = 0;
  #retryTimer = 0;
  #quietTimer = 0;
  #isClosed = false;

  /** @param {string} url @param {{unknownAfterMs?: number, quietMs?: number}} options */
  constructor(url, { unknownAfterMs = UNKNOWN_AFTER_MS, quietMs = QUIET_MS } = {}) {
    super();
    this.#url = new URL(url, document.baseURI);
    this.#unknownAfterMs = unknownAfterMs;
    this.#quietMs = quietMs;
    this.#open();
  }

  close() {
    this.#isClosed = true;
    this.#source?.close();
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#quietTimer);
  }

  // By itself an EventSource says where it was when it reconnects; a new one needs it in the URL.
  #address() {
    const address = new URL(this.#url);
    if (this.#lastId) address.searchParams.set("last_event_id", this.#lastId);
    return address;
  }

  #open() {
    const source = new EventSource(this.#address());
    this.#source = source;
    source.addEventListener("open", () => this.#opened());
    source.addEventListener("message", (message) => this.#received("event", message));
    source.addEventListener("reset", (message) => this.#received("reset", message));
    source.addEventListener("error", () => this.#lost(source));
  }

  #opened() {
    this.#wasOpen = true;
    this.#failures = 0;
    this.#unknownSince = 0;
    clearTimeout(this.#quietTimer);
    this.#quietTimer = 0;
    this.#become("open");
  }

  #received(type, message) {
    if (this.#isClosed) return;
    this.#lastId = message.lastEventId || this.#lastId;
    const detail = JSON.parse(message.data);
    if (detail.type !== "connected") this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #lost(source) {
    if (this.#isClosed) return;
    this.#quietTimer ||= setTimeout(() => this.#become("reconnecting"), this.#quietMs);
    // An EventSource gives up for good on any answer that is not a stream, and does not say which.
    if (source.readyState === EventSource.CLOSED) this.#ask();
  }

  async #ask() {
    const response = await this.#head();
    if (this.#isClosed) return;
    if (response === null || response.status >= 500 || response.status === 429) {
      this.#retry();
    } else if (response.status === 404) {
      this.#notFound();
    } else if (response.redirected || !response.ok) {
      this.#giveUp("refused");
    } else {
      // 204: nothing after the last event that we had; whoever still asks has lost what was before.
      if (response.status === 204) this.#startAfresh();
      this.#open();
    }
  }

  async #head() {
    try {
      return await fetch(this.#address(), { method: "HEAD", cache: "no-store" });
    } catch {
      return null;
    }
  }

  #startAfresh() {
    this.#lastId = "";
    this.dispatchEvent(new CustomEvent("reset", { detail: {} }));
  }

  #notFound() {
    this.#unknownSince ||= performance.now();
    const waited = performance.now() - this.#unknownSince;
    if (!this.#wasOpen || waited >= this.#unknownAfterMs) this.#giveUp("unknown");
    else this.#retry();
  }

  #retry() {
    const wait = Math.min(RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    this.#failures += 1;
    this.#retryTimer = setTimeout(() => this.#ask(), wait);
  }

  #giveUp(connection) {
    this.close();
    this.#become(connection);
  }

  /** @param {Connection} connection */
  #become(connection) {
    if (connection === this.connection) return;
    this.connection = connection;
    this.dispatchEvent(new Event("connection"));
  }
}
