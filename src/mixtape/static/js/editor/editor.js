// The editor of a mixtape: puts the track order, the search, the cover and the draft together.

import { showProgress } from "../mixtape/cache-button.js";
import { openSharePanel } from "../share/panel.js";
import { say, toast } from "../shared/spoken.js";
import { translate } from "../shared/words.js";
import { changeOf, changeOfField } from "./changes.js";
import { showAdditions } from "./appended.js";
import { showCollage } from "./collage.js";
import { attachCover } from "./cover.js";
import { Draft } from "./draft.js";
import { forgetDraft, recallDraft } from "../shared/local-copy.js";
import { History } from "./history.js";
import { attachNotesPreview } from "./notes-preview.js";
import { attachNotice } from "./notice.js";
import { attachPicker } from "./picker.js";
import { showSides } from "./sides.js";
import { FIELDS, isSame } from "./state.js";
import { attachTrackOrder } from "./track-list.js";
import { SIDE_B, TrackOrder } from "./tracks.js";
import { showTotals } from "./totals.js";

/**
 * @param {HTMLElement} box
 * @param {{rowsChanged: () => void, go: (url: string, replaces?: boolean) => void}} page
 * @returns {() => void}
 */
export function attachEditor(box, page) {
  const editor = new Editor(box, page);
  return () => editor.close();
}

class Editor {
  #box;
  #page;
  #trackOrder;
  #list;
  #draft;
  #history;
  #closeToast = () => {};
  #cover = { key: null, url: null };
  #showCover;
  #closePicker;
  #endAdditions;
  #listening = new AbortController();

