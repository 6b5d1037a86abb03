// Questions to the server that are answered in JSON, and forms that are sent without a new page.

/** Thrown where signing in again is the only thing that helps. */
export class SessionEndedError extends Error {}

/** @param {string} url @returns {Promise<any>} */
export async function askJson(url) {
  return read(fetch(url, { headers: { Accept: "application/json" } }));
}

/** @param {string} url @param {Record<string, string>} fields @returns {Promise<any>} */
export async function sendForm(url, fields = {}) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  return read(fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) }));
}

/** @param {Promise<Response>} asked @returns {Promise<any>} the answer; throws what it complains of */
async function read(asked) {
  let answer;
  try {
    answer = await asked;
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (answer.status === 401) throw new SessionEndedError("Your session has ended.");
  const content = await answer.json().catch(() => null);
  if (answer.ok && content) return content;
  throw new Error(content?.error?.message ?? `The server answered ${answer.status}.`);
}
