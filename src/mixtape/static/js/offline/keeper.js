// Keeps one mixtape on this device: asks for its size, fetches what is missing, and makes a copy of its
// page. What is whole already stays in use until the new copy is whole as well.

import { decideQuality, urlAt } from "../player/quality.js";
import { Retries } from "../player/retries.js";
import { isStored, readPage, storePage } from "./copy.js";
import { Refusal, download, identify } from "./download.js";
import { LOCK, OFFLINE_CACHE, TAPE_CACHES } from "./names.js";
import { changeTape, dropComing, findTape, listTracks, putTape, removeTape, sweep, tracksOf } from "./shelf.js";
import { lookAgain } from "./worker-link.js";

const ASKED_AT_ONCE = 4;
// What the page, its scripts and covers take at most, beside the music.
const PAGE_BYTES = 2_000_000;
// A file that is another each time it is looked at is none to be kept.
const MOST_PLANS = 5;

/** There is not enough room for what is missing. */
export class RoomError extends Error {
  /** @param {number} needed bytes @param {number} free bytes, NaN where the browser does not tell */
  constructor(needed, free) {
    super("there is no room");
    Object.assign(this, { needed, free });
  }
}

/** Fires "change"; `phase` is "none", "asking", "loading", "waiting", "stopped", "failed" or "kept". */
export class Keeper extends EventTarget {
  /** @param {{path: string, root: string, title: string, isOwners: boolean}} page */
  constructor(page) {
    super();
    Object.assign(this, page);
    this.phase = "none";
    /** @type {import("./shelf.js").Tape | null} */
    this.tape = null;
    this.have = 0;
    this.total = 0;
    this.error = null;
    this.running = null;
    this.retries = new Retries();
  }

  /** Find out what is kept. */
  async look() {
    this.tape = (await findTape(this.path)) ?? null;
    if (!this.tape) return this.#enter("none");
    const tracks = await tracksOf(this.tape.coming ?? this.tape.places);
    this.have = tracks.reduce((sum, { have }) => sum + have, 0);
    this.total = tracks.reduce((sum, { bytes }) => sum + bytes, 0);
    return this.#enter(this.tape.coming ? "stopped" : "kept");
  }

  /** Fetch what is missing at a quality, or what has changed since. @param {string} quality */
  async keep(quality = this.tape.quality) {
    if (this.running) return;
    const stop = new AbortController();
    this.running = stop;
    this.error = null;
    this.isUpdate = Boolean(this.tape?.cache && this.tape.quality === quality && !this.tape.coming);
    try {
      if (!this.isUpdate) this.#enter("asking");
      await navigator.locks.request(LOCK, { signal: stop.signal }, () => this.#keep(quality, stop.signal));
    } catch (error) {
      if (!stop.signal.aborted) this.error = error;
      // What was kept before is no worse for an update in vain.
      if (this.isUpdate && !this.error?.needed) this.error = null;
    }
    this.running = null;
    // As long as it takes what room there is, not even a note of it can be written.
    const cleaned = this.error instanceof RoomError ? dropComing(this.path) : this.#note();
    await cleaned.catch((error) => console.warn("what is kept could not be tidied", error));
    await this.look();
    if (this.error) this.#enter("failed");
  }

  /** Stop what is under way; what has come stays. */
  async stop() {
    this.running?.abort();
    await changeTape(this.path, { isStopped: true });
  }

  async remove() {
    this.error = null;
    await removeTape(this.path);
    await lookAgain();
    await this.look();
  }

  async #note() {
    if (this.error && this.tape?.coming) await changeTape(this.path, { isStopped: true });
  }

  async #keep(quality, signal) {
    const before = (await findTape(this.path)) ?? null;
    const page = await this.#again(signal, () => readPage(this.path, { signal }));
    for (let plans = 0; plans < MOST_PLANS; plans += 1) {
      const wanted = await this.#plan(page.tracks, quality, before, signal);
      await this.#makeRoom(wanted);
      await this.#begin(before, quality, wanted);
      if (await this.#fetch(wanted, signal)) return this.#finish(page, signal);
    }
    throw new Refusal("changed", 0);
  }

