// Puts the widgets of a mixtape's page together.

import { attachHeard } from "./mixtape/heard.js";
import { attachPlayer } from "./player/attach.js";
import { attachTrackList, readTracks } from "./library/track-list.js";
import { attachLinerNotes } from "./mixtape/liner-notes.js";
import { attachOpening } from "./mixtape/opening.js";
import { attachTint } from "./mixtape/tint.js";
import { Memory } from "./player/memory.js";
import { offerResume } from "./player/resume-button.js";
import { attachOffline } from "./offline/panel.js";
import { Player } from "./player/player.js";
import { pressEarly } from "./shared/early.js";
import { translate } from "./shared/words.js";

const bar = document.getElementById("player");
const main = document.getElementById("main");
const takeAlong = document.querySelector("[data-take-along]");

// Most who come only listen.
const open = async () => (await import("./mixtape/take-along.js")).attachTakeAlong(takeAlong);
takeAlong?.addEventListener("toggle", open, { once: true });

attachTint(main.querySelector(".mixtape-cover img"));
for (const notes of main.querySelectorAll("[data-liner-notes]")) attachLinerNotes(notes);

async function begin() {
  const { defaultQuality, autoQuality, autoBest, scope, playbackUrl } = bar.dataset;
  const player = new Player(bar.querySelector("audio"), defaultQuality, {
    autoStart: autoQuality,
    autoBest,
    closedText: translate("This mixtape is no longer shared at this link. Ask whoever sent it to you."),
  });
  attachPlayer(bar, player);
  attachTrackList(main, player);
  attachHeard(main, player);
  // Only who made the mixtape has plays that count.
  if (playbackUrl) (await import("./player/reports.js")).attachReports(player, playbackUrl);
  attachOffline(document.querySelector("[data-offline]"), player);
  const playAll = main.querySelector("[data-play-all]");
  attachOpening(document.getElementById("opening"), main, player, () => playAll.click());
  pressEarly();
  const tracks = readTracks(main);
  const find = async (ids) => tracks.filter(({ id }) => ids.includes(id));
  if (await new Memory(player, scope, find).restore()) return offerResume(main, player);
  // The page is about one list: its first track is there to be played, without being fetched yet.
  if (!player.track) player.offer(tracks);
  return undefined;
}

if (bar) begin();
