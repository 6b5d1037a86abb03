// Clearing, purging, verifying and renewing: what is asked before, and what is said after.

import { confirmFirst } from "./confirm.js";
import { send } from "../shared/api.js";
import { count } from "../shared/format.js";

const TITLES = {
  verify: "Verifying the cache",
  repair: "Verifying and repairing the cache",
  regenerate: "Renewing outdated entries",
  clear: "Deleting entries",
};
const ENDINGS = { finished: "Done", cancelled: "Cancelled", failed: "Failed" };
const SOON_MS = 300;
const DAYS = /^\d+([.,]\d+)?$/;

/**
 * @param {HTMLElement} page
 * @param {() => void} refresh asks for new figures
 * @returns {{isRunning: () => boolean, show: (task: any) => void}} shows how the work that goes on is doing
 */
export function attachMaintenance(page, refresh) {
  const part = (name) => page.querySelector(`[data-part=${name}]`);
  const job = (name) => page.querySelector(`[data-job=${name}]`);
  const say = (message) => (part("outcome").textContent = message);

  let isRunning = false;

  async function act(url, fields, tell) {
    say("");
    // What takes long shows how far it is meanwhile.
    const meanwhile = setTimeout(refresh, SOON_MS);
    try {
      say(tell(await send("POST", url, fields)));
    } catch (error) {
      say(error.message);
    }
    clearTimeout(meanwhile);
    refresh();
  }
  const begin = (kind) => act(page.dataset.maintenance + kind, {}, () => "");
  const deleted = (answer) => (answer.deleted === 1 ? "1 entry was deleted." : `${count(answer.deleted)} entries were deleted.`);

  onSubmit(job("verify"), (form) => begin(form.elements.repair.checked ? "repair" : "verify"));
  onSubmit(job("regenerate"), () => begin("regenerate"));
  onSubmit(job("clear"), async (form) => {
    const field = form.elements.older_than_days;
    const days = field.value.trim().replace(",", ".");
    const isBad = !DAYS.test(field.value.trim()) || Number(days) <= 0;
    part("days-error").textContent = isBad ? "Enter a number of days above 0, such as 30." : "";
    field.setAttribute("aria-invalid", String(isBad));
    if (isBad) return field.focus();
    const age = days === "1" ? "1 day" : `${days} days`;
    const isMeant = await confirmFirst(page, {
      title: "Clear old entries?",
      message: `Every entry that was made more than ${age} ago is deleted.`,
      yes: "Clear them",
    });
    if (isMeant) act(form.action, { older_than_days: days }, deleted);
  });
  onSubmit(job("purge"), async (form) => {
    const { word } = form.dataset;
    const isMeant = await confirmFirst(page, {
      title: "Purge everything?",
      message: "Every entry of the cache is deleted. Your music itself is not touched.",
      yes: "Purge the cache",
      word,
    });
    if (isMeant) act(form.action, { confirm: word }, deleted);
  });
  part("task-cancel").addEventListener("click", () => act(page.dataset.cancel, {}, () => ""));

  return {
    isRunning: () => isRunning,
    show: (task) => {
      isRunning = Boolean(task && !task.ending);
      showTask(page, part, task);
    },
  };
}

function onSubmit(form, answer) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(form);
  });
}

function showTask(page, part, task) {
  // How many entries were deleted is said where that was asked for.
  part("task").hidden = !task || (task.kind === "clear" && task.ending !== null);
  const isRunning = Boolean(task && !task.ending);
  for (const name of ["verify", "regenerate", "clear", "purge"]) {
    page.querySelector(`[data-job=${name}] button`).disabled = isRunning;
  }
  if (!task) return;
  const ending = task.ending ? `: ${ENDINGS[task.ending].toLowerCase()}` : "";
  setText(part("task-title"), TITLES[task.kind] + ending);
  part("task-cancel").hidden = !isRunning || task.kind === "clear";
  const bar = part("task-bar");
  bar.hidden = !isRunning;
  bar.max = task.total || 1;
  if (task.total) bar.value = task.done;
  else bar.removeAttribute("value");
  setText(part("task-text"), describeTask(task));
  part("task-problems").replaceChildren(...task.problems.map(problemItem));
}

function describeTask({ kind, total, done, found, ending, error }) {
  if (error) return error;
  if (total === null) return "Looking at what there is …";
  if (total === 0) return kind === "regenerate" ? "Nothing is outdated." : "The cache is empty.";
  const kinds = ["sound", "repaired", "outdated", "damaged", "failed"].filter((name) => found[name]);
  const results = kinds.map((name) => `${count(found[name])} ${wordFor(name, kind)}`).join(", ");
  const position = ending ? "" : `${count(done)} of ${count(total)}`;
  return [position, results].filter(Boolean).join(": ");
}

function wordFor(how, kind) {
  return how === "repaired" && kind === "regenerate" ? "renewed" : how;
}

function problemItem({ name, problem }) {
  const item = document.createElement("li");
  const file = document.createElement("b");
  file.textContent = name;
  item.append(file, `: ${problem}`);
  return item;
}

/** Set a text only where it differs, so that screen readers are left in peace. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
