// The keys on keyboards and headphones, and the player on the lock screen.

/** @param {import("./player.js").Player} player */
export function attachMediaSession(player) {
  const session = navigator.mediaSession;
  if (!session) return;
  player.addEventListener("track", () => {
    const { title, artist, album, cover } = player.track;
    const artwork = [{ src: new URL(cover, location.href).href, sizes: "192x192" }];
    session.metadata = new MediaMetadata({ title, artist, album, artwork });
  });
  const actions = {
    play: () => player.toggle(),
    pause: () => player.toggle(),
    previoustrack: () => player.previous(),
    nexttrack: () => player.next(),
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
