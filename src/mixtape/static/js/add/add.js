// "Add" from anywhere: opens the sheet, does what was chosen there, and says so with a way back.

import { copyText } from "../mixtape/copy.js";
import { send } from "../shared/api.js";
import { say, toast } from "../shared/spoken.js";
import { plural, translate } from "../shared/words.js";
import { attachDragToAdd } from "./drag.js";
import { makePlayingButton } from "./playing.js";
import { AddSheet } from "./sheet.js";
import { idOf, subjectOf, subjectOfTrack } from "./subject.js";
import { Targets } from "./targets.js";

/**
 * @param {HTMLElement} main
 * @param {HTMLElement} bar the player's
 * @param {import("../player/player.js").Player} player
 * @param {(url: string) => void} go
 * @param {import("../marks/stars.js").Stars} stars
 */
export function attachAdd(main, bar, player, go, stars) {
  const dialog = document.getElementById("add-sheet");
  const targets = new Targets(dialog.dataset.url);
  const sheet = new AddSheet(dialog, targets);
  const adding = new Adding(sheet, targets, player, go, stars);
  main.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add]");
    if (!button) return;
    event.preventDefault();
    const subject = subjectOf(button.closest("[data-track], [data-tracks]"));
    if (subject) adding.open(subject, button);
  });
  const playing = makePlayingButton(bar, player);
  playing.addEventListener("click", () => adding.open(subjectOfTrack(player.track), playing));
  attachDragToAdd(main, targets, {
    add: (subject, target, opener) => adding.add(subject, target, "ask", opener),
    create: (subject) => adding.create(subject, subject.name),
  });
}

class Adding {
  constructor(sheet, targets, player, go, stars) {
    Object.assign(this, { sheet, targets, player, go, stars });
  }

  open(subject, opener) {
    const { player } = this;
    // Only one call for the tracks, whatever is chosen and asked then.
    const once = { ...subject, tracks: remembered(subject.tracks) };
    const ways = {
      add: (target) => this.add(once, target, "ask"),
      create: (title) => this.create(once, title),
      next: () => this.#enqueue(once, (tracks) => playNext(player, tracks), translate("Plays next: “%(name)s”", { name: subject.name })),
      queue: () => this.#enqueue(once, (tracks) => tracks.forEach((track) => player.enqueue(track)), translate("In the queue: “%(name)s”", { name: subject.name })),
    };
    if (subject.id) {
      ways.star = () => this.#star(once);
      ways.rate = (rating) => this.stars.rate(subject.id, rating);
    }
    this.sheet.open(once, opener, ways, { isStarred: this.stars.has(subject.id), rating: this.stars.ratingOf(subject.id) });
  }

  async add(subject, target, repeats, opener) {
    const tracks = await subject.tracks();
    const { added, repeated } = await this.targets.add(target, tracks.map(idOf), repeats);
    if (!added.length && repeated.length) return this.#askAbout(subject, target, tracks.length, repeated.length, opener);
    this.sheet.close();
    const message = subject.isOne
      ? translate("Added “%(name)s” to “%(title)s”", { name: subject.name, title: target.title })
      : plural("Added %(num)s track to “%(title)s”", "Added %(num)s tracks to “%(title)s”", added.length, { title: target.title });
    this.#tell(message, { label: translate("Undo"), act: () => this.#takeBack(target, added) }, ...this.#linkOf(target));
  }

  async create(subject, title) {
    const made = await this.targets.create(title, (await subject.tracks()).map(idOf));
    this.sheet.close();
    const open = { label: translate("Open"), act: () => this.go(made.edit_url) };
    this.#tell(translate("“%(title)s” is a mixtape now", { title: made.title }), open, this.#copyOf(made.link, made.share_url));
  }

  #askAbout(subject, target, total, repeats, opener) {
    const again = (how) => () => this.add(subject, target, how);
    const title = { title: target.title };
    if (repeats === total) {
      const question = subject.isOne
        ? translate("“%(name)s” is already on “%(title)s”. Add it again?", { name: subject.name, ...title })
        : translate("All of this is already on “%(title)s”. Add it again?", title);
      return this.sheet.ask(question, [{ label: translate("Add again"), act: again("add") }], opener);
    }
    const question = plural("%(num)s of %(total)s tracks is already on “%(title)s”.", "%(num)s of %(total)s tracks are already on “%(title)s”.", repeats, { total, ...title });
    const others = plural("Add the other one", "Add the other %(num)s", total - repeats);
    return this.sheet.ask(question, [{ label: others, act: again("skip") }, { label: translate("Add all"), act: again("add") }], opener);
  }

  /** A link to copy, where others can hear what is saved. */
  #linkOf({ saved, link, share_url: shareUrl }) {
    return saved ? [this.#copyOf(link, shareUrl)] : [];
  }

  #copyOf(link, shareUrl) {
    return { label: translate("Copy link"), act: () => this.#share(link, shareUrl) };
  }

  async #share(link, shareUrl) {
    // Copied first: a browser lets a page do that while the press is fresh.
    const isCopied = await copyText(link);
    try {
      await send("POST", shareUrl);
    } catch (error) {
      return toast(error.message, { label: translate("Try again"), act: () => this.#share(link, shareUrl) });
    }
    if (isCopied) return this.#tell(translate("Link copied. Whoever has it can listen."));
    return this.#tell(translate("Shared, but this browser does not let pages copy: %(link)s", { link }));
  }

  async #enqueue(subject, act, message) {
    const tracks = await subject.tracks();
    if (tracks.length) act([...tracks]);
    this.sheet.close();
    this.#tell(message);
  }

  async #takeBack(target, ids) {
    try {
      await this.targets.takeBack(target, ids);
      this.#tell(translate("Taken back from “%(title)s”", { title: target.title }));
    } catch (error) {
      toast(error.message, { label: translate("Try again"), act: () => this.#takeBack(target, ids) });
    }
  }

  async #star(subject) {
    await this.stars.toggle(subject.id);
    this.sheet.close();
    const name = { name: subject.name };
    this.#tell(this.stars.has(subject.id) ? translate("“%(name)s” is a favourite now", name) : translate("“%(name)s” is no favourite any more", name));
  }

  #tell(message, ...actions) {
    say(message);
    toast(message, ...actions);
  }
}

/** Put tracks in their order behind the one that plays. */
function playNext(player, tracks) {
  // Each goes in front of the one before it, except the first where nothing is there yet.
  if (!player.track) player.playNext(tracks.shift());
  for (const track of tracks.reverse()) player.playNext(track);
}

function remembered(find) {
  let found = null;
  return () => {
    found ??= find().catch((error) => {
      found = null;
      throw error;
    });
    return found;
  };
}
