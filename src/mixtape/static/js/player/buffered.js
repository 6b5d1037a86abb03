// How much of its track an <audio> element holds.

/** @param {HTMLAudioElement} audio @returns {number} seconds, all pieces together */
export function bufferedSeconds({ buffered }) {
  let seconds = 0;
  for (let piece = 0; piece < buffered.length; piece += 1) seconds += buffered.end(piece) - buffered.start(piece);
  return seconds;
}

/** @param {HTMLAudioElement} audio @returns {number} up to where it can go on without the network */
export function bufferedUntil({ buffered, currentTime }) {
  for (let piece = 0; piece < buffered.length; piece += 1) {
    // Seeking lands beside the second that was asked for by up to a frame.
    if (buffered.start(piece) <= currentTime + 0.1 && currentTime <= buffered.end(piece)) return buffered.end(piece);
  }
  return currentTime;
}
