// The list of the tracks on the mixtape: shown, moved by keys and buttons, taken out, put back.

import { say, toast } from "../shared/spoken.js";
import { makeRow } from "../library/track-row.js";
import { attachDrag } from "./drag.js";

/**
 * @param {HTMLOListElement} list
 * @param {import("./tracks.js").TrackOrder} trackOrder
 * @param {() => void} rowsChanged
 */
export function attachTrackOrder(list, trackOrder, rowsChanged) {
  const rows = new Map();
  const rowOf = (track) => {
    if (!rows.has(track.uid)) rows.set(track.uid, makeOrderRow(track));
    return rows.get(track.uid);
  };
  const render = () => {
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const kept = trackOrder.tracks.map(rowOf);
    list.replaceChildren(...kept);
    kept.forEach((row, index) => number(row, trackOrder.tracks[index], index, kept.length));
    for (const [uid, row] of rows) if (!row.isConnected) rows.delete(uid);
    // Moving an element takes the focus from it.
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    rowsChanged();
  };
  const focusRow = (index, part = "grip") => {
    const row = list.children[Math.min(index, list.children.length - 1)];
    (row?.querySelector(`[data-part="${part}"]`) ?? document.getElementById("picker-search")).focus();
  };

  trackOrder.addEventListener("change", ({ detail }) => {
    const hadFocus = list.contains(document.activeElement);
    render();
    tell(detail, trackOrder);
    if (detail.kind === "remove" && hadFocus) focusRow(detail.index, "remove");
    if (detail.kind === "undo") focusRow(detail.index);
    if (detail.kind === "move") rows.get(detail.track.uid)?.scrollIntoView({ block: "nearest" });
  });
  list.addEventListener("click", ({ target }) => {
    const row = target.closest("li");
    const part = target.closest("[data-part]")?.dataset.part;
    const index = trackOrder.indexOf(row?.dataset.key);
    if (part === "up") trackOrder.move(row.dataset.key, index - 1);
    if (part === "down") trackOrder.move(row.dataset.key, index + 1);
    if (part === "remove") trackOrder.remove(row.dataset.key);
  });
  list.addEventListener("keydown", (event) => {
    const uid = event.target.closest("li")?.dataset.key;
    const index = trackOrder.indexOf(uid);
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: trackOrder.tracks.length - 1 }[event.key];
    if (event.altKey && to !== undefined) trackOrder.move(uid, to);
    else if (event.key === "Delete") trackOrder.remove(uid);
    else return;
    event.preventDefault();
  });
  attachDrag(list, (uid, to) => trackOrder.move(uid, to), render);
}

function makeOrderRow(track) {
  const row = makeRow("track-order-row", track, track.uid);
  const name = track.title;
  const labels = { grip: `Move ${name}: drag, or press Alt with an arrow key`, up: `Move ${name} up`, down: `Move ${name} down`, remove: `Remove ${name}` };
  for (const [part, label] of Object.entries(labels)) row.querySelector(`[data-part="${part}"]`).setAttribute("aria-label", label);
  return row;
}

function number(row, track, index, total) {
  row.querySelector(".track-number").textContent = String(index + 1);
  // Not disabled: that would drop the focus of whoever has just moved a track to the end.
  row.querySelector('[data-part="up"]').setAttribute("aria-disabled", String(index === 0));
  row.querySelector('[data-part="down"]').setAttribute("aria-disabled", String(index === total - 1));
}

function tell({ kind, track, index }, trackOrder) {
  const place = `place ${index + 1} of ${trackOrder.tracks.length}`;
  if (kind === "add") say(`Added ${track.title} at ${place}.`);
  if (kind === "move") say(`${track.title} is at ${place}.`);
  if (kind === "undo") say(`${track.title} is back at ${place}.`);
  if (kind === "remove") {
    say(`Removed ${track.title}. Press Control Z to undo.`);
    toast(`Removed “${track.title}”`, { label: "Undo", act: () => trackOrder.undo() });
  }
}
