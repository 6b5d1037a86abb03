// The list of the tracks on the tape: shown, moved by keys and buttons, taken out, put back.

import { say, toast } from "../shared/spoken.js";
import { makeRow } from "../library/track-row.js";
import { attachDrag } from "./drag.js";

/**
 * @param {HTMLOListElement} list
 * @param {import("./tracks.js").Tape} tape
 * @param {() => void} rowsChanged
 */
export function attachTapeList(list, tape, rowsChanged) {
  const rows = new Map();
  const rowOf = (track) => {
    if (!rows.has(track.uid)) rows.set(track.uid, makeTapeRow(track));
    return rows.get(track.uid);
  };
  const render = () => {
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const kept = tape.tracks.map(rowOf);
    list.replaceChildren(...kept);
    kept.forEach((row, index) => number(row, tape.tracks[index], index, kept.length));
    for (const [uid, row] of rows) if (!row.isConnected) rows.delete(uid);
    // Moving an element takes the focus from it.
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    rowsChanged();
  };
  const focusRow = (index, part = "grip") => {
    const row = list.children[Math.min(index, list.children.length - 1)];
    (row?.querySelector(`[data-part="${part}"]`) ?? document.getElementById("picker-search")).focus();
  };

  tape.addEventListener("change", ({ detail }) => {
    const hadFocus = list.contains(document.activeElement);
    render();
    tell(detail, tape);
    if (detail.kind === "remove" && hadFocus) focusRow(detail.index, "remove");
    if (detail.kind === "undo") focusRow(detail.index);
    if (detail.kind === "move") rows.get(detail.track.uid)?.scrollIntoView({ block: "nearest" });
  });
  list.addEventListener("click", ({ target }) => {
    const row = target.closest("li");
    const part = target.closest("[data-part]")?.dataset.part;
    const index = tape.indexOf(row?.dataset.key);
    if (part === "up") tape.move(row.dataset.key, index - 1);
    if (part === "down") tape.move(row.dataset.key, index + 1);
    if (part === "remove") tape.remove(row.dataset.key);
  });
  list.addEventListener("keydown", (event) => {
    const uid = event.target.closest("li")?.dataset.key;
    const index = tape.indexOf(uid);
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: tape.tracks.length - 1 }[event.key];
    if (event.altKey && to !== undefined) tape.move(uid, to);
    else if (event.key === "Delete") tape.remove(uid);
    else return;
    event.preventDefault();
  });
  attachDrag(list, (uid, to) => tape.move(uid, to), render);
}

function makeTapeRow(track) {
  const row = makeRow("tape-row", track, track.uid);
  const name = track.title;
  const labels = { grip: `Move ${name}: drag, or press Alt with an arrow key`, up: `Move ${name} up`, down: `Move ${name} down`, remove: `Take ${name} out` };
  for (const [part, label] of Object.entries(labels)) row.querySelector(`[data-part="${part}"]`).setAttribute("aria-label", label);
  return row;
}

function number(row, track, index, total) {
  row.querySelector(".track-number").textContent = String(index + 1);
  // Not disabled: that would drop the focus of whoever has just moved a track to the end.
  row.querySelector('[data-part="up"]').setAttribute("aria-disabled", String(index === 0));
  row.querySelector('[data-part="down"]').setAttribute("aria-disabled", String(index === total - 1));
}

function tell({ kind, track, index }, tape) {
  const place = `place ${index + 1} of ${tape.tracks.length}`;
  if (kind === "add") say(`Added ${track.title} at ${place}.`);
  if (kind === "move") say(`${track.title} is at ${place}.`);
  if (kind === "undo") say(`${track.title} is back at ${place}.`);
  if (kind === "remove") {
    say(`Took ${track.title} out. Press Control Z to undo.`);
    toast(`Took out “${track.title}”`, { label: "Undo", act: () => tape.undo() });
  }
}
