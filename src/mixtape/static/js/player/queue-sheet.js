// The queue as people see it: what plays, what comes next, and what they do about that.

import { clock } from "../shared/format.js";
import { plural, translate } from "../shared/words.js";

// More are not drawn: nobody drags through thousands.
const MOST_ROWS = 100;

/** @param {HTMLDialogElement} sheet @param {import("./player.js").Player} player */
export function attachQueueSheet(sheet, player) {
  const part = (name) => sheet.querySelector(`[data-part="${name}"]`);
  const [list, rest, empty, told] = ["rows", "rest", "empty", "told"].map(part);
  const draw = () => {
    if (!sheet.open) return;
    const { queue, index, track } = player;
    const coming = queue.slice(index + 1);
    drawNow(part, track);
    list.replaceChildren(...coming.slice(0, MOST_ROWS).map((each, place) => makeRow(each, place)));
    const hidden = coming.length - Math.min(coming.length, MOST_ROWS);
    rest.textContent = hidden ? plural("… and %(num)s more", "… and %(num)s more", hidden) : "";
    empty.hidden = coming.length > 0;
    part("clear").disabled = !coming.length;
  };
  const focusRow = (place, name) => {
    const row = list.children[Math.min(place, list.children.length - 1)];
    (row?.querySelector(`[data-part="${name}"]`) ?? part("close")).focus();
  };
  const move = (place, by, name) => {
    const [from, to] = [player.index + 1 + place, player.index + 1 + place + by];
    if (to <= player.index || to >= player.queue.length) return;
    const { title } = player.queue[from];
    player.list.move(from, to);
    player.changed();
    focusRow(place + by, name);
    told.textContent = translate("%(title)s is at place %(place)s.", { title, place: place + by + 1 });
  };
  const remove = (place) => {
    const { title } = player.list.remove(player.index + 1 + place);
    player.changed();
    focusRow(place, "remove");
    told.textContent = translate("Removed %(title)s.", { title });
  };
  const acts = {
    play: (place) => player.jump(player.index + 1 + place),
    up: (place) => move(place, -1, "up"),
    down: (place) => move(place, 1, "down"),
    remove,
  };
  list.addEventListener("click", ({ target }) => {
    const name = target.closest("[data-part]")?.dataset.part;
    const place = [...list.children].indexOf(target.closest("li"));
    if (place >= 0) acts[name]?.(place);
  });
  list.addEventListener("keydown", (event) => {
    const place = [...list.children].indexOf(event.target.closest("li"));
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey && by) move(place, by, "play");
    else if (event.key === "Delete") remove(place);
    else return;
    event.preventDefault();
  });
  part("clear").addEventListener("click", () => {
    player.list.clear();
    player.changed();
    part("close").focus();
    told.textContent = translate("The queue is empty.");
  });
  for (const name of ["queue", "track"]) player.addEventListener(name, draw);
  // "open" is known once the dialog has been shown, and there is no event for that.
  new MutationObserver(draw).observe(sheet, { attributeFilter: ["open"] });
}

function drawNow(part, track) {
  part("now").textContent = track?.title ?? translate("Nothing");
  part("now-artist").textContent = [track?.artist, track?.album].filter(Boolean).join(" · ");
  part("now-note").textContent = track?.note ?? "";
  part("now-cover").hidden = !track?.cover;
  if (track?.cover) part("now-cover").src = track.cover;
}

function makeRow({ title, artist, duration }, place) {
  const row = document.getElementById("queue-row").content.firstElementChild.cloneNode(true);
  const part = (name) => row.querySelector(`[data-part="${name}"]`);
  part("title").textContent = title;
  part("artist").textContent = [clock(duration), artist].filter(Boolean).join(" · ");
  const names = {
    play: translate("Play %(title)s", { title }),
    up: translate("Move %(title)s up", { title }),
    down: translate("Move %(title)s down", { title }),
    remove: translate("Remove %(title)s", { title }),
  };
  for (const [name, label] of Object.entries(names)) part(name).setAttribute("aria-label", label);
  // Not disabled: that would drop the focus of whoever has just moved a track to the top.
  part("up").setAttribute("aria-disabled", String(place === 0));
  return row;
}
