// Puts the player and the widgets of the pages around it together.

import { attachAdd } from "./add/add.js";
import { attachKeyboard } from "./player/keyboard.js";
import { attachMediaSession } from "./player/media-session.js";
import { attachNavigation } from "./library/navigation.js";
import { attachPage } from "./page.js";
import { attachPlayFrom } from "./library/play-from.js";
import { attachPlayerBar } from "./player/player-bar.js";
import { Player } from "./player/player.js";
import { attachRest } from "./library/rest.js";
import { attachTrackList } from "./library/track-list.js";

const bar = document.getElementById("player");
const main = document.getElementById("main");
const player = new Player(bar.querySelector("audio"), bar.dataset.defaultQuality);

attachPlayerBar(bar, player);
attachKeyboard(player);
attachMediaSession(player);
const rowsChanged = attachTrackList(main, player);
attachPlayFrom(main, player);
attachRest(main, player);
let mount = () => {};
const go = attachNavigation(main, () => {
  rowsChanged();
  mount();
});
mount = attachPage(main, { rowsChanged, go });
attachAdd(main, bar, player, go);
