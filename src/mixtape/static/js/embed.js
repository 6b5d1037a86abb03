// The small player in pages of others: the Player of the mixtape's own page with a bar of its own.

import { attachEmbedBar } from "./embed/embed-bar.js";
import { readTracks } from "./library/track-list.js";
import { Player } from "./player/player.js";
import { AUTO } from "./player/quality.js";
import { pressEarly } from "./shared/early.js";
import { translate } from "./shared/words.js";

const box = document.getElementById("embed");
const { autoQuality, autoBest } = box.dataset;
const tracks = readTracks(box);
const player = new Player(box.querySelector("audio"), AUTO, {
  autoStart: autoQuality,
  autoBest,
  closedText: translate("This mixtape is no longer shared at this link."),
});
attachEmbedBar(box, player, tracks);
if (tracks.length) player.offer(tracks);
pressEarly();
