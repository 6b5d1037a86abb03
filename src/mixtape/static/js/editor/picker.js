// The search beside the track order, and the buttons that put what it finds on the mixtape.

import { send } from "../shared/api.js";
import { debounced } from "../shared/debounce.js";
import { say, toast } from "../shared/spoken.js";
import { makeRow } from "../library/track-row.js";
import { plural, translate } from "../shared/words.js";

const PAUSE_MS = 120;
const LIMIT = 30;
const HAS_KEYS = matchMedia("(hover: hover) and (pointer: fine)");

/**
 * @param {HTMLElement} box the editor
 * @param {import("./tracks.js").TrackOrder} trackOrder
 * @param {() => void} rowsChanged
 * @returns {() => void}
 */
export function attachPicker(box, trackOrder, rowsChanged) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  const field = box.querySelector("#picker-search");
  const [results, hint, spoken] = [part("results"), part("hint"), part("found")];
  let asking = new AbortController();
  let found = [];

  const mark = () => {
    const held = new Set(trackOrder.ids);
    for (const row of results.children) {
      const track = found.find(({ id }) => String(id) === row.dataset.key);
      const isIn = held.has(track.id);
      const button = row.querySelector('[data-part="add"]');
      button.classList.toggle("is-in", isIn);
      button.setAttribute("aria-label", isIn ? translate("Add %(title)s again", track) : translate("Add %(title)s", track));
      button.disabled = trackOrder.isFull;
    }
  };
  const show = (tracks, message) => {
    found = tracks.filter(({ problem }) => !problem);
    results.replaceChildren(...found.map((track) => makeRow("picker-row", track)));
    hint.textContent = message;
    hint.hidden = !message;
    mark();
    rowsChanged();
  };
  const search = async () => {
    const typed = field.value.trim();
    asking.abort();
    if (!typed) {
      spoken.textContent = "";
      return show([], whatToDo());
    }
    asking = new AbortController();
    try {
      const answer = await send("GET", `${box.dataset.searchUrl}?limit=${LIMIT}&q=${encodeURIComponent(typed)}`, undefined, asking);
      show(answer.tracks, hintFor(answer, typed));
      spoken.textContent = found.length ? plural("%(num)s track found", "%(num)s tracks found", found.length) : translate("Nothing found");
    } catch (error) {
      if (error.name !== "AbortError") show([], error.isSessionEnded ? translate("Sign in again to search.") : error.message);
    }
  };
  const soon = debounced(search, PAUSE_MS);
  field.addEventListener("input", soon.later);
  field.addEventListener("keydown", async (event) => {
    if (event.key === "Escape" && field.value) field.value = "";
    else if (event.key === "ArrowDown" && found.length) return focusFirst(event, results);
    else if (event.key !== "Enter") return;
    event.preventDefault();
    soon.cancel();
    await search();
    if (event.key === "Enter" && found.length) addOnce(trackOrder, found[0]);
  });
  results.addEventListener("keydown", (event) => moveFocus(event, field));
  results.addEventListener("click", ({ target }) => {
    if (!target.closest('[data-part="add"]')) return;
    const { key } = target.closest("li").dataset;
    addOnce(trackOrder, found.find(({ id }) => String(id) === key));
  });
  trackOrder.addEventListener("change", mark);
  show([], whatToDo());
  return () => {
    soon.cancel();
    asking.abort();
  };
}

/** Add a track, and say so where it can be seen; one that is on the mixtape is asked about first. */
function addOnce(trackOrder, track) {
  const again = () => trackOrder.add(track);
  if (trackOrder.ids.includes(track.id)) {
    const message = translate("“%(name)s” is on the mixtape already.", { name: track.title });
    say(message);
    return toast(message, { label: translate("Add again"), act: again });
  }
  again();
  return toast(translate("Added “%(name)s”", { name: track.title }));
}

/** What to do; of keys only to whoever has some. */
function whatToDo() {
  return HAS_KEYS.matches ? translate("Type a few letters; press Enter to add the first one.") : translate("Type a few letters.");
}

function focusFirst(event, results) {
  event.preventDefault();
  results.querySelector('[data-part="add"]').focus();
}

/** Let the arrows go from one found track to the next, and back into the field. */
function moveFocus(event, field) {
  if (event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  const row = event.target.closest("li");
  const next = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
  event.preventDefault();
  if (next) next.querySelector('[data-part="add"]').focus();
  else if (event.key === "ArrowUp") field.focus();
}

function hintFor(answer, typed) {
  if (answer.tracks.length && answer.tracks.every(({ problem }) => problem)) return translate("What was found cannot be played.");
  if (!answer.tracks.length) return translate("Nothing in the library has all of “%(typed)s”.", { typed });
  return answer.next_offset === null ? "" : translate("There are more: type another word.");
}
