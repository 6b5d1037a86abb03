// Asks as the package subsonic-api does: node subsonic_api.mjs ADDRESS NAME KEY TITLE WRONG_KEY
// Prints what it learns as JSON.

import { createHash } from "node:crypto";

import { SubsonicAPI } from "./vendor/subsonic-api.js";

const [, , url, username, password, title, wrong] = process.argv;

const sha256 = async (answer) => createHash("sha256").update(Buffer.from(await answer.arrayBuffer())).digest("hex");

const ways = { token: { auth: { username, password } }, post: { auth: { username, password }, post: true }, apiKey: { auth: { apiKey: password } } };
const pings = {};
for (const [name, way] of Object.entries(ways)) pings[name] = (await new SubsonicAPI({ url, ...way }).ping()).status;
const refused = await new SubsonicAPI({ url, auth: { username, password: wrong } }).ping().then((answer) => answer.status, String);

const player = new SubsonicAPI({ url, ...ways.token });
const { artists } = await player.getArtists();
const { albumList2 } = await player.getAlbumList2({ type: "newest", size: 500 });
const albums = {};
for (const { id, name } of albumList2.album) {
  const { album } = await player.getAlbum({ id });
  albums[name] = album.song.map((song) => song.title);
}
const { searchResult3 } = await player.search3({ query: title, songCount: 5 });
const song = searchResult3.song.find((each) => each.title === title);
const { playlists } = await player.getPlaylists();
const { randomSongs } = await player.getRandomSongs({ size: 4 });
const { openSubsonicExtensions } = await player.getOpenSubsonicExtensions();

console.log(
  JSON.stringify({
    pings,
    refused,
    artists: artists.index.flatMap((index) => index.artist.map((artist) => artist.name)),
    albums,
    song,
    made: await sha256(await player.stream({ id: song.id, maxBitRate: 128, format: "mp3" })),
    file: await sha256(await player.download({ id: song.id })),
    cover: (await player.getCoverArt({ id: song.coverArt, size: 300 })).headers.get("content-type"),
    playlists: playlists.playlist.map((playlist) => playlist.name),
    random: randomSongs.song.length,
    extensions: openSubsonicExtensions.map((extension) => extension.name),
  }),
);
