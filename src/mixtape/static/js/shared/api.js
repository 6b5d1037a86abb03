// Requests to the server's JSON addresses, and what to do when the session has ended meanwhile.

import { translate } from "./words.js";

/** Thrown for every answer that is no success; status 0 where there was no answer at all. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }

  get isSessionEnded() {
    return this.status === 401;
  }
}

/**
 * @param {string} method
 * @param {string} url
 * @param {object | Blob} [body] a file is sent as it is, anything else as JSON
 * @param {{signal?: AbortSignal, keepalive?: boolean}} [options]
 * @returns {Promise<any>} the answer's JSON, null where it has none
 */
export async function send(method, url, body, options = {}) {
  try {
    return await sendOnce(method, url, body, options);
  } catch (error) {
    // Whoever signed in in another tab has a new session there, which this page has no token for.
    if (method === "GET" || error.status !== 400 || !(await renewToken())) throw error;
    return sendOnce(method, url, body, options);
  }
}

/** @returns {Promise<boolean>} whether somebody is signed in, whose token the page has then */
export async function renewToken() {
  const meta = tokenElement();
  const url = meta?.dataset.session;
  if (!url) return false;
  try {
    meta.content = (await sendOnce("GET", url)).csrf_token;
    return true;
  } catch {
    return false;
  }
}

async function sendOnce(method, url, body, options = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = tokenElement()?.content ?? "";
  const isFile = body instanceof Blob;
  if (body && !isFile) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(url, { ...options, method, headers, body: isFile || !body ? body : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(translate("The server cannot be reached."), 0);
  }
  const content = await answer.json().catch(() => null);
  if (answer.ok) return content;
  throw new ApiError(content?.error?.message ?? translate("The server answered %(status)s.", { status: answer.status }), answer.status);
}

function tokenElement() {
  return document.querySelector('meta[name="csrf-token"]');
}
