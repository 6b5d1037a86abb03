// What is known of a run, as a value that events are put into; nothing here touches the page.

const LOG_LINES = 500;
// What the step of an event about one track says of it; none of these steps ends a run.
const TRACK_STATUS = {
  track_started: "running",
  track_cached: "cached",
  track_skipped: "skipped",
  track_failed: "failed",
};

/**
 * @typedef {object} Row one track
 * @property {string} name
 * @property {"running" | "cached" | "skipped" | "failed" | "stopped"} status
 * @property {string} reason
 */

/**
 * @typedef {object} RunState
 * @property {"waiting" | "running" | "completed" | "failed" | "cancelled"} phase
 * @property {string} message the last sentence for people
 * @property {number} done tracks that are cached, skipped or failed
 * @property {number} total
 * @property {{cached: number, skipped: number, failed: number}} counts
 * @property {number} bytesSaved
 * @property {number | null} speed as × real time
 * @property {number | null} timeLeft in seconds
 * @property {number | null} elapsed in seconds, known at the end
 * @property {Record<string, number>} skipReasons
 * @property {boolean} tellsTracks whether its events say what became of each track
 * @property {Row[]} running
 * @property {Row[]} finished oldest first
 * @property {{time: string, text: string, kind: string}[]} log oldest first
 */

/** @returns {RunState} */
export function newRun() {
  return {
    phase: "waiting",
    message: "",
    done: 0,
    total: 0,
    counts: { cached: 0, skipped: 0, failed: 0 },
    bytesSaved: 0,
    speed: null,
    timeLeft: null,
    elapsed: null,
    skipReasons: {},
    tellsTracks: false,
    running: [],
    finished: [],
    log: [],
  };
}

/** @param {RunState} state */
export function isOver(state) {
  return state.phase !== "waiting" && state.phase !== "running";
}

/**
 * Put an event of the stream into the state.
 * @param {RunState} state
 * @param {Record<string, any>} event
 */
export function addEvent(state, event) {
  state.phase = phaseAfter(event);
  state.message = event.message ?? "";
  state.total = event.total || state.total;
  if (isOfTrack(event)) addTrack(state, event);
  addFigures(state, event);
  state.log.push({ time: event.timestamp ?? "", text: state.message, kind: kindOf(event) });
  if (state.log.length > LOG_LINES) state.log.shift();
  if (isOver(state)) stopRunning(state);
}

function isOfTrack(event) {
  return Object.hasOwn(TRACK_STATUS, event.step);
}

function phaseAfter(event) {
  const isEnd = !isOfTrack(event) && ["completed", "failed"].includes(event.status);
  if (!isEnd) return "running";
  return event.step === "cancelled" ? "cancelled" : event.status;
}

function kindOf(event) {
  return isOfTrack(event) ? TRACK_STATUS[event.step] : event.status;
}

// Two tracks may have one name: only a row that still runs can be the one that ends here.
function addTrack(state, event) {
  const name = event.track ?? event.message;
  const status = TRACK_STATUS[event.step];
  const place = state.running.findIndex((row) => row.name === name);
  if (status === "running") {
    state.running.push({ name, status, reason: "" });
    return;
  }
  const [row] = place < 0 ? [{ name }] : state.running.splice(place, 1);
  state.finished.push(Object.assign(row, { status, reason: event.reason ?? "" }));
  if (status in state.counts) state.counts[status] += 1;
}

function addFigures(state, event) {
  for (const name of Object.keys(state.counts)) {
    state.counts[name] = event[name] ?? state.counts[name];
  }
  state.tellsTracks ||= event.done !== undefined || isOfTrack(event);
  state.done = event.done ?? event.current ?? state.done;
  if (state.phase === "completed" && event.done === undefined) state.done = state.total;
  state.bytesSaved = event.bytes_saved ?? state.bytesSaved;
  state.speed = event.speed_x ?? state.speed;
  state.timeLeft = event.time_left_s ?? state.timeLeft;
  state.elapsed = event.elapsed_s ?? state.elapsed;
  state.skipReasons = event.skip_reasons ?? state.skipReasons;
  if (event.failures) addMissing(state, event.failures);
}

// A very long run tells a late listener only how its last tracks fared; the end names all failures.
function addMissing(state, failures) {
  const known = new Set(state.finished.filter((row) => row.status === "failed").map(rowKey));
  for (const { track, reason } of failures) {
    const row = { name: track, status: "failed", reason };
    if (!known.has(rowKey(row))) state.finished.push(row);
  }
}

function rowKey(row) {
  return JSON.stringify([row.name, row.reason]);
}

function stopRunning(state) {
  for (const row of state.running.splice(0)) {
    state.finished.push(Object.assign(row, { status: "stopped" }));
  }
  state.timeLeft = null;
}

/**
 * Return the rows to show, most telling first: what runs, then the newest; failures at the end.
 * @param {RunState} state
 * @param {string} only a status, or "" for all
 * @returns {Row[]}
 */
export function rowsToShow(state, only) {
  const newest = state.finished.toReversed();
  const isFailed = (row) => row.status === "failed";
  const rows = isOver(state)
    ? [...newest.filter(isFailed), ...newest.filter((row) => !isFailed(row))]
    : [...state.running, ...newest];
  return only ? rows.filter((row) => row.status === only) : rows;
}
