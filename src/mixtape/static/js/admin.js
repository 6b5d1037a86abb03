// The owner's page: asks for figures while it is looked at, and puts its widgets together.

import { attachBackup } from "./admin/backup.js";
import { attachCharts } from "./admin/charts.js";
import { attachFigures } from "./admin/figures.js";
import { attachForecast } from "./admin/forecast.js";
import { attachMaintenance } from "./admin/maintenance.js";
import { attachSpace } from "./admin/space.js";
import { send } from "./shared/api.js";
import { translate } from "./shared/words.js";

const FIGURES_MS = 3000;
const PROGRESS_MS = 500;
const HISTORY_MS = 10_000;

const page = document.getElementById("admin");
const notice = page.querySelector("[data-part=notice]");
const showFigures = attachFigures(page);
const showSpace = attachSpace(page);
const showHistory = attachCharts(page);
const work = attachMaintenance(page, () => figures.now());
attachBackup(page);
const forecast = attachForecast(page, () => figures.now());

/** Repeat a question while the page is visible; one at a time, whatever the server takes. */
function repeat(howOftenMs, ask) {
  let timer = 0;
  let isAsking = false;
  async function now() {
    clearTimeout(timer);
    if (isAsking || document.hidden) return;
    isAsking = true;
    try {
      await ask();
      notice.hidden = true;
    } catch (error) {
      complain(error);
      if (error.isSessionEnded) return;
    } finally {
      isAsking = false;
    }
    timer = setTimeout(now, howOftenMs());
  }
  document.addEventListener("visibilitychange", now);
  now();
  return { now };
}

function complain(error) {
  notice.hidden = false;
  if (error.isSessionEnded) {
    const link = document.createElement("a");
    link.href = page.dataset.login;
    link.textContent = translate("Sign in again");
    notice.replaceChildren(`${translate("Your session has ended.")} `, link);
  } else {
    notice.textContent = translate("The figures are old: %(problem)s Trying again.", { problem: error.message });
  }
}

function showProblem(problem) {
  const place = page.querySelector("[data-part=ffmpeg-problem]");
  place.querySelector("span").textContent = problem;
  place.hidden = !problem;
}

function chosenSpan() {
  return page.querySelector("input[name=span]:checked").value;
}

const figures = repeat(() => (forecast.isRunning() || work.isRunning() ? PROGRESS_MS : FIGURES_MS), async () => {
  const state = await send("GET", page.dataset.figures);
  showFigures(state);
  showSpace(state);
  showProblem(state.ffmpeg_problem);
  forecast.show(state.forecast);
  work.show(state.task);
});
const history = repeat(() => HISTORY_MS, async () => {
  const span = chosenSpan();
  const { columns } = await send("GET", `${page.dataset.history}?span=${span}`);
  if (span === chosenSpan()) showHistory(columns, span);
});
for (const choice of page.querySelectorAll("input[name=span]")) {
  choice.addEventListener("change", () => history.now());
}