  constructor(box, page) {
    this.#box = box;
    this.#page = page;
    const limits = JSON.parse(box.dataset.limits);
    const stored = JSON.parse(box.dataset.editor);
    this.#trackOrder = new TrackOrder(limits.tracks);
    this.#draft = new Draft(stored, box.dataset.drafts, () => this.#read(), (tracks) => tracks.forEach((track) => this.#trackOrder.add(track)));
    this.#showCover = attachCover(box, limits.coverBytes, (cover) => {
      this.#cover = cover;
      this.#changed({ text: translate("Changed the cover.") });
    });
    this.#list = attachTrackOrder(this.#part("track-order"), this.#trackOrder, page.rowsChanged);
    this.#closePicker = attachPicker(box, this.#trackOrder, page.rowsChanged);
    attachNotice(box, this.#draft, { loadOther: () => this.#loadOther() });
    attachNotesPreview(box);
    this.#endAdditions = showAdditions(this.#draft, page.go);
    this.#fill(stored);
    this.#restore(stored);
    this.#history = new History(() => this.#snapshot(), (state, change) => this.#bringBack(state, change));
    this.#listen();
  }

  close() {
    this.#listening.abort();
    this.#closePicker();
    this.#endAdditions();
    this.#draft.leave();
    this.#draft.close();
  }

  #part(name) {
    return this.#box.querySelector(`[data-part="${name}"]`);
  }

  #field(id) {
    return this.#box.querySelector(`#${id}`);
  }

  #listen() {
    const { signal } = this.#listening;
    for (const name of FIELDS) {
      this.#field(name).addEventListener("input", () => this.#changed(changeOfField(name)));
    }
    for (const name of ["focusin", "focusout"]) this.#box.addEventListener(name, () => this.#history.settle());
    this.#field("title").addEventListener("input", () => this.#complain(""));
    this.#trackOrder.addEventListener("change", ({ detail }) => this.#trackOrderChanged(detail));
    this.#part("split").addEventListener("click", () => {
      this.#trackOrder.split();
      this.#list.focusRow(SIDE_B.uid);
    });
    this.#part("undo").addEventListener("click", () => this.#undo());
    this.#part("redo").addEventListener("click", () => this.#redo());
    this.#history.addEventListener("change", () => this.#showHistory());
    document.addEventListener("mixtape:damage", ({ detail }) => this.#list.markDamage(detail), { signal });
    this.#part("save").addEventListener("click", () => this.#save(false));
    this.#draft.addEventListener("begun", ({ detail: url }) => {
      // A reload leads back to what was typed, and not to another empty editor.
      if (!this.#draft.slug) history.replaceState(history.state, "", url);
    });
    addEventListener("pagehide", () => this.#draft.leave(), { signal });
    for (const name of ["focus", "online"]) addEventListener(name, () => this.#draft.retry(), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  #key(event) {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (!isCommand) return;
    const key = event.key.toLowerCase();
    // A field has a history of its own while somebody types in it.
    const isTyping = event.target.matches?.("textarea, input:not([type=file])");
    if (key === "z" && !isTyping) event.shiftKey ? this.#redo() : this.#undo();
    else if (key === "y" && !event.shiftKey && !isTyping) this.#redo();
    else if (key === "s" && !event.shiftKey) this.#save(false);
    else return;
    event.preventDefault();
  }

  #undo() {
    const change = this.#history.undo();
    if (change) say(translate("Undone: %(change)s", { change: change.text }));
  }

  #redo() {
    const change = this.#history.redo();
    if (change) say(translate("Done again: %(change)s", { change: change.text }));
  }

  #showHistory() {
    // What the button of a toast would undo is no longer the last.
    this.#closeToast();
    const [undo, redo] = [this.#part("undo"), this.#part("redo")];
    const focused = document.activeElement;
    undo.disabled = !this.#history.canUndo;
    redo.disabled = !this.#history.canRedo;
    // A button that goes out would take the focus with it.
    if (focused === undo && undo.disabled) redo.focus();
    if (focused === redo && redo.disabled) undo.focus();
  }

  /** @param {import("./history.js").Change} change that somebody has made */
  #changed(change) {
    this.#history.record(change);
    this.#draft.changed();
  }

  #trackOrderChanged(detail) {
    this.#showTrackOrder();
    const change = changeOf(detail, this.#trackOrder);
    if (!change) return;
    this.#changed(change);
    if (detail.kind === "note") return;
    say(change.text);
    if (detail.kind !== "remove") return;
    say(translate("%(change)s Press Control Z to undo.", { change: change.text }));
    this.#closeToast = toast(change.text, { label: translate("Undo"), act: () => this.#undo() });
  }

  #snapshot() {
    const texts = Object.fromEntries(FIELDS.map((name) => [name, this.#field(name).value]));
    return { texts, cover: this.#cover, entries: this.#trackOrder.entries };
  }

  #bringBack({ texts, cover, entries }, { uid }) {
    for (const name of FIELDS) this.#field(name).value = texts[name];
    this.#cover = cover;
    this.#showCover(cover.url);
    this.#trackOrder.restore(entries);
    this.#draft.changed();
    // Whoever presses the button goes on pressing it.
    const isPressing = [this.#part("undo"), this.#part("redo")].includes(document.activeElement);
    if (!isPressing && this.#trackOrder.indexOf(uid) >= 0) this.#list.focusRow(uid);
  }

  /** @returns {import("./state.js").Kept} */
  #read() {
    const { texts, cover } = this.#snapshot();
    const { tracks, sideB } = this.#trackOrder;
    return { ...texts, cover_key: cover.key, cover_url: cover.url, tracks, side_b: sideB };
  }

  /** @param {import("./state.js").Kept} kept */
  #fill(kept) {
    for (const name of FIELDS) this.#field(name).value = kept[name] ?? "";
    this.#cover = { key: kept.cover_key, url: kept.cover_url };
    this.#showCover(kept.cover_url);
    this.#trackOrder.fill(kept.tracks, kept.side_b);
    this.#showTrackOrder();
  }

  #showTrackOrder() {
    showTotals(this.#part("totals"), this.#trackOrder);
    showCollage(this.#part("cover-made"), this.#trackOrder.tracks);
    showSides((name) => this.#part(name), this.#trackOrder);
    const isEmpty = !this.#trackOrder.tracks.length;
    this.#part("empty").hidden = !isEmpty;
    this.#part("preview").disabled = isEmpty;
  }

  /** Go on with what this browser kept, where the server has not got it. */
  #restore(stored) {
    const copy = recallDraft(this.#draft.copyName);
    if (!copy || isSame(copy.state, stored)) return;
    // Without a newer revision on the server, what is here is what was typed last. With one, the
    // save tells of the conflict, and both are still there to choose from.
    this.#fill(copy.state);
    this.#draft.resume(copy.revision);
    say(translate("Your unsaved changes were restored."));
  }

  #loadOther() {
    forgetDraft(this.#draft.copyName);
    this.#draft.close();
    const { slug, url } = this.#draft;
    if (this.#draft.state === "gone" && !slug) return this.#page.go(url.replace(/\/api\/drafts$/, "/mixtapes"));
    return this.#page.go(location.href, true);
  }

  async #save(overwrite) {
    const button = this.#part("save");
    if (button.disabled) return;
    if (!this.#field("title").value.trim()) {
      this.#complain(translate("Give the mixtape a title first."));
      return this.#field("title").focus();
    }
    button.disabled = true;
    try {
      const answer = await this.#draft.publish(overwrite);
      if (answer) await this.#saved(answer);
    } catch (error) {
      this.#refused(error);
    }
    button.disabled = false;
  }

  async #saved({ edit_url: url, task }) {
    await this.#page.go(url, true);
    // Caching goes on as a quiet line; what comes next is to give the mixtape away.
    if (task) showProgress(task, false);
    openSharePanel();
  }

  #refused(error) {
    const notice = this.#part("notice");
    notice.hidden = false;
    notice.replaceChildren(Object.assign(document.createElement("span"), { textContent: error.message }));
    if (error.status !== 409) return;
    const again = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-outline", textContent: translate("Save mine instead") });
    again.addEventListener("click", () => this.#save(true));
    notice.append(again);
  }

  #complain(message) {
    this.#part("title-problem").textContent = message;
    this.#field("title").toggleAttribute("aria-invalid", Boolean(message));
  }
}
