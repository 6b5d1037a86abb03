"""What lies between two tracks of a mixtape in Chromium: from the server, and kept offline."""

from __future__ import annotations

import tempfile
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, expect

from tests.helpers.chromium import RETURNING

from .host import Host, Tape, chromium
from .music import run_ffmpeg, work_folder
from .result import Figure, Result

QUICK = False
TRACKS = 8
SECONDS = 6
RATE_HZ = 44_100
_TITLE = "One tone"
_TIMEOUT_MS = 60_000
# When each of the two elements sounds, by one clock, in samples: a worklet is given what goes to
# the loudspeakers. The zeros of the tone itself are shorter than what counts as silence.
_RECORD = """async () => {
  const worklet = `registerProcessor("edges", class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.runs = [];
      this.last = [null, null];
      this.port.onmessage = () => this.port.postMessage(this.runs);
    }
    process(inputs) {
      inputs.forEach(([samples], deck) => samples?.forEach((sample, at) => {
        if (Math.abs(sample) < 0.02) return;
        const now = currentFrame + at;
        const run = this.last[deck];
        if (run && now - run.end < 441) run.end = now;
        else this.runs.push(this.last[deck] = { deck, start: now, end: now });
      }));
      return true;
    }
  })`;
  const context = new AudioContext({ sampleRate: 44100 });
  const script = new Blob([worklet], { type: "text/javascript" });
  await context.audioWorklet.addModule(URL.createObjectURL(script));
  const edges = new AudioWorkletNode(context, "edges", { numberOfInputs: 2 });
  [...document.querySelectorAll("audio")].forEach((deck, at) => {
    const source = context.createMediaElementSource(deck);
    source.connect(edges, 0, at);
    source.connect(context.destination);
  });
  edges.connect(context.destination);
  await context.resume();
  self.listRuns = () => new Promise((resolve) => {
    edges.port.onmessage = ({ data }) => resolve(data);
    edges.port.postMessage("list");
  });
}"""

_WAIT = """async (tracks) => {
  const mayGoOn = () => [...document.querySelectorAll("audio")].some((deck) => !deck.paused);
  while ((await self.listRuns()).length < tracks || mayGoOn()) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}"""


def run() -> Result:
    """Play a tone that goes on from track to track, with the server and without it."""
    with tempfile.TemporaryDirectory(prefix="handover-", dir=work_folder()) as folder:
        names = _make_library(Path(folder))
        with chromium() as browser:
            # So that a script of this page may listen in.
            context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
            context.set_default_timeout(_TIMEOUT_MS)
            expect.set_options(timeout=_TIMEOUT_MS)
            context.add_init_script(RETURNING)
            page = context.new_page()
            with Host(Path(folder), [Tape(_TITLE, names)]) as host:
                page.goto(host.page_of(_TITLE))
                online = _gaps(page)
                page.reload()
                page.get_by_role("button", name="Keep offline", exact=True).click()
                kept = page.get_by_role("region", name="On this device")
                expect(kept).to_contain_text("Kept on this device")
            context.set_offline(True)
            page.reload()
            offline = _gaps(page)
            context.close()
    return Result(
        title=f"From one track to the next, {TRACKS} tracks of one tone, in Chromium",
        figures=(
            Figure("silence between two tracks, from the server", median(online), "ms"),
            Figure("the same at worst", max(online), "ms"),
            Figure("silence between two tracks, kept offline", median(offline), "ms"),
            Figure("the same at worst", max(offline), "ms"),
        ),
        samples={"from the server": online, "kept offline": offline},
        unit="ms",
        notes=(
            "Each time from the last sample of one track to the first of the next, as they go to "
            "the loudspeakers; below zero, both sound for so long.",
        ),
    )


def _make_library(folder: Path) -> tuple[str, ...]:
    """Cut a tone into tracks, and return their names."""
    tone = folder / "tone.wav"
    length_s = TRACKS * SECONDS
    sine = f"sine=500:r={RATE_HZ}:d={length_s},volume=4"
    run_ffmpeg("-f", "lavfi", "-i", sine, "-ac", "2", "-c:a", "pcm_s16le", tone)
    names = tuple(f"{number}.flac" for number in range(1, TRACKS + 1))
    for number, name in enumerate(names):
        part = ("-ss", str(number * SECONDS), "-t", str(SECONDS))
        run_ffmpeg(*part, "-i", tone, "-metadata", f"title=Part {number + 1}", folder / name)
    tone.unlink()
    return names


def _gaps(page: Page) -> list[float]:
    """Play the mixtape to its end, and return the milliseconds between each track and the next."""
    page.wait_for_load_state("networkidle")
    # Auto may change to another quality within a track, which the other element takes over too.
    page.get_by_label("Quality", exact=True).select_option("medium")
    page.evaluate(_RECORD)
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
    page.evaluate(_WAIT, TRACKS)
    found = sorted(page.evaluate("() => self.listRuns()"), key=lambda run: run["start"])
    # What is silent within a track is the machine's doing: the next track is on the other element.
    runs = [list(group) for _, group in groupby(found, key=lambda run: run["deck"])]
    if len(runs) != TRACKS:
        raise SystemExit(f"{TRACKS} tracks sounded {len(runs)} times: {found}")
    return [
        (after[0]["start"] - before[-1]["end"]) * 1000 / RATE_HZ for before, after in pairwise(runs)
    ]
