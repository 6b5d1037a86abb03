// Figures and states in words for people.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** @param {number} bytes */
export function bytesInWords(bytes) {
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = value < 9.95 && unit > 0 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** @param {number} seconds */
export function timeLeftInWords(seconds) {
  if (seconds < 5) return "a few seconds left";
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} s left`;
  const minutes = Math.max(Math.round(seconds / 60), 1);
  if (minutes < 60) return `about ${minutes} min left`;
  const rest = minutes % 60;
  return `about ${Math.floor(minutes / 60)} h${rest ? ` ${rest} min` : ""} left`;
}

/** @param {number} seconds */
export function durationInWords(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${count.toLocaleString()} ${noun}${count === 1 ? "" : "s"}`;
}

/** @param {import("./state.js").RunState} state */
export function positionInWords(state) {
  if (!state.total) return state.phase === "waiting" ? "Getting ready…" : state.message;
  const total = counted(state.total, "track");
  return `${Math.min(state.done, state.total).toLocaleString()} of ${total}`;
}

/** @param {import("./state.js").RunState} state */
export function factsInWords(state) {
  const facts = [];
  if (state.timeLeft !== null) facts.push(timeLeftInWords(state.timeLeft));
  if (state.elapsed !== null) facts.push(`took ${durationInWords(state.elapsed)}`);
  if (state.speed) facts.push(`${state.speed.toLocaleString()} × real time`);
  if (state.bytesSaved > 0) facts.push(`${bytesInWords(state.bytesSaved)} saved`);
  // A line breaks between facts, never within one.
  const text = facts.map((fact) => fact.replaceAll(" ", "\u00a0")).join(" · ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {import("./state.js").RunState} state */
export function headlineInWords(state) {
  const { cached, skipped, failed } = state.counts;
  if (state.phase === "cancelled") return "Cancelled";
  if (state.phase === "failed") return "Nothing could be cached";
  if (failed) return `Finished, but ${counted(failed, "track")} failed`;
  if (!cached && skipped) return "Finished: there was nothing to do";
  return "Finished";
}

/** @param {import("./state.js").RunState} state */
export function summaryInWords(state) {
  const { cached, skipped, failed } = state.counts;
  if (!cached && !skipped && !failed) return state.message;
  const reasons = reasonsInWords(state.skipReasons);
  const parts = [`${cached} cached`];
  if (skipped) parts.push(`${skipped} skipped${reasons ? ` (${reasons})` : ""}`);
  if (failed) parts.push(`${failed} failed`);
  const kept = state.phase === "cancelled" ? " Tracks that were finished stay cached." : "";
  return `${parts.join(", ")}.${kept}`;
}

function reasonsInWords(counts) {
  const entries = Object.entries(counts);
  if (entries.length === 1) return entries[0][0];
  return entries.map(([reason, count]) => `${reason}: ${count}`).join(", ");
}

/** @param {import("./state.js").RunState} state */
export function spokenInWords(state) {
  const failed = state.counts.failed ? [`${state.counts.failed} failed`] : [];
  const left = state.timeLeft === null ? [] : [timeLeftInWords(state.timeLeft)];
  return [positionInWords(state), ...failed, ...left].join(", ");
}
