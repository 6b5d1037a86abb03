// The figures of this moment: tiles, the table of qualities, and what is being made.

import { count, size } from "../shared/format.js";
import { labelOf } from "../shared/qualities.js";
import { plural, translate } from "../shared/words.js";

const SCARCE = 0.05;

/** @param {HTMLElement} page @returns {(state: any) => void} shows a state of the server */
export function attachFigures(page) {
  const part = (name) => page.querySelector(`[data-part=${name}]`);
  const say = (name, figure, text) => {
    part(name).textContent = figure;
    part(`${name}-text`).textContent = text;
  };
  return (state) => {
    const { cache, traffic, encoders, disk } = state;
    say("cache", size(cache.bytes), describeCache(cache));
    say("saved", savedShare(traffic.sent_bytes, traffic.original_bytes), describeSaved(traffic));
    const plays = traffic.hits + traffic.live + traffic.misses + traffic.bypasses;
    say("plays", count(plays), describePlays(traffic));
    say("encoders", count(encoders.running), translate("%(taken)s of %(places)s places for listeners taken", { taken: encoders.live, places: encoders.live_places }));
    say("disk", size(disk.free_bytes), translate("of %(size)s", { size: size(disk.total_bytes) }));
    const isScarce = disk.free_bytes < SCARCE * disk.total_bytes;
    page.querySelector("[data-tile=disk]").classList.toggle("is-scarce", isScarce);
    part("qualities").replaceChildren(...cache.qualities.map(qualityRow), ...foreignRow(cache));
    part("growing").replaceChildren(...state.growing.map(growingItem));
    part("growing-box").hidden = state.growing.length === 0;
  };
}

function describeCache(cache) {
  const entries = plural("%(num)s entry", "%(num)s entries", cache.entries, { num: count(cache.entries) });
  const tracks = plural("%(num)s track", "%(num)s tracks", cache.sources, { num: count(cache.sources) });
  const facts = [translate("%(entries)s of %(tracks)s", { entries, tracks })];
  const unfinished = { count: count(cache.partials), size: size(cache.partial_bytes) };
  if (cache.partials) facts.push(translate("%(count)s unfinished (%(size)s)", unfinished));
  return facts.join(", ");
}

function describeSaved({ sent_bytes, original_bytes }) {
  if (!original_bytes) return translate("nothing was played yet");
  return translate("%(sent)s sent instead of %(originals)s", { sent: size(sent_bytes), originals: size(original_bytes) });
}

function describePlays({ hits, live, misses, bypasses, downloads, download_bytes }) {
  const numbers = { hits: count(hits), live: count(live), misses: count(misses), originals: count(bypasses) };
  const facts = [translate("%(hits)s cached, %(live)s live, %(misses)s missed, %(originals)s originals", numbers)];
  const taken = { num: count(downloads), size: size(download_bytes) };
  if (downloads) facts.push(plural("%(num)s download (%(size)s)", "%(num)s downloads (%(size)s)", downloads, taken));
  return facts.join(", ");
}

/** @returns {string} "81 %"; a dash where there is nothing to compare with */
function savedShare(bytes, originalBytes) {
  return originalBytes ? `${Math.round(100 * (1 - bytes / originalBytes))} %` : "–";
}

function qualityRow({ quality, entries, bytes, source_bytes }) {
  return row(labelOf(quality), count(entries), size(bytes), size(source_bytes), savedShare(bytes, source_bytes));
}

function foreignRow({ foreign, foreign_bytes }) {
  return foreign ? [row(translate("Made by others"), count(foreign), size(foreign_bytes), "–", "–")] : [];
}

function row(name, ...figures) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  line.append(head, ...figures.map((figure) => {
    const cell = document.createElement("td");
    cell.textContent = figure;
    return cell;
  }));
  return line;
}

function growingItem({ name, quality, bytes, of_bytes, listeners }) {
  const item = document.createElement("li");
  const label = document.createElement("span");
  label.textContent = name;
  const bar = document.createElement("progress");
  bar.max = of_bytes;
  bar.value = bytes;
  bar.setAttribute("aria-label", translate("%(name)s at %(quality)s", { name, quality: labelOf(quality) }));
  const share = Math.floor((100 * bytes) / of_bytes);
  const facts = document.createElement("span");
  facts.className = "quiet";
  facts.textContent = [labelOf(quality), `${share} %`, plural("%(num)s listener", "%(num)s listeners", listeners)].join(", ");
  item.append(label, bar, facts);
  return item;
}