  /** @returns {Promise<{url: string, track: import("./shelf.js").Kept}[]>} what is to be kept; files that are gone are left out */
  async #plan(tracks, quality, before, signal) {
    const { canPlayType } = HTMLMediaElement.prototype;
    const audio = document.createElement("audio");
    const urls = tracks.map((track) => urlAt(track.url, decideQuality(track, quality, (mime) => canPlayType.call(audio, mime)).quality));
    const byId = new Map((await listTracks()).map((track) => [track.id, track]));
    const known = new Map([...(before?.places ?? []), ...(this.tape?.coming ?? before?.coming ?? [])].map((place) => [place.url, byId.get(place.track)]));
    const found = new Map();
    const waiting = [...new Set(urls)];
    const ask = async () => {
      for (let url = waiting.shift(); url; url = waiting.shift()) {
        try {
          found.set(url, await identify(url, known.get(url), signal));
        } catch (error) {
          if (error.why === "gone") continue;
          waiting.unshift(url);
          throw error;
        }
      }
    };
    await this.#again(signal, () => Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask)));
    return urls.filter((url) => found.has(url)).map((url) => ({ url, track: found.get(url) }));
  }

  async #makeRoom(wanted) {
    const tracks = [...new Map(wanted.map(({ track }) => [track.id, track])).values()];
    this.total = tracks.reduce((sum, { bytes }) => sum + bytes, 0);
    this.have = tracks.reduce((sum, { have }) => sum + have, 0);
    const needed = this.total - this.have + PAGE_BYTES;
    // Not waited for: Firefox asks the visitor, who may take their time or never answer.
    navigator.storage?.persist?.().catch(() => {});
    const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    if (needed > quota - usage) throw new RoomError(needed, Math.max(0, quota - usage));
  }

  async #begin(before, quality, wanted) {
    const coming = wanted.map(({ url, track }) => ({ url, track: track.id }));
    const { path, title, isOwners } = this;
    const empty = { cache: "", places: [], isClosed: false };
    this.tape = { ...empty, ...before, path, title, isOwners, quality, isStopped: false, coming };
    await putTape(this.tape);
    await lookAgain();
  }

  /** @returns {Promise<boolean>} whether all came; else something has changed meanwhile */
  async #fetch(wanted, signal) {
    const done = new Set();
    for (const { url, track } of wanted) {
      if (done.has(track.id)) continue;
      done.add(track.id);
      const others = this.have - track.have;
      const progress = (bytes) => {
        this.have = others + bytes;
        this.#enter("loading");
      };
      try {
        if (track.have < track.bytes) await this.#again(signal, () => download(url, track, signal, progress));
      } catch (error) {
        if (error.why !== "changed" && error.why !== "gone") throw error;
        return false;
      }
    }
    return true;
  }

  async #finish(page, signal) {
    const { path } = this;
    const former = this.tape.cache;
    const isSame = await isStored(former, path, page);
    const name = isSame ? former : `${TAPE_CACHES}${path} ${Date.now()}`;
    if (!isSame) await this.#copy(name, page, signal);
    this.tape = { ...this.tape, cache: name, places: this.tape.coming, coming: null, isClosed: false };
    await putTape(this.tape);
    if (former && !isSame) await caches.delete(former);
    await sweep();
  }

  async #copy(name, page, signal) {
    const { path, root } = this;
    const offline = `${root}offline`;
    try {
      await this.#again(signal, () => storePage(name, path, page, root, signal));
      // As a stranger sees it: nothing of the owner's is in it.
      const listing = await this.#again(signal, () => readPage(offline, { signal, credentials: "omit" }));
      await this.#again(signal, () => storePage(OFFLINE_CACHE, offline, listing, root, signal));
    } catch (error) {
      await caches.delete(name);
      throw error;
    }
  }

  /** Try until the network lets it, or the server is free. */
  async #again(signal, act) {
    for (;;) {
      try {
        const result = await act();
        this.retries.reset();
        return result;
      } catch (error) {
        signal.throwIfAborted();
        const isRoom = error.name === "QuotaExceededError";
        if (isRoom) throw new RoomError(this.total - this.have, NaN);
        if (!(error instanceof TypeError) && error.why !== "busy") throw error;
        this.#enter("waiting");
        await this.#pause(signal);
      }
    }
  }

  #pause(signal) {
    return new Promise((resolve, reject) => {
      this.retries.schedule(resolve);
      signal.addEventListener("abort", () => {
        this.retries.cancel();
        reject(signal.reason);
      }, { once: true });
    });
  }

  #enter(phase) {
    // An update that has nothing to fetch is nobody's business.
    if (this.isUpdate && this.running && (phase === "waiting" || phase === "asking")) return;
    this.phase = phase;
    this.dispatchEvent(new Event("change"));
  }
}
