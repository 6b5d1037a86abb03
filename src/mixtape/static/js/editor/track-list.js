// The list of the tracks on the mixtape, with the line between its sides: shown, moved by keys and
// buttons, taken out, noted.

import { makeRow } from "../library/track-row.js";
import { translate } from "../shared/words.js";
import { attachDrag } from "./drag.js";
import { SIDE_B } from "./tracks.js";

/**
 * @param {HTMLOListElement} list
 * @param {import("./tracks.js").TrackOrder} trackOrder
 * @param {() => void} rowsChanged
 * @returns {{focusRow: (uid: string) => void, markDamage: (damage: Record<string, string>) => void}}
 */
export function attachTrackOrder(list, trackOrder, rowsChanged) {
  const rows = new Map();
  // Made at once, as the length of the side is shown in it.
  rows.set(SIDE_B.uid, makeSideRow());
  const rowOf = (entry) => {
    if (!rows.has(entry.uid)) rows.set(entry.uid, makeOrderRow(entry));
    return rows.get(entry.uid);
  };
  const render = () => {
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const kept = trackOrder.entries.map(rowOf);
    list.replaceChildren(...kept);
    let place = 0;
    kept.forEach((row, index) => {
      const entry = trackOrder.entries[index];
      if (entry !== SIDE_B) place += 1;
      show(row, entry, place, index, kept.length);
    });
    for (const [uid, row] of rows) if (!row.isConnected && uid !== SIDE_B.uid) rows.delete(uid);
    // Moving an element takes the focus from it.
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    rowsChanged();
  };
  const focusRow = (row, part = "grip") => {
    (row?.querySelector(`[data-part="${part}"]`) ?? document.getElementById("picker-search")).focus();
  };

  trackOrder.addEventListener("change", ({ detail: { kind, entry, index } }) => {
    if (kind === "note") return;
    const hadFocus = list.contains(document.activeElement);
    render();
    if (kind === "remove" && hadFocus) focusRow(list.children[Math.min(index, list.children.length - 1)], "remove");
    if (["move", "split"].includes(kind)) rows.get(entry.uid)?.scrollIntoView({ block: "nearest" });
  });
  list.addEventListener("click", ({ target }) => {
    const row = target.closest("li");
    const part = target.closest("[data-part]")?.dataset.part;
    const index = trackOrder.indexOf(row?.dataset.key);
    if (part === "up") trackOrder.move(row.dataset.key, index - 1);
    if (part === "down") trackOrder.move(row.dataset.key, index + 1);
    if (part === "remove") trackOrder.remove(row.dataset.key);
  });
  list.addEventListener("input", ({ target }) => trackOrder.note(target.closest("li").dataset.key, target.value));
  list.addEventListener("keydown", (event) => {
    // In a note all keys are those of a text.
    if (event.target.matches("input")) return;
    const uid = event.target.closest("li")?.dataset.key;
    const index = trackOrder.indexOf(uid);
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: trackOrder.entries.length - 1 }[event.key];
    if (event.altKey && to !== undefined) trackOrder.move(uid, to);
    else if (event.key === "Delete") trackOrder.remove(uid);
    else return;
    event.preventDefault();
  });
  attachDrag(list, (uid, to) => trackOrder.move(uid, to), render);
  return {
    focusRow: (uid) => focusRow(rows.get(uid)),
    markDamage: (damage) => {
      for (const row of list.querySelectorAll("[data-track]")) {
        row.querySelector(".track-damage").textContent = damage[row.dataset.id] ?? "";
      }
    },
  };
}

function makeOrderRow(track) {
  const row = makeRow("track-order-row", track, track.uid);
  const { title } = track;
  row.dataset.id = track.id;
  label(row, {
    grip: translate("Move %(title)s: drag, or press Alt with an arrow key", { title }),
    up: translate("Move %(title)s up", { title }),
    down: translate("Move %(title)s down", { title }),
    remove: translate("Remove %(title)s", { title }),
    note: translate("Note on %(title)s", { title }),
  });
  return row;
}

function makeSideRow() {
  const row = document.getElementById("side-row").content.firstElementChild.cloneNode(true);
  row.dataset.key = SIDE_B.uid;
  label(row, {
    grip: translate("Move the beginning of side B: drag, or press Alt with an arrow key"),
    up: translate("Begin side B one track earlier"),
    down: translate("Begin side B one track later"),
    remove: translate("Make one side of both"),
  });
  return row;
}

function label(row, labels) {
  for (const [part, text] of Object.entries(labels)) row.querySelector(`[data-part="${part}"]`).setAttribute("aria-label", text);
}

/** Bring a row up to date: only its place and its note ever change. */
function show(row, entry, place, index, total) {
  if (entry !== SIDE_B) {
    row.querySelector(".track-number").textContent = String(place);
    const field = row.querySelector('[data-part="note"]');
    if (field.value !== entry.note) field.value = entry.note;
  }
  // Not disabled: that would drop the focus of whoever has just moved a track to the end.
  row.querySelector('[data-part="up"]').setAttribute("aria-disabled", String(index === 0));
  row.querySelector('[data-part="down"]').setAttribute("aria-disabled", String(index === total - 1));
}
