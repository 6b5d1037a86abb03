// Times and sizes as people read them; the same as mixtape/files/formats.py.

import { plural } from "./words.js";

/** @param {number} seconds @returns {string} "0:42", "3:05", "1:02:03" */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** @param {number} seconds @returns {string} "1 minute 5 seconds", for screen readers */
export function spokenTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = plural("%(num)s second", "%(num)s seconds", whole % 60);
  return minutes ? `${plural("%(num)s minute", "%(num)s minutes", minutes)} ${rest}` : rest;
}

/** @param {number} bytes @returns {string} "31.0 MB", in decimal units */
export function size(bytes) {
  if (bytes < 1000) return plural("%(num)s byte", "%(num)s bytes", bytes);
  if (bytes < 999.95e3) return `${fixed(bytes / 1e3, 1)} kB`;
  if (bytes < 999.95e6) return `${fixed(bytes / 1e6, 1)} MB`;
  return `${fixed(bytes / 1e9, 2)} GB`;
}

function fixed(number, digits) {
  const how = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  return number.toLocaleString(document.documentElement.lang, how);
}

/** @param {number} number @returns {string} "12,345" */
export function count(number) {
  return number.toLocaleString(document.documentElement.lang);
}
