// Everything that goes with a player on any page.

import { attachAhead } from "./ahead.js";
import { attachKeyboard } from "./keyboard.js";
import { attachMediaSession } from "./media-session.js";
import { attachModes } from "./modes.js";
import { attachNowPlaying } from "./now-playing.js";
import { attachPlayerBar } from "./player-bar.js";
import { attachQueueSheet } from "./queue-sheet.js";
import { attachRemoteButtons } from "./remote-button.js";
import { attachSeekLine } from "./seek-line.js";
import { attachSettingsSheet } from "./settings-sheet.js";
import { attachSheets } from "./sheets.js";
import { attachTabTitle } from "./tab-title.js";
import { attachUncovered } from "./uncovered.js";

/** @param {HTMLElement} bar @param {import("./player.js").Player} player */
export function attachPlayer(bar, player) {
  const now = document.getElementById("now");
  attachPlayerBar(bar, player);
  attachSeekLine(bar, player);
  attachSheets();
  attachModes(player);
  attachNowPlaying(now, player);
  attachQueueSheet(document.getElementById("queue"), player);
  attachSettingsSheet(document.getElementById("player-settings"), player);
  attachKeyboard(player);
  attachMediaSession(player);
  attachTabTitle(player);
  attachUncovered(bar);
  attachAhead(player);
  attachRemoteButtons(bar, now, player);
}
