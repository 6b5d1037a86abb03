// The list of what is kept on this device.

import { labelOf } from "../shared/qualities.js";
import { size } from "../shared/format.js";
import { translate } from "../shared/words.js";
import { listTapes, removeTape, tracksOf } from "./shelf.js";
import { canKeep, lookAgain } from "./worker-link.js";

const box = document.querySelector("[data-kept-tapes]");
const [list, none] = [box.querySelector("ul"), box.querySelector('[data-part="none"]')];

async function show() {
  const tapes = canKeep() ? await listTapes() : [];
  list.replaceChildren(...(await Promise.all(tapes.map(makeRow))));
  none.hidden = tapes.length > 0;
}

async function makeRow(tape) {
  const tracks = await tracksOf(tape.coming ?? tape.places);
  const [have, total] = ["have", "bytes"].map((name) => tracks.reduce((sum, track) => sum + track[name], 0));
  const row = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: tape.path, textContent: tape.title });
  const amount = have === total ? size(total) : translate("%(have)s of %(total)s", { have: size(have), total: size(total) });
  const facts = Object.assign(document.createElement("span"), { className: "quiet", textContent: `${amount} · ${labelOf(tape.quality)}` });
  const label = translate("Remove “%(title)s” from this device", { title: tape.title });
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-outline btn-sm", textContent: translate("Remove"), ariaLabel: label });
  button.addEventListener("click", async () => {
    await removeTape(tape.path);
    await lookAgain();
    await show();
    (list.querySelector("button") ?? document.getElementById("main")).focus();
  });
  row.append(link, facts, button);
  return row;
}

show().catch(() => (none.hidden = false));
