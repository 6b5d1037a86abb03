// What is said of a link, and its last day as people mean it: to the end of that day, where they are.

import { clock } from "../shared/format.js";
import { translate } from "../shared/words.js";

const language = document.documentElement.lang || "en";

/** @param {string} moment @returns {string} its day here, "2026-12-24" */
export function dayOf(moment) {
  const date = new Date(moment);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** @param {string} day "2026-12-24" @returns {string} the moment at which it ends here */
export function endOfDay(day) {
  return new Date(`${day}T23:59:59`).toISOString();
}

/** @returns {string} what is special about a link: "until 24 Dec 2026 · with a password" */
export function stateText({ is_open: isOpen, is_expired: isExpired, expires_at: expiresAt, has_password: hasPassword }) {
  const day = expiresAt && new Date(expiresAt).toLocaleDateString(language, { dateStyle: "medium" });
  const parts = [];
  if (!isOpen) parts.push(translate("switched off"));
  if (isExpired) parts.push(translate("ended on %(day)s", { day }));
  else if (day) parts.push(translate("until %(day)s", { day }));
  if (hasPassword) parts.push(translate("with a password"));
  return parts.join(" · ");
}

/** @returns {string} how far the listener of a link came */
export function heardText({ furthest }) {
  if (!furthest) return translate("Nobody has listened yet.");
  const { number, total, title, second, heard_at: heardAt } = furthest;
  const when = new Date(heardAt).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  return translate("Came to track %(number)s of %(total)s, “%(title)s”, at %(time)s. Last heard %(when)s.", { number, total, title, time: clock(second), when });
}
