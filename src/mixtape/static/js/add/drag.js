// Tracks, albums and folders that are dragged onto a mixtape; for whoever has a mouse.

import { toast } from "../shared/spoken.js";
import { factsOf } from "./sheet.js";
import { subjectOf } from "./subject.js";

const SOURCES = "[data-track], [data-tracks]";
const HAS_MOUSE = matchMedia("(hover: hover) and (pointer: fine)");

/**
 * @param {HTMLElement} main
 * @param {import("./targets.js").Targets} targets
 * @param {{add: (subject: object, target: object, opener: HTMLElement) => Promise<void>, create: (subject: object) => Promise<void>}} ways
 */
export function attachDragToAdd(main, targets, { add, create }) {
  const tray = document.getElementById("add-tray");
  const list = tray.querySelector("ul");
  let subject = null;
  let source = null;

  const fill = (found) => {
    const made = tray.querySelector("template").content;
    const rows = found.map((target, index) => {
      const row = made.firstElementChild.cloneNode(true);
      row.dataset.index = String(index);
      row.querySelector("img").src = target.cover;
      row.querySelector('[data-part="target-title"]').textContent = target.title;
      row.querySelector('[data-part="target-facts"]').textContent = factsOf(target);
      return row;
    });
    list.replaceChildren(...rows);
  };
  const end = () => {
    subject = null;
    tray.hidden = true;
  };

  main.addEventListener("pointerover", ({ target }) => {
    const row = target.closest("[data-track]");
    if (row && HAS_MOUSE.matches && !row.closest("[data-editor]")) row.draggable = true;
  });
  main.addEventListener("dragstart", (event) => {
    // Within the editor rows are dragged by its own means, by their grips.
    source = event.target.closest?.(SOURCES);
    if (!source || !HAS_MOUSE.matches || source.closest("[data-editor]")) return;
    subject = subjectOf(source);
    event.dataTransfer.effectAllowed = "copyLink";
    event.dataTransfer.setData("text/plain", subject.name);
    // Chromium ends a drag whose page changes before it has begun.
    setTimeout(() => {
      tray.hidden = !subject;
      fill(targets.known);
      targets.load().then((found) => subject && fill(found), (error) => toast(error.message));
    });
  });
  document.addEventListener("dragend", end);
  for (const name of ["dragenter", "dragover"]) {
    tray.addEventListener(name, (event) => {
      const place = event.target.closest("[data-drop]");
      mark(tray, place);
      if (!place || !subject) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    });
  }
  tray.addEventListener("drop", async (event) => {
    const place = event.target.closest("[data-drop]");
    if (!place || !subject) return;
    event.preventDefault();
    const dropped = subject;
    const target = targets.known[Number(place.dataset.index)];
    const opener = source.querySelector("a, button");
    end();
    try {
      await (place.dataset.drop === "new" ? create(dropped) : add(dropped, target, opener));
    } catch (error) {
      toast(error.message);
    }
  });
}

function mark(tray, place) {
  for (const each of tray.querySelectorAll("[data-drop]")) each.classList.toggle("is-over", each === place);
}
