// Answers with parts of what is kept, as RFC 9110 has it. Decided from values alone.

const ONE_RANGE = /^bytes=(\d*)-(\d*)$/;

/**
 * @param {string | null} header Range
 * @param {number} bytes the length of the whole
 * @returns {[number, number] | null | "unmet"} first byte and the one behind the last; null for the whole
 */
export function spanOf(header, bytes) {
  const found = ONE_RANGE.exec(header ?? "");
  // Several ranges and what does not parse are answered with the whole, as the server does.
  if (!found || (!found[1] && !found[2])) return null;
  const [first, last] = [found[1], found[2]].map((digits) => (digits === "" ? NaN : Number(digits)));
  if (Number.isNaN(first)) return last > 0 && bytes > 0 ? [Math.max(0, bytes - last), bytes] : "unmet";
  if (last < first) return null;
  if (first >= bytes) return "unmet";
  return [first, Number.isNaN(last) ? bytes : Math.min(last + 1, bytes)];
}

/**
 * @param {{method: string, headers: Headers}} request
 * @param {import("./shelf.js").Kept} track that is whole
 * @param {() => Promise<Blob>} read gives its bytes
 * @returns {Promise<Response>}
 */
export async function answer({ method, headers }, track, read) {
  const fields = new Headers(track.headers);
  fields.set("Accept-Ranges", "bytes");
  fields.set("Cache-Status", "device; hit");
  fields.set("Cache-Control", "no-store");
  fields.set("Content-Length", track.bytes);
  const tag = track.tags.at(-1);
  if (tag) fields.set("ETag", tag);
  if (method === "HEAD") return new Response(null, { headers: fields });
  const condition = headers.get("If-Range");
  const holds = condition === null || track.tags.includes(condition);
  const span = holds ? spanOf(headers.get("Range"), track.bytes) : null;
  if (span === "unmet") {
    fields.set("Content-Range", `bytes */${track.bytes}`);
    fields.set("Content-Length", 0);
    return new Response(null, { status: 416, headers: fields });
  }
  const whole = await read();
  // Some of it is gone: browsers may lose what they keep, and the server has it.
  if (whole.size !== track.bytes) throw new Error(`of ${track.bytes} bytes ${whole.size} are there`);
  if (!span) return new Response(whole, { headers: fields });
  const [start, stop] = span;
  fields.set("Content-Range", `bytes ${start}-${stop - 1}/${track.bytes}`);
  fields.set("Content-Length", stop - start);
  return new Response(whole.slice(start, stop), { status: 206, headers: fields });
}
