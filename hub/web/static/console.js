// The console's own script: live texts, keys, scans. Every page works without it.
// Nothing here is business: it asks /live, moves the focus, and opens what links open.
"use strict";

const body = document.body;
const TEXT = body.dataset;

// --- live ---------------------------------------------------------------------------------------

const live = {
  period: 2000, // ms between two questions while all is well
  slowest: 30000, // and at most while the hub does not answer
  answered: performance.now(), // the page itself is the first answer
  at: TEXT.at,
  failures: 0,
  state: "live", // live, stale, ended
};

function showLive() {
  const place = document.getElementById("live");
  const seconds = Math.round((performance.now() - live.answered) / 1000);
  const text = {
    live: TEXT.textLive.replace("{count}", seconds),
    stale: TEXT.textStale.replace("{time}", live.at),
    ended: TEXT.textEnded,
  }[live.state];
  if (place.textContent !== text) place.textContent = text;
  place.className = `live ${live.state}`;
  // Ticking seconds are for the eye; only a change of state is read out.
  place.setAttribute("aria-live", live.state === "live" ? "off" : "polite");
}

async function ask() {
  try {
    const answer = await fetch(TEXT.live, { signal: AbortSignal.timeout(10000) });
    if (answer.status === 401) {
      live.state = "ended";
    } else if (answer.ok) {
      take(await answer.json());
      live.state = "live";
      live.failures = 0;
    } else {
      throw new Error(answer.status);
    }
  } catch {
    live.failures += 1;
    live.state = "stale";
  }
  showLive();
}

function take(told) {
  live.answered = performance.now();
  live.at = told.at;
  for (const place of document.querySelectorAll("[data-counter]")) {
    const count = told.counters[place.dataset.counter];
    place.textContent = count;
    place.hidden = count === 0 && !("showsZero" in place.dataset);
  }
  for (const place of document.querySelectorAll("[data-text]")) {
    const text = told.texts[place.dataset.text];
    if (text !== undefined && place.textContent !== text) place.textContent = text;
  }
  for (const place of document.querySelectorAll("[data-step]")) {
    if (told.steps[place.dataset.step] && !place.classList.contains("done")) {
      place.classList.add("done");
      const said = place.querySelector("[data-done]");
      said.textContent = said.dataset.done;
    }
  }
  for (const list of document.querySelectorAll("[data-live]:not(body)")) {
    compare(list, told.lists[list.dataset.live]);
  }
}

// A row's mark is "id:state…": another id is a new row, another state a changed one.
function compare(list, marks) {
  if (!marks) return;
  const shown = new Set([...list.querySelectorAll("[data-row]")].map((row) => row.dataset.row));
  const ids = new Set([...shown].map((mark) => mark.split(":")[0]));
  const hidden = new Set((list.dataset.hidden || "").split(" "));
  const other = marks.filter((mark) => !shown.has(mark) && !hidden.has(mark));
  const fresh = other.filter((mark) => !ids.has(mark.split(":")[0])).length;
  const news = document.getElementById("news");
  const text = fresh
    ? TEXT.textNew.replace("{count}", fresh)
    : TEXT.textChanged.replace("{count}", other.length);
  news.hidden = other.length === 0;
  if (!news.hidden && news.firstElementChild.textContent !== text) {
    news.firstElementChild.textContent = text;
  }
}

async function keepAsking() {
  for (;;) {
    const wait = Math.min(live.slowest, live.period * 2 ** live.failures);
    await new Promise((done) => setTimeout(done, wait));
    if (document.hidden) {
      await new Promise((done) =>
        document.addEventListener("visibilitychange", done, { once: true }),
      );
    }
    await ask();
  }
}

// --- scans and keys -----------------------------------------------------------------------------
//
// A scanner is a fast keyboard. Keys outside of fields wait a moment: a burst goes to the search
// box, a few slow keys are commands. A burst inside a field is taken out of it again, unless the
// field says that it wants scans (`data-scan`).

const BURST_KEYS = 4;
const BURST_GAP = 50; // ms; people need more than 60 between two keys, scanners about 10
const burst = { keys: [], last: 0, field: null, before: "", timer: 0 };

function isField(place) {
  return place.matches("input:not([type=radio]):not([type=checkbox]), textarea, select");
}

function search(text) {
  const box = document.getElementById("search");
  box.value = text;
  box.form.requestSubmit();
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const field = isField(event.target) ? event.target : null;
  if (field && (field.id === "search" || "scan" in field.dataset)) return;
  const isPrintable = event.key.length === 1;
  const isFast = event.timeStamp - burst.last <= BURST_GAP;
  if (event.key === "Enter" || event.key === "Tab") {
    if (burst.keys.length >= BURST_KEYS && isFast) {
      event.preventDefault();
      endBurst();
    } else {
      if (!field && burst.keys.length) endBurst(); // "g c Enter" typed quickly
    }
    return;
  }
  if (!isPrintable) {
    if (event.key === "Escape") escape(event);
    return;
  }
  if (!isFast || burst.field !== field) {
    if (burst.keys.length) endBurst();
    burst.field = field;
    burst.before = field && "value" in field ? field.value : "";
  }
  burst.keys.push(event.key);
  burst.last = event.timeStamp;
  clearTimeout(burst.timer);
  burst.timer = setTimeout(endBurst, BURST_GAP * 2);
  if (!field) {
    // A space on a button presses it, as everywhere.
    if (event.key !== " " || burst.keys.length > 1) event.preventDefault();
  } else if (burst.keys.length >= BURST_KEYS) {
    event.preventDefault();
    if (field.value !== burst.before) field.value = burst.before;
  }
}

function endBurst() {
  clearTimeout(burst.timer);
  const { keys, field } = burst;
  burst.keys = [];
  burst.field = null;
  if (keys.length >= BURST_KEYS) {
    search(keys.join(""));
  } else if (!field) {
    for (const key of keys) command(key);
  }
}

const chord = { until: 0 };

function command(key) {
  if (document.querySelector("dialog[open]")) return;
  if (performance.now() < chord.until) {
    chord.until = 0;
    const entry = document.querySelector(`[data-letter="${CSS.escape(key)}"]`);
    if (entry) entry.click();
    return;
  }
  if (key === "g") chord.until = performance.now() + 1500;
  else if (key === "/") document.getElementById("search").focus();
  else if (key === "?") document.getElementById("keys").showModal();
  else if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (key === "x") select();
  else if (key === "r") location.reload();
}

function escape(event) {
  if (isField(event.target)) event.target.blur();
}

// --- rows ---------------------------------------------------------------------------------------

// The link of a row carries the focus, so Enter opens it without us.
function rows() {
  return [...document.querySelectorAll("tr[data-row]")].filter((row) => row.offsetParent);
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by;
  const row = all[Math.max(0, Math.min(all.length - 1, next))];
  const place = row.querySelector("a.open") || row.querySelector("a, input, button") || row;
  if (place === row) row.tabIndex = -1;
  place.focus();
  row.scrollIntoView({ block: "nearest" });
}

function select() {
  const row = document.activeElement.closest("tr[data-row]");
  const box = row && row.querySelector("input[type=checkbox]");
  if (box) box.click();
}

// --- begin --------------------------------------------------------------------------------------

document.addEventListener("keydown", onKey);
document.getElementById("keys-button").addEventListener("click", () => {
  document.getElementById("keys").showModal();
});
if (TEXT.live) {
  showLive();
  setInterval(showLive, 1000);
  keepAsking();
}
