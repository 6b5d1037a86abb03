// What the server sent for a track, read from the headers of its answer.

import { clock, size } from "../shared/format.js";
import { translate } from "../shared/words.js";

const HOW = { cached: translate("cached"), live: translate("live"), original: translate("original"), kept: translate("kept") };

/**
 * @typedef {object} Damage
 * @property {number} at the second of the first damage; NaN where all of it can be decoded
 * @property {number} until the second after which nothing is heard
 * @property {number} lost seconds that cannot be decoded
 * @property {number} heard seconds that can
 */

/**
 * @typedef {object} Served
 * @property {number} status HTTP status of the answer
 * @property {string} how "cached", "live", "original" or "kept" on this device
 * @property {string} quality
 * @property {number} bitrate in kbit/s, 0 for the original
 * @property {number} bytes length of what is sent
 * @property {number} sourceBytes length of the original
 * @property {Damage | null} damage what is wrong with the file
 */

/** @param {string} header of the form `a=1, b=2; c` @returns {Map<string, string>} */
function parameters(header) {
  const pairs = header.split(/[,;]/).map((part) => part.trim().split("="));
  return new Map(pairs.map(([name, value = ""]) => [name.trim(), value.trim()]));
}

/** @param {Headers} headers @param {number} status @returns {Served} */
export function readServed(headers, status) {
  const cache = parameters(headers.get("Cache-Status") ?? "");
  const rendition = parameters(headers.get("Audio-Cache-Rendition") ?? "");
  const bytes = Number(headers.get("Content-Length") ?? 0);
  const quality = rendition.get("quality") ?? "original";
  const isLive = cache.get("detail") === "live";
  const isKept = cache.has("device");
  return {
    status,
    how: isKept ? "kept" : quality === "original" ? "original" : isLive ? "live" : "cached",
    quality,
    bitrate: Number(rendition.get("bitrate") ?? 0),
    bytes,
    sourceBytes: Number(rendition.get("source-length") ?? bytes),
    damage: readDamage(headers.get("Audio-Cache-Damage")),
  };
}

/** @param {string | null} header @returns {Damage | null} */
function readDamage(header) {
  if (header === null) return null;
  const seconds = parameters(header);
  const [at, until, lost, heard] = ["at", "until", "lost", "heard"].map((name) => Number(seconds.get(name) ?? NaN));
  return { at, until, lost, heard };
}

/** @param {{title: string}} track @param {Damage} damage @returns {string} what a listener is told */
export function damageText({ title }, { at }) {
  if (Number.isNaN(at)) return translate("“%(title)s” is damaged: what can be read of it is played.", { title });
  return translate("“%(title)s” is damaged at %(time)s: what can be read of it is played.", { title, time: clock(at) });
}

/** Ask what is sent for an address, without its body. @returns {Promise<Served>} */
export async function askServed(url, signal) {
  const answer = await fetch(url, { method: "HEAD", signal });
  return readServed(answer.headers, answer.status);
}

/** @param {Served} served @param {{format: string}} track @returns {string} "MP3 128 kbit/s · live" */
export function renditionText(served, track) {
  const format = served.quality === "original" ? track.format : `MP3 ${served.bitrate} kbit/s`;
  return `${format} · ${HOW[served.how]}`;
}

/** @param {Served} served @returns {string} "4.1 MB instead of 31.0 MB: 87 % less" */
export function savingText(served) {
  if (!served.bytes) return "";
  if (served.quality === "original" || !served.sourceBytes) return size(served.bytes);
  const saved = Math.round(100 * (1 - served.bytes / served.sourceBytes));
  const values = { size: size(served.bytes), original: size(served.sourceBytes), share: `${Math.abs(saved)} %` };
  if (saved >= 0) return translate("%(size)s instead of %(original)s: %(share)s less", values);
  return translate("%(size)s instead of %(original)s: %(share)s more", values);
}
