// Times and sizes as people read them; the same as mixtape/files/formats.py.

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
  const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const rest = count(whole % 60, "second");
  return minutes ? `${count(minutes, "minute")} ${rest}` : rest;
}

/** @param {number} bytes @returns {string} "31.0 MB", in decimal units */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 999.95e3) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 999.95e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** @param {number} number @returns {string} "12,345" */
export function count(number) {
  return number.toLocaleString("en");
}
