// Undo and redo: one history of all that is changed in the editor, whatever it is.

/**
 * @typedef {object} Change
 * @property {string} text says what was done
 * @property {string} [part] changes of the same part in a row are one, as when somebody types
 * @property {string} [uid] of the track that was changed
 */

/** Fires "change" when what can be undone or redone has changed. */
export class History extends EventTarget {
  #read;
  #apply;
  #now;
  #undone = [];
  #done = [];

  /**
   * @param {() => any} read returns the state as it is now, which is never changed afterwards
   * @param {(state: any, change: Change) => void} apply brings a state back
   */
  constructor(read, apply) {
    super();
    this.#read = read;
    this.#apply = apply;
    this.reset();
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Forget everything, as after loading. */
  reset() {
    this.#now = this.#read();
    this.#done = [];
    this.#undone = [];
    this.#tell();
  }

  /** @param {Change} change that was just made */
  record(change) {
    const last = this.#done.at(-1);
    if (!change.part || last?.part !== change.part) this.#done.push({ ...change, before: this.#now });
    this.#now = this.#read();
    this.#undone = [];
    this.#tell();
  }

  /** Let the next change be one of its own, as when somebody has left a field. */
  settle() {
    const last = this.#done.at(-1);
    if (last) delete last.part;
  }

  /** @returns {Change | null} what was undone */
  undo() {
    return this.#step(this.#done, this.#undone, "before", "after");
  }

  /** @returns {Change | null} what was done again */
  redo() {
    return this.#step(this.#undone, this.#done, "after", "before");
  }

  #step(from, to, wanted, left) {
    const change = from.pop();
    if (!change) return null;
    to.push({ ...change, part: undefined, [left]: this.#now });
    this.#now = change[wanted];
    this.#apply(this.#now, change);
    this.#tell();
    return change;
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
