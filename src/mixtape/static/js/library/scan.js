// What the scan of the music folder does, beside the search.

import { send } from "../shared/api.js";
import { count } from "../shared/format.js";
import { say } from "../shared/spoken.js";
import { plural, translate } from "../shared/words.js";

const POLL_MS = 1_000;
const FILL_IN_MS = 5_000;
const CHANGES = {
  added: (number, values) => plural("%(num)s new", "%(num)s new", number, values),
  updated: (number, values) => plural("%(num)s changed", "%(num)s changed", number, values),
  removed: (number, values) => plural("%(num)s gone", "%(num)s gone", number, values),
  failed: (number, values) => plural("%(num)s unreadable", "%(num)s unreadable", number, values),
};

/** @param {HTMLElement} box @param {{go: (url: string, replaces?: boolean) => void}} page @returns {() => void} */
export function attachScan(box, { go }) {
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  const { url } = box.dataset;
  const initial = JSON.parse(box.dataset.scan);
  const gap = document.querySelector("[data-fills-in]");
  const isPartial = gap?.dataset.fillsIn === "folder";
  const shownAt = performance.now();
  let found = initial.added;
  let timer = 0;
  let wasRunning = false;

  const show = (scan) => {
    const text = describe(scan);
    part("text").textContent = text;
    // Told once, when it has ended: a count that is read out every second is no calm one.
    if (wasRunning && !scan.running) say(text);
    wasRunning = scan.running;
    part("rescan").disabled = scan.running;
    const bar = part("bar");
    bar.hidden = !scan.running;
    if (scan.total) Object.assign(bar, { max: scan.total, value: scan.seen });
    else bar.removeAttribute("value");
    box.classList.toggle("is-running", scan.running);
    box.classList.toggle("has-error", Boolean(scan.error));
    if (scan.running || (isPartial && !scan.error)) timer = setTimeout(poll, POLL_MS);
  };
  const finish = (scan) => {
    show(scan);
    // What waits for the scan is shown anew: when it ends, and now and then while it goes on.
    const isDue = !scan.running || performance.now() - shownAt > FILL_IN_MS;
    const isNew = scan.added > found || (isPartial && !scan.running && !scan.error);
    if (gap && isDue && isNew) go(location.href, true);
  };
  const poll = async () => {
    try {
      finish(await send("GET", url));
    } catch (error) {
      if (!error.isSessionEnded) timer = setTimeout(poll, 5 * POLL_MS);
    }
  };
  part("rescan").addEventListener("click", async () => {
    try {
      found = 0;
      show(await send("POST", url));
    } catch (error) {
      part("text").textContent = error.message;
    }
  });
  show(initial);
  return () => clearTimeout(timer);
}

function describe(scan) {
  if (scan.running) {
    if (!scan.total) return translate("Looking for music …");
    return translate("Scanning: %(seen)s of %(total)s", { seen: count(scan.seen), total: count(scan.total) });
  }
  if (scan.error) return translate("The scan ended early: %(error)s", { error: scan.error });
  const parts = ["added", "updated", "removed", "failed"].filter((name) => scan[name]).map((name) => CHANGES[name](scan[name], { num: count(scan[name]) }));
  if (parts.length) return parts.join(", ");
  return scan.seen ? translate("Up to date") : "";
}
