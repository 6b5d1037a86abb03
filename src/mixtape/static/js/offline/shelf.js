// What is kept on this device: mixtapes, and the music of them in the pieces that it came in. Pages
// and the service worker read it.

const NAME = "mixtape-shelf";
const TAPES = "tapes";
const TRACKS = "tracks";
const PIECES = "pieces";

/**
 * @typedef {object} Place one track of a mixtape
 * @property {string} url with its quality, from the root of the host
 * @property {string} track the id of what is kept for it
 */

/**
 * @typedef {object} Tape
 * @property {string} path of its page
 * @property {string} title
 * @property {string} quality that was chosen
 * @property {boolean} isOwners kept by whoever was signed in, and let go of at the sign-out
 * @property {boolean} isClosed no longer shared, when it was last asked for
 * @property {boolean} isStopped what is under way waits for a press
 * @property {string} cache the name of the cache with the page, "" before there is a whole copy
 * @property {Place[]} places of the whole copy
 * @property {Place[] | null} coming those of the copy under way
 */

/**
 * @typedef {object} Kept the music of a track at one quality, whatever addresses it has
 * @property {string} id made of the first entity tag
 * @property {string[]} tags every entity tag that its bytes have had
 * @property {number} bytes its length
 * @property {number} have how much of it is there
 * @property {[string, string][]} headers of the answer that it came with
 */

/** @type {Promise<IDBDatabase> | null} */
let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(TAPES, { keyPath: "path" });
      request.result.createObjectStore(TRACKS, { keyPath: "id" });
      request.result.createObjectStore(PIECES, { keyPath: ["track", "start"] });
    };
    request.onsuccess = () => {
      // Another tab with a newer version may change the tables.
      request.result.onversionchange = () => {
        request.result.close();
        opening = null;
      };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  opening.catch(() => (opening = null));
  return opening;
}

/** Run a transaction. @param {(...stores: IDBObjectStore[]) => IDBRequest | void} act @returns {Promise<any>} the result of the request that it gives */
async function within(mode, names, act) {
  const transaction = (await open()).transaction(names, mode, { durability: "relaxed" });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  const request = act(...names.map((name) => transaction.objectStore(name)));
  await ended;
  return request?.result;
}

const piecesOf = (id) => IDBKeyRange.bound([id, 0], [id, Infinity]);

/** @returns {Promise<Tape[]>} */
export const listTapes = () => within("readonly", [TAPES], (tapes) => tapes.getAll());

/** @param {string} path @returns {Promise<Tape | undefined>} */
export const findTape = (path) => within("readonly", [TAPES], (tapes) => tapes.get(path));

/** @param {Tape} tape */
export const putTape = (tape) => within("readwrite", [TAPES], (tapes) => void tapes.put(tape));

/** Change some of what is known of a tape, if it is still kept. */
export const changeTape = (path, changes) =>
  within("readwrite", [TAPES], (tapes) => {
    const request = tapes.get(path);
    request.onsuccess = () => request.result && tapes.put({ ...request.result, ...changes });
  });

/** @param {string} id @returns {Promise<Kept | undefined>} */
export const findTrack = (id) => within("readonly", [TRACKS], (tracks) => tracks.get(id));

/** @returns {Promise<Kept[]>} */
export const listTracks = () => within("readonly", [TRACKS], (tracks) => tracks.getAll());

/** @param {Kept} track of which nothing was there, or nothing may stay */
export const beginTrack = (track) =>
  within("readwrite", [TRACKS, PIECES], (tracks, pieces) => {
    pieces.delete(piecesOf(track.id));
    tracks.put({ ...track, have: 0 });
  });

/** Note that the bytes of a track go by another entity tag as well. */
export const addTag = (id, tag) =>
  within("readwrite", [TRACKS], (tracks) => {
    const request = tracks.get(id);
    request.onsuccess = () => {
      const track = request.result;
      if (track && !track.tags.includes(tag)) tracks.put({ ...track, tags: [...track.tags, tag] });
    };
  });

/**
 * Add a piece at the end of what is there, as one step with the note of how much that is.
 *
 * @param {Kept} track as it was before; its `have` grows
 * @param {Blob} blob
 */
export async function addPiece(track, blob) {
  const piece = { track: track.id, start: track.have, blob };
  const grown = { ...track, have: track.have + blob.size };
  await within("readwrite", [TRACKS, PIECES], (tracks, pieces) => {
    pieces.put(piece);
    tracks.put(grown);
  });
  track.have = grown.have;
}

/** @param {string} id @returns {Promise<Blob>} all that is there of a track; it stays on the disk until it is read */
export async function readTrack(id) {
  const pieces = await within("readonly", [PIECES], (store) => store.getAll(piecesOf(id)));
  return new Blob(pieces.map(({ blob }) => blob));
}

/** Delete a tape, and the music that no other one holds. @param {string} path */
export async function removeTape(path) {
  const tape = await findTape(path);
  await within("readwrite", [TAPES], (tapes) => void tapes.delete(path));
  if (tape?.cache) await caches.delete(tape.cache);
  await sweep();
}

/** Delete a copy that is not whole; a whole one of the same tape stays. @param {string} path */
export async function dropComing(path) {
  const tape = await findTape(path);
  if (!tape?.coming) return;
  if (!tape.cache) return removeTape(path);
  await within("readwrite", [TAPES, TRACKS, PIECES], (tapes, tracks, pieces) => {
    tapes.put({ ...tape, coming: null });
    sweepIn(tapes, tracks, pieces);
  });
}

/** Delete the music that no tape holds. */
export const sweep = () => within("readwrite", [TAPES, TRACKS, PIECES], sweepIn);

function sweepIn(tapes, tracks, pieces) {
  const request = tapes.getAll();
  request.onsuccess = () => {
    const held = new Set(request.result.flatMap(({ places, coming }) => [...places, ...(coming ?? [])].map(({ track }) => track)));
    const ids = tracks.getAllKeys();
    ids.onsuccess = () => {
      for (const id of ids.result.filter((each) => !held.has(each))) {
        tracks.delete(id);
        pieces.delete(piecesOf(id));
      }
    };
  };
}

/** @param {Place[]} places @returns {Promise<Kept[]>} what is kept for them, each once */
export async function tracksOf(places) {
  const ids = new Set(places.map(({ track }) => track));
  return (await listTracks()).filter(({ id }) => ids.has(id));
}

/** @param {string} url @returns {Promise<Kept | null>} the whole track that is kept for an address */
export async function findWhole(url) {
  for (const { places, coming } of await listTapes()) {
    const place = [...places, ...(coming ?? [])].find((each) => each.url === url);
    const track = place && (await findTrack(place.track));
    if (track && track.have === track.bytes) return track;
  }
  return null;
}
