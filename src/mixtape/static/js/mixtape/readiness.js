// How much of a mixtape is ready at each quality, and the buttons that make the rest.

import { send } from "../shared/api.js";
import { showProgress } from "./cache-button.js";
import { ENCODED, labelOf } from "../shared/qualities.js";
import { toast } from "../shared/spoken.js";
import { translate } from "../shared/words.js";
import { troubles } from "../share/ready-line.js";

const NAMES = ENCODED.map(({ name }) => name);

/** @param {HTMLElement} box @returns {() => void} */
export function attachReadiness(box) {
  const { readiness: url, cacheUrl, initial } = box.dataset;
  const meters = box.querySelector('[data-part="meters"]');
  const text = box.querySelector('[data-part="text"]');

  const cache = async (qualities, button) => {
    button.disabled = true;
    try {
      const { task } = await send("POST", cacheUrl, { qualities });
      showProgress(task);
    } catch (error) {
      toast(error.message);
    }
    button.disabled = false;
  };
  const show = (found) => {
    box.dataset.total = found.total;
    // What making them has found out, for the lists on the page.
    document.dispatchEvent(new CustomEvent("mixtape:damage", { detail: found.damage ?? {} }));
    if (meters) showMeters(meters, found, cache);
    // Meters say it all, where there are any.
    if (meters?.children.length) text.hidden = true;
    else showText(text, found, cache);
    if (found.task) showProgress(found.task, false);
  };
  const ask = async () => {
    try {
      show(await send("GET", url));
    } catch {
      // It says what it said before; nothing depends on it.
    }
  };
  document.addEventListener("audio-cache:run-end", ask);
  if (initial) show(JSON.parse(initial));
  else ask();
  return () => document.removeEventListener("audio-cache:run-end", ask);
}

function showMeters(list, found, cache) {
  const names = found.enabled && found.total ? NAMES : [];
  const focused = list.contains(document.activeElement) ? document.activeElement.closest("li").dataset.quality : "";
  list.replaceChildren(...names.map((quality) => makeMeter(quality, found, cache)));
  list.querySelector(`[data-quality="${focused}"] button`)?.focus();
}

function makeMeter(quality, { ready, total, damaged, unplayable }, cache) {
  const item = document.createElement("li");
  item.dataset.quality = quality;
  const name = Object.assign(document.createElement("span"), { className: "meter-name", textContent: labelOf(quality) });
  const bar = Object.assign(document.createElement("progress"), { max: total, value: ready[quality] });
  bar.setAttribute("aria-label", translate("Ready at %(quality)s", { quality: labelOf(quality) }));
  // What can never be ready is nothing to wait for.
  const isDone = ready[quality] >= total - damaged - unplayable;
  const isAll = ready[quality] === total;
  const words = isDone && !isAll ? translate("%(count)s ready", { count: ready[quality] }) : isAll ? translate("Ready") : translate("%(count)s of %(total)s", { count: ready[quality], total });
  const figures = Object.assign(document.createElement("span"), { className: "meter-figures", textContent: words });
  item.append(name, bar, figures);
  item.classList.toggle("is-done", isDone);
  if (!isDone) {
    const at = { quality: labelOf(quality) };
    const [label, longer] = ready[quality]
      ? [translate("Cache the rest"), translate("Cache the rest at %(quality)s", at)]
      : [translate("Cache"), translate("Cache at %(quality)s", at)];
    item.append(makeButton(label, longer, (button) => cache([quality], button)));
  }
  return item;
}

function showText(text, found, cache) {
  text.textContent = describe(found);
  text.hidden = !text.textContent;
  text.parentElement.querySelector("button.is-rest")?.remove();
  const rest = restOf(found);
  if (!rest.length) return;
  const button = makeButton(translate("Cache the rest"), "", (pressed) => cache(rest, pressed));
  button.classList.add("is-rest");
  text.after(button);
}

/** @returns {string} "Ready at Medium · 18 of 20 at Low" */
function describe({ enabled, total, ready, damaged, unplayable }) {
  if (!enabled) return translate("Caching is switched off.");
  if (!total) return "";
  const sound = total - damaged - unplayable;
  const done = sound ? NAMES.filter((quality) => ready[quality] >= sound).map(labelOf) : [];
  const begun = NAMES.filter((quality) => ready[quality] > 0 && ready[quality] < sound);
  const parts = begun.map((quality) => translate("%(count)s of %(total)s at %(quality)s", { count: ready[quality], total, quality: labelOf(quality) }));
  if (done.length) parts.unshift(describeDone(done, sound, sound === total));
  parts.push(...troubles({ damaged, unplayable }));
  return parts.join(" · ") || translate("Not cached yet: it is encoded while somebody listens");
}

function describeDone(done, count, isAll) {
  if (done.length === NAMES.length) return isAll ? translate("Ready at every quality") : translate("%(count)s ready at every quality", { count });
  const quality = done.reduce((some, other) => translate("%(some)s and %(other)s", { some, other }));
  return isAll ? translate("Ready at %(quality)s", { quality }) : translate("%(count)s ready at %(quality)s", { count, quality });
}

function restOf({ enabled, total, ready, usual, damaged, unplayable }) {
  const sound = total - damaged - unplayable;
  if (!enabled || !sound) return [];
  const begun = NAMES.filter((quality) => ready[quality] > 0 && ready[quality] < sound);
  const isNone = NAMES.every((quality) => ready[quality] === 0);
  return isNone ? usual : begun;
}

function makeButton(text, label, act) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-outline btn-sm", textContent: text });
  if (label) button.setAttribute("aria-label", label);
  button.addEventListener("click", () => act(button));
  return button;
}
