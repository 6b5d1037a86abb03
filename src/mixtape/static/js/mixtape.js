// Puts the widgets of a mixtape's page together.

import { attachKeyboard } from "./player/keyboard.js";
import { attachMediaSession } from "./player/media-session.js";
import { attachPlayerBar } from "./player/player-bar.js";
import { Player } from "./player/player.js";
import { attachTrackList, readTracks } from "./library/track-list.js";

const bar = document.getElementById("player");
const main = document.getElementById("main");
const takeAlong = document.querySelector("[data-take-along]");

// Most who come only listen.
const open = async () => (await import("./mixtape/take-along.js")).attachTakeAlong(takeAlong);
takeAlong?.addEventListener("toggle", open, { once: true });

if (bar) {
  const { defaultQuality, autoQuality } = bar.dataset;
  const player = new Player(bar.querySelector("audio"), defaultQuality, {
    autoStart: autoQuality,
    closedText: "This mixtape is no longer shared at this link. Ask whoever sent it to you.",
  });
  attachPlayerBar(bar, player);
  attachKeyboard(player);
  attachMediaSession(player);
  attachTrackList(main, player);
  // The page is about one list: its first track is there to be played, without being fetched yet.
  player.offer(readTracks(main));
}
