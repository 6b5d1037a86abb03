// Search as you type: what is found takes the place of the page until the field is empty again.

import { send } from "../shared/api.js";
import { debounced } from "../shared/debounce.js";
import { count } from "../shared/format.js";
import { say } from "../shared/spoken.js";
import { makeRow } from "./track-row.js";
import { plural, translate } from "../shared/words.js";

const PAUSE_MS = 120;

/** @param {HTMLFormElement} form @param {{rowsChanged: () => void}} page @returns {() => void} */
export function attachSearch(form, { rowsChanged }) {
  const main = document.getElementById("main");
  const found = main.querySelector("[data-found]");
  const field = form.elements.q;
  const before = location.href;
  let asking = new AbortController();

  const show = async () => {
    const typed = field.value.trim();
    asking.abort();
    main.classList.toggle("is-searching", Boolean(typed));
    found.hidden = !typed;
    remember(typed, before, form.action);
    if (!typed) return found.replaceChildren();
    asking = new AbortController();
    try {
      const answer = await send("GET", `${form.dataset.search}?all=1&q=${encodeURIComponent(typed)}`, undefined, asking);
      // The page's own heading is out of sight now, and a page needs one.
      const title = element("h1", "visually-hidden", translate("Search for “%(words)s”", { words: typed }));
      found.replaceChildren(title, ...sections(answer, typed, form.dataset.search, rowsChanged));
      say(describe(answer));
    } catch (error) {
      if (error.name === "AbortError") return;
      found.replaceChildren(note(error.isSessionEnded ? translate("Your session has ended. Reload the page to sign in.") : error.message));
    }
    rowsChanged();
  };
  const soon = debounced(show, PAUSE_MS);
  const shortcut = (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
  };
  field.addEventListener("input", soon.later);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !field.value) return;
    event.preventDefault();
    field.value = "";
    soon.now();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    soon.now();
  });
  document.addEventListener("keydown", shortcut);
  return () => {
    soon.cancel();
    asking.abort();
    main.classList.remove("is-searching");
    document.removeEventListener("keydown", shortcut);
  };
}

/** Let the address say what was searched for, so that a reload or a bookmark finds it again. */
function remember(typed, before, action) {
  const isSearch = new URL(before).pathname === new URL(action).pathname;
  const url = typed ? `${action}?q=${encodeURIComponent(typed)}` : isSearch ? action : before;
  history.replaceState(history.state, "", url);
}

function sections(answer, typed, url, rowsChanged) {
  if (!answer.tracks.length) return [note(translate("Nothing in the library has all of “%(words)s”.", { words: typed }))];
  return [
    ...cards(translate("Artists"), answer.artists ?? [], (artist) => [artist.name || translate("Unknown artist"), plural("%(num)s track", "%(num)s tracks", artist.tracks)], "is-artist"),
    ...cards(translate("Albums"), answer.albums ?? [], (album) => [album.title, album.artist || translate("Unknown artist")], ""),
    heading(translate("Tracks")),
    ...list(answer, typed, url, rowsChanged),
  ];
}

function list(answer, typed, url, rowsChanged) {
  const rows = element("ol", "tracks has-add");
  rows.dataset.queue = "";
  const button = element("button", "btn btn-outline", translate("Load more"));
  button.type = "button";
  const box = element("p", "pages");
  box.append(button);
  let offset;
  const add = (more) => {
    const first = rows.children.length;
    rows.append(...more.tracks.map((track, at) => numbered(makeRow("track-row", track), first + at + 1)));
    offset = more.next_offset;
    box.hidden = offset === null;
  };
  add(answer);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      add(await send("GET", `${url}?q=${encodeURIComponent(typed)}&offset=${offset}`));
      rowsChanged();
    } catch (error) {
      say(error.message);
    }
    button.disabled = false;
  });
  return [rows, box];
}

function cards(name, items, describeItem, kind) {
  if (!items.length) return [];
  const links = items.map((item) => {
    const link = element("a", `folder-card ${kind}`);
    link.href = item.url;
    link.dataset.pageLink = "";
    const image = Object.assign(element("img"), { src: item.cover, alt: "", width: 320, height: 320, loading: "lazy" });
    const [title, facts] = describeItem(item);
    link.append(image, element("span", "folder-name", title), element("span", "card-facts", facts));
    const place = element("li");
    place.append(link);
    if (item.tracks_url) makeAddable(place, item, title, facts);
    return place;
  });
  const box = element("ul", "folders folders-row");
  box.append(...links);
  return [heading(name), box];
}

/** Let an album be added as its card on other pages can be. */
function makeAddable(place, item, name, note) {
  place.className = "card-item";
  Object.assign(place.dataset, { tracks: item.tracks_url, name, note, cover: item.cover, marks: item.marks });
  const button = document.getElementById("track-row").content.querySelector("[data-add]").cloneNode(true);
  button.className = "icon-button card-add";
  button.setAttribute("aria-label", translate("Add “%(name)s” to a mixtape", { name }));
  place.append(button);
}

function numbered(row, number) {
  row.querySelector(".track-number").textContent = String(number);
  return row;
}

function heading(text) {
  return element("h2", "section-head", text);
}

function note(text) {
  return element("p", "quiet", text);
}

function element(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function describe(answer) {
  const { length } = answer.tracks;
  if (!length) return translate("Nothing found");
  const num = count(length);
  if (answer.next_offset === null) return plural("%(num)s track found", "%(num)s tracks found", length, { num });
  return plural("More than %(num)s track found", "More than %(num)s tracks found", length, { num });
}
