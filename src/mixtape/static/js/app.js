// Puts the player and the widgets of the pages around it together.

import { attachAdd } from "./add/add.js";
import { attachNavigation } from "./library/navigation.js";
import { attachPage } from "./page.js";
import { attachPlayFrom } from "./library/play-from.js";
import { attachPlayer } from "./player/attach.js";
import { attachRest } from "./library/rest.js";
import { attachReports } from "./player/reports.js";
import { attachStarButtons } from "./marks/star-buttons.js";
import { attachTrackList, trackOf } from "./library/track-list.js";
import { Memory } from "./player/memory.js";
import { Player } from "./player/player.js";
import { Stars } from "./marks/stars.js";
import { send } from "./shared/api.js";

const bar = document.getElementById("player");
const main = document.getElementById("main");
const { defaultQuality, scope, lookupUrl, playbackUrl, starsUrl, starUrl, ratingUrl } = bar.dataset;
const player = new Player(bar.querySelector("audio"), defaultQuality);

attachPlayer(bar, player);
attachReports(player, playbackUrl);
const stars = new Stars(starsUrl, starUrl, ratingUrl);
const markStars = attachStarButtons(main, bar, player, stars);
const markTracks = attachTrackList(main, player);
const rowsChanged = () => {
  markTracks();
  markStars();
};
attachPlayFrom(main, player);
attachRest(main, player);
let mount = () => {};
const go = attachNavigation(main, () => {
  rowsChanged();
  mount();
});
mount = attachPage(main, { rowsChanged, go, player, stars });
attachAdd(main, bar, player, go, stars);

const find = async (ids) => (await send("GET", `${lookupUrl}?ids=${[...new Set(ids)]}`)).tracks.map((fields) => trackOf(fields));
new Memory(player, scope, find).restore();
