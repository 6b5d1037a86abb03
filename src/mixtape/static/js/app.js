// Puts the widgets of the library page together.

import { attachKeyboard } from "./keyboard.js";
import { attachMediaSession } from "./media-session.js";
import { attachNavigation } from "./navigation.js";
import { attachPlayerBar } from "./player-bar.js";
import { Player } from "./player.js";
import { attachTrackList } from "./track-list.js";

const bar = document.getElementById("player");
const main = document.getElementById("main");
const player = new Player(bar.querySelector("audio"), bar.dataset.defaultQuality);

attachPlayerBar(bar, player);
attachKeyboard(player);
attachMediaSession(player);
attachNavigation(main, attachTrackList(main, player));
