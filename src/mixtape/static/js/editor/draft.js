// Autosave: every change is kept in this browser at once, and on the server after a pause.

import { countAppended } from "./appended.js";
import { renewToken, send } from "../shared/api.js";
import { debounced } from "../shared/debounce.js";
import { forgetDraft, keepDraft } from "../shared/local-copy.js";
import { sentOf, textOf } from "./state.js";

const PAUSE_MS = 700;
const RETRY_MS = 3_000;
const BY_STATUS = { 0: "offline", 401: "ended", 404: "gone", 409: "conflict" };

/** Fires "begun" when the server has made it, with its address as `detail`, and "state" when `state` has changed: saved, unsaved, saving, offline, ended, gone, conflict or refused. */
export class Draft extends EventTarget {
  #read;
  #soon = debounced(() => this.save(), PAUSE_MS);
  #saving = Promise.resolve();
  #timer = 0;
  #changes = 0;
  // What was sent without an answer: the server may have it all the same.
  #unanswered = new Set();
  #isClosed = false;
  // What the server had when this page saw it last.
  #agreed;
  #append;

  /**
   * @param {{key: string | null, revision: number, slug: string | null, base_revision: number | null}} stored
   *   its key is null until a change is saved: looking at an editor stores nothing
   * @param {string} url of all drafts
   * @param {() => import("./state.js").Kept} read
   * @param {(tracks: object[]) => void} append takes tracks that were added elsewhere meanwhile
   */
  constructor(stored, url, read, append) {
    super();
    Object.assign(this, { key: stored.key, revision: stored.revision, slug: stored.slug });
    this.baseRevision = stored.base_revision;
    this.url = url;
    this.#read = read;
    this.#append = append;
    this.#agreed = sentOf(stored);
    this.state = "saved";
    this.message = "";
  }

  get address() {
    return `${this.url}/${this.key}`;
  }

  /** What this browser's copy is kept by. */
  get copyName() {
    return this.key ?? (this.slug === null ? "new" : `of.${this.slug}`);
  }

  get isDirty() {
    return this.state !== "saved";
  }

  /**
   * Go on from what this browser kept of the draft, and save it.
   *
   * @param {number} revision that it was kept with
   */
  resume(revision) {
    this.revision = revision;
    // The page that kept it may have sent it while it went away.
    this.#unanswered.add(textOf(sentOf(this.#read())));
    this.changed();
  }

  /** Take note of a change. */
  changed() {
    this.#changes += 1;
    this.#keep();
    // What waits for a person or a connection is saved when that has come.
    if (!["conflict", "gone", "ended", "offline"].includes(this.state)) this.#become("unsaved");
    this.#soon.later();
  }

  /** Save now, after whatever is being saved. @returns {Promise<boolean>} whether all is saved */
  save() {
    this.#soon.cancel();
    this.#saving = this.#saving.then(() => this.#put());
    return this.#saving;
  }

  /** Go on from the revision that the server has, with what is in this page. */
  async keepMine() {
    try {
      if (this.state === "gone") await this.#beginAgain();
      else this.revision = (await send("GET", this.address)).revision;
      this.state = "unsaved";
      await this.save();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @returns {Promise<object>} what the server answers to the save of the mixtape itself */
  async publish(overwrite) {
    await this.save();
    if (["ended", "offline", "gone", "conflict"].includes(this.state)) return null;
    if (!this.key) await this.#begin();
    const answer = await send("POST", `${this.address}/save`, { state: sentOf(this.#read()), overwrite });
    this.close();
    forgetDraft(this.copyName);
    return answer;
  }

  /** Send what is not saved yet while the page goes away; this browser has it in any case. */
  leave() {
    if (!this.isDirty || this.#isClosed) return;
    this.#soon.cancel();
    if (!this.key) return; // the copy is what the editor goes on from next time
    const body = this.#body();
    this.#unanswered.add(textOf(body.state));
    send("PUT", this.address, body, { keepalive: true }).catch(() => {});
  }

  close() {
    this.#isClosed = true;
    this.#soon.cancel();
    clearTimeout(this.#timer);
  }

  /** Try again at once, where the last try had no answer or no session. */
  retry() {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    if (this.state === "offline") this.save();
    if (this.state === "ended") renewToken().then((isSignedIn) => (isSignedIn ? this.save() : this.#retryLater()));
  }

  async #put() {
    if (this.#isClosed || !this.isDirty || ["conflict", "gone"].includes(this.state)) return !this.isDirty;
    const changes = this.#changes;
    if (this.state === "unsaved") this.#become("saving");
    try {
      await this.#store();
      if (changes === this.#changes) this.#settle();
      else this.#keep();
    } catch (error) {
      this.#fail(error);
    }
    return !this.isDirty;
  }

  async #store() {
    if (!this.key) await this.#begin();
    let body = this.#body();
    try {
      this.revision = (await send("PUT", this.address, body)).revision;
    } catch (error) {
      if (!error.status) this.#unanswered.add(textOf(body.state));
      if (error.status !== 409 || !(await this.#isNoConflict())) throw error;
      body = this.#body();
      this.revision = (await send("PUT", this.address, body)).revision;
    }
    this.#agreed = body.state;
    this.#unanswered.clear();
  }

  /** Say whether what the server has came from here, or only has more tracks, and if so go on from there. */
  async #isNoConflict() {
    const stored = await send("GET", this.address);
    if (!this.#unanswered.has(textOf(sentOf(stored))) && !this.#takeAppended(stored)) return false;
    this.revision = stored.revision;
    return true;
  }

  #takeAppended(stored) {
    const state = sentOf(stored);
    const added = countAppended(this.#agreed, state);
    if (!added) return false;
    this.#agreed = state;
    this.#append(stored.tracks.slice(-added));
    return true;
  }

  #settle() {
    // A copy that stayed would look like something unsaved after a change on another device.
    forgetDraft(this.copyName);
    this.#become("saved");
  }

  /** Have the server make the draft; where another page has made one, its changes are a conflict. */
  async #begin() {
    let begun = await send("POST", this.url, { slug: this.slug, base_revision: this.baseRevision });
    const isBehind = begun.revision === 0 && begun.base_revision !== this.baseRevision;
    if (isBehind && this.#takeAppended(begun)) {
      // What came to the mixtape since is in this page now, so that its save is no conflict.
      this.baseRevision = begun.base_revision;
      await send("DELETE", `${this.url}/${begun.key}`);
      begun = await send("POST", this.url, { slug: this.slug, base_revision: this.baseRevision });
    }
    forgetDraft(this.copyName);
    this.key = begun.key;
    this.#keep();
    this.dispatchEvent(new CustomEvent("begun", { detail: begun.url }));
  }

  async #beginAgain() {
    forgetDraft(this.copyName);
    const { key, revision } = await send("POST", this.url, { slug: this.slug });
    Object.assign(this, { key, revision });
    this.#keep();
  }

  #body() {
    return { revision: this.revision, state: sentOf(this.#read()) };
  }

  #keep() {
    keepDraft(this.copyName, { revision: this.revision, state: this.#read() });
  }

  #fail(error) {
    this.#become(BY_STATUS[error.status] ?? (error.status >= 500 ? "offline" : "refused"), error.message);
    if (["offline", "ended"].includes(this.state)) this.#retryLater();
  }

  #retryLater() {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(() => this.retry(), RETRY_MS);
  }

  #become(state, message = "") {
    if (this.state === state && this.message === message) return;
    this.state = state;
    this.message = message;
    this.dispatchEvent(new Event("state"));
  }
}
