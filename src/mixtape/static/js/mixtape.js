// Puts the widgets of a mixtape's page together.

import { attachHeard } from "./mixtape/heard.js";
import { attachKeyboard } from "./player/keyboard.js";
import { attachMediaSession } from "./player/media-session.js";
import { attachPlayerBar } from "./player/player-bar.js";
import { Player } from "./player/player.js";
import { attachTrackList, readTracks } from "./library/track-list.js";
import { attachLinerNotes } from "./mixtape/liner-notes.js";
import { attachOpening } from "./mixtape/opening.js";

const bar = document.getElementById("player");
const main = document.getElementById("main");

for (const notes of main.querySelectorAll("[data-liner-notes]")) attachLinerNotes(notes);
if (bar) {
  const { defaultQuality, autoQuality, autoBest } = bar.dataset;
  const player = new Player(bar.querySelector("audio"), defaultQuality, {
    autoStart: autoQuality,
    autoBest,
    closedText: "This mixtape is no longer shared at this link. Ask whoever sent it to you.",
  });
  attachPlayerBar(bar, player);
  attachKeyboard(player);
  attachMediaSession(player);
  attachTrackList(main, player);
  attachHeard(main, player);
  // The page is about one list: its first track is there to be played, without being fetched yet.
  player.offer(readTracks(main));
  const playAll = main.querySelector("[data-play-all]");
  attachOpening(document.getElementById("opening"), main, player, () => playAll.click());
}
