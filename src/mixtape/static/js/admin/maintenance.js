// Clearing, purging, verifying and renewing: what is asked before, and what is said after.

import { confirmFirst } from "./confirm.js";
import { send } from "../shared/api.js";
import { count } from "../shared/format.js";
import { plural, translate } from "../shared/words.js";

const TITLES = {
  verify: translate("Verifying the cache"),
  repair: translate("Verifying and repairing the cache"),
  regenerate: translate("Renewing outdated entries"),
  clear: translate("Deleting entries"),
};
const ENDINGS = { finished: translate("done"), cancelled: translate("cancelled"), failed: translate("failed") };
const FOUND = {
  sound: translate("%(num)s sound"),
  repaired: translate("%(num)s repaired"),
  renewed: translate("%(num)s renewed"),
  outdated: translate("%(num)s outdated"),
  damaged: translate("%(num)s damaged"),
  failed: translate("%(num)s failed"),
};
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
  const deleted = ({ deleted: number }) =>
    plural("%(num)s entry was deleted.", "%(num)s entries were deleted.", number, { num: count(number) });

  onSubmit(job("verify"), (form) => begin(form.elements.repair.checked ? "repair" : "verify"));
  onSubmit(job("regenerate"), () => begin("regenerate"));
  onSubmit(job("clear"), async (form) => {
    const field = form.elements.older_than_days;
    const days = field.value.trim().replace(",", ".");
    const isBad = !DAYS.test(field.value.trim()) || Number(days) <= 0;
    part("days-error").textContent = isBad ? translate("Enter a number of days above 0, such as 30.") : "";
    field.setAttribute("aria-invalid", String(isBad));
    if (isBad) return field.focus();
    const isMeant = await confirmFirst(page, {
      title: translate("Clear old entries?"),
      message: plural(
        "Every entry that was made more than %(num)s day ago is deleted.",
        "Every entry that was made more than %(num)s days ago is deleted.",
        Number(days),
        { num: days },
      ),
      yes: translate("Clear them"),
    });
    if (isMeant) act(form.action, { older_than_days: days }, deleted);
  });
  onSubmit(job("purge"), async (form) => {
    const { word } = form.dataset;
    const isMeant = await confirmFirst(page, {
      title: translate("Purge everything?"),
      message: translate("Every entry of the cache is deleted. Your music itself is not touched."),
      yes: translate("Purge the cache"),
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
  const ending = task.ending ? `: ${ENDINGS[task.ending]}` : "";
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
  if (total === null) return translate("Looking at what there is …");
  if (total === 0) return kind === "regenerate" ? translate("Nothing is outdated.") : translate("The cache is empty.");
  const kinds = ["sound", "repaired", "outdated", "damaged", "failed"].filter((name) => found[name]);
  const results = kinds.map((name) => FOUND[wordFor(name, kind)].replace("%(num)s", count(found[name]))).join(", ");
  const position = ending ? "" : translate("%(done)s of %(total)s", { done: count(done), total: count(total) });
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
