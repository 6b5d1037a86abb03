// The cache's room: how much of it is taken, by what, and what had to go.

import { count, size } from "../shared/format.js";
import { plural, translate } from "../shared/words.js";

/** @param {HTMLElement} page @returns {(state: any) => void} shows a state of the server */
export function attachSpace(page) {
  const part = (name) => page.querySelector(`[data-part=${name}]`);
  const say = (name, figure, text) => {
    part(name).textContent = figure;
    part(`${name}-text`).textContent = text;
  };
  return ({ space, hit_rate }) => {
    part("space-lead").textContent = describeUse(space);
    part("space-floor").textContent = describeLimits(space);
    showMeter(part, space);
    say("hit-rate", percent(hit_rate.plays), describeRate(hit_rate));
    say("pinned", size(space.pinned_bytes), describePinned(space));
    say("heads", count(space.heads), translate("%(size)s of first seconds, which play at once", { size: size(space.head_bytes) }));
    say("evictions", count(space.evictions), describeEvictions(space));
  };
}

/** @param {number | null} rate from 0 to 1 @returns {string} "71 %"; a dash for none */
export function percent(rate) {
  return rate === null ? "–" : `${Math.round(100 * rate)}\u00a0%`;
}

function describeUse({ cap_bytes, used_bytes }) {
  if (cap_bytes === null) return translate("%(used)s used, and no cap", { used: size(used_bytes) });
  return translate("%(used)s of %(cap)s used", { used: size(used_bytes), cap: size(cap_bytes) });
}

function describeLimits({ cap_bytes, free_bytes, floor_bytes }) {
  if (free_bytes < floor_bytes) {
    const values = { floor: size(floor_bytes) };
    return translate("The disk has less than %(floor)s left (AUDIO_CACHE_MIN_FREE): tracks play, and nothing more is kept.", values);
  }
  const values = { floor: size(floor_bytes) };
  if (cap_bytes === null) {
    const limit = floor_bytes
      ? translate("The cache may grow until %(floor)s of its disk are left.", values)
      : translate("The cache may grow until its disk is full.");
    return `${limit} ${translate("Set AUDIO_CACHE_MAX_SIZE, to 50GB say, to keep it smaller.")}`;
  }
  return floor_bytes ? translate("It stops sooner where only %(floor)s of its disk are left.", values) : "";
}

function showMeter(part, { cap_bytes, used_bytes, free_bytes, floor_bytes, pinned_bytes, head_bytes }) {
  // Without a cap, all that the floor leaves is room.
  const whole = Math.max(cap_bytes ?? used_bytes + free_bytes - floor_bytes, used_bytes, 1);
  const rest = Math.max(0, used_bytes - pinned_bytes - head_bytes);
  const shares = { pinned: pinned_bytes, heads: head_bytes, rest, free: whole - used_bytes };
  for (const [name, bytes] of Object.entries(shares)) {
    if (name !== "free") part(`meter-${name}`).style.width = `${(100 * bytes) / whole}%`;
    part(`meter-${name}-size`).textContent = size(bytes);
  }
  const used = Math.round((100 * used_bytes) / whole);
  part("space-meter").setAttribute("aria-valuenow", used);
  part("space-meter").setAttribute("aria-valuetext", translate("%(used)s used", { used: `${used} %` }));
}

function describeRate({ plays, bytes }) {
  return plays === null ? translate("nothing was asked of it yet") : translate("of plays, %(share)s of bytes, since the start", { share: percent(bytes) });
}

function describePinned({ pinned }) {
  if (!pinned) return translate("nothing of saved mixtapes is there yet");
  return plural("%(num)s file of saved mixtapes, which stays", "%(num)s files of saved mixtapes, which stay", pinned, { num: count(pinned) });
}

function describeEvictions({ evictions, evicted_bytes }) {
  return evictions ? translate("files made room, %(size)s in all", { size: size(evicted_bytes) }) : translate("nothing had to make room yet");
}
