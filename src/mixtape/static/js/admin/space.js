// The cache's room: how much of it is taken, by what, and what had to go.

import { count, size } from "../shared/format.js";

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
    say("heads", count(space.heads), `${size(space.head_bytes)} of first seconds, which play at once`);
    say("evictions", count(space.evictions), describeEvictions(space));
  };
}

/** @param {number | null} rate from 0 to 1 @returns {string} "71 %"; a dash for none */
export function percent(rate) {
  return rate === null ? "–" : `${Math.round(100 * rate)}\u00a0%`;
}

function describeUse({ cap_bytes, used_bytes }) {
  if (cap_bytes === null) return `${size(used_bytes)} used, and no cap`;
  return `${size(used_bytes)} of ${size(cap_bytes)} used`;
}

function describeLimits({ cap_bytes, free_bytes, floor_bytes }) {
  if (free_bytes < floor_bytes) {
    return `The disk has less than ${size(floor_bytes)} left (AUDIO_CACHE_MIN_FREE): tracks play, and nothing more is kept.`;
  }
  const floor = floor_bytes ? `${size(floor_bytes)} of its disk are left` : "its disk is full";
  if (cap_bytes === null) {
    return `The cache may grow until ${floor}. Set AUDIO_CACHE_MAX_SIZE, to 50GB or 10% say, to keep it smaller.`;
  }
  return floor_bytes ? `It stops sooner where only ${floor}.` : "";
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
  part("space-meter").setAttribute("aria-valuetext", `${used} % used`);
}

function describeRate({ plays, bytes }) {
  return plays === null ? "nothing was asked of it yet" : `of plays, ${percent(bytes)} of bytes, since the start`;
}

function describePinned({ pinned }) {
  if (!pinned) return "nothing of saved mixtapes is there yet";
  return `${count(pinned)} ${pinned === 1 ? "file" : "files"} of saved mixtapes, which stay`;
}

function describeEvictions({ evictions, evicted_bytes }) {
  return evictions ? `files made room, ${size(evicted_bytes)} in all` : "nothing had to make room yet";
}
