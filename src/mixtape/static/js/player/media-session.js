// The keys on keyboards and headphones, and the player on the lock screen.

import { artwork } from "../shared/covers.js";

const STEP_S = 10;

/** @param {import("./player.js").Player} player */
export function attachMediaSession(player) {
  const session = navigator.mediaSession;
  if (!session) return;
  player.addEventListener("track", () => {
    const { title, artist, album, cover } = player.track;
    session.metadata = new MediaMetadata({ title, artist, album, artwork: artwork(cover) });
  });
  const showState = () => {
    session.playbackState = player.audio.paused ? "paused" : "playing";
    showPosition(session, player);
  };
  for (const name of ["play", "pause", "durationchange", "takeover", "seeking"]) player.addEventListener(name, showState);
  const actions = {
    play: () => player.audio.paused && player.toggle(),
    pause: () => player.audio.pause(),
    previoustrack: () => player.previous(),
    nexttrack: () => player.next(),
    seekbackward: ({ seekOffset }) => player.seek(player.position - (seekOffset || STEP_S)),
    seekforward: ({ seekOffset }) => player.seek(player.position + (seekOffset || STEP_S)),
    seekto: ({ seekTime }) => player.seek(seekTime),
  };
  for (const [name, act] of Object.entries(actions)) {
    try {
      session.setActionHandler(name, act);
    } catch {
      // a browser that does not know this key
    }
  }
}

function showPosition(session, { duration, position, audio }) {
  if (!duration || !session.setPositionState) return;
  session.setPositionState({ duration, position: Math.min(position, duration), playbackRate: audio.playbackRate });
}
