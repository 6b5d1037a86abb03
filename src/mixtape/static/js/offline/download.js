// One track onto the shelf: in one answer where the line holds, and from where it broke where not.

import { addPiece, addTag, beginTrack, findTrack } from "./shelf.js";

const PIECE_BYTES = 1 << 20;

/** Why a track cannot be had as it was planned. */
export class Refusal extends Error {
  /** @param {"changed" | "gone" | "busy" | "refused"} why @param {number} status */
  constructor(why, status) {
    super(`${why}: ${status}`);
    this.why = why;
  }

  /** @param {number} status of an answer that is no success */
  static of(status) {
    if (status === 404 || status === 410) return new Refusal("gone", status);
    return new Refusal(status === 429 || status >= 500 ? "busy" : "refused", status);
  }
}

/**
 * Ask what an address sends, of which nothing is encoded for that.
 *
 * @param {string} url
 * @param {import("./shelf.js").Kept | undefined} known what is kept for this address
 * @param {AbortSignal} signal
 * @returns {Promise<import("./shelf.js").Kept>} what is kept or is to be; the same bytes have one id
 */
export async function identify(url, known, signal) {
  const tags = known?.tags.join(", ");
  const headers = tags ? { "If-None-Match": tags } : {};
  const answer = await fetch(url, { method: "HEAD", cache: "no-store", headers, signal });
  const tag = answer.headers.get("ETag");
  if (answer.status === 304 && known) {
    // The server may have found out more about the same bytes.
    if (tag && !known.tags.includes(tag)) await addTag(known.id, tag);
    return known;
  }
  if (!answer.ok) throw Refusal.of(answer.status);
  const bytes = Number(answer.headers.get("Content-Length"));
  // Without a tag (a damaged file) nothing but the address and the length tell what it is.
  const id = `${tag ?? url} ${bytes}`;
  return (await findTrack(id)) ?? { id, tags: tag ? [tag] : [], bytes, have: 0, headers: headersOf(answer) };
}

/**
 * Fetch what is missing of a track.
 *
 * @param {string} url
 * @param {import("./shelf.js").Kept} track
 * @param {AbortSignal} signal
 * @param {(bytes: number) => void} progress told of how much of it there is, stored or about to be
 */
export async function download(url, track, signal, progress) {
  // What goes by no tag may be other bytes the next time.
  if (!track.have || !track.tags.length) await beginAgain(track);
  const headers = track.have ? { Range: `bytes=${track.have}-`, "If-Range": track.tags.at(-1) } : {};
  const answer = await fetch(url, { cache: "no-store", headers, signal });
  if (!answer.ok) throw answer.status === 416 ? new Refusal("changed", 416) : Refusal.of(answer.status);
  const tag = answer.headers.get("ETag");
  if (answer.status === 206) {
    const range = `bytes ${track.have}-${track.bytes - 1}/${track.bytes}`;
    if (answer.headers.get("Content-Range") !== range) throw new Refusal("changed", 206);
  } else {
    const isSame = Number(answer.headers.get("Content-Length")) === track.bytes && (tag === null) === !track.tags.length;
    if (!isSame || (tag && !track.tags.includes(tag))) throw new Refusal("changed", answer.status);
    await beginAgain(track);
  }
  await store(answer.body.getReader(), track, progress);
  // As where the server's encoder fails: the rest is asked for again.
  if (track.have !== track.bytes) throw new TypeError(`ended after ${track.have} bytes: ${url}`);
}

async function beginAgain(track) {
  track.have = 0;
  await beginTrack(track);
}

async function store(reader, track, progress) {
  let chunks = [];
  let size = 0;
  const flush = async () => {
    if (!size) return;
    const blob = new Blob(chunks);
    [chunks, size] = [[], 0];
    await addPiece(track, blob);
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.length;
      progress(track.have + size);
      if (size >= PIECE_BYTES) await flush();
    }
  } finally {
    // Whatever ended it: what came is not to come again.
    await flush();
  }
}

/** @returns {[string, string][]} what a player reads of an answer */
function headersOf(answer) {
  const names = ["Content-Type", "Audio-Cache-Rendition", "Audio-Cache-Damage"];
  return names.filter((name) => answer.headers.has(name)).map((name) => [name, answer.headers.get(name)]);
}
