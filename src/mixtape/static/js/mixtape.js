// Puts the widgets of a mixtape's page together.

import { attachKeyboard } from "./player/keyboard.js";
import { attachMediaSession } from "./player/media-session.js";
import { attachPlayerBar } from "./player/player-bar.js";
import { Player } from "./player/player.js";
import { attachOffline } from "./offline/panel.js";
import { attachTrackList, readTracks } from "./library/track-list.js";

const bar = document.getElementById("player");
const main = document.getElementById("main");

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
  attachOffline(document.querySelector("[data-offline]"), player);
  // The page is about one list: its first track is there to be played, without being fetched yet.
  player.offer(readTracks(main));
}
