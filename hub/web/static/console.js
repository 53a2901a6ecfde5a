// The console's own script: live texts, keys, scans. Every page works without it.
// Nothing here is business: it asks /live, moves the focus, and opens what links open.
"use strict";

const body = document.body;
const TEXT = body.dataset;

// --- live ---------------------------------------------------------------------------------------

const live = {
  period: 2000, // ms between two questions while all is well
  slowest: 10000, // and at most while the hub does not answer
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
  place.className = `liveness ${live.state}`;
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
      document.getElementById("unsent").hidden = true;
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
    place.closest(".tile")?.classList.toggle("needs", count > 0);
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
  const sum = document.querySelector("[data-sum]");
  if (sum) {
    const done = Object.values(told.steps).filter(Boolean).length;
    sum.textContent = sum.dataset.sum.replace("{count}", done);
  }
  for (const list of document.querySelectorAll("[data-live]:not(body)")) {
    compare(list, told.lists[list.dataset.live]);
  }
}

// A row's mark is "id:state…": another id is a new row, another state or an absent id a changed one.
// Rows that a filter leaves out stand in `data-hidden`, parted by spaces.
function compare(list, told) {
  if (!told) return;
  const hidden = new Set((list.dataset.hidden || "").split(" "));
  const marks = told.filter((mark) => !hidden.has(mark));
  const id = (mark) => mark.split(":")[0];
  const shown = new Set([...list.querySelectorAll("[data-row]")].map((row) => row.dataset.row));
  const ids = new Set([...shown].map(id));
  const there = new Set(marks.map(id));
  const fresh = marks.filter((mark) => !ids.has(id(mark))).length;
  const changed =
    marks.filter((mark) => ids.has(id(mark)) && !shown.has(mark)).length +
    [...ids].filter((one) => !there.has(one)).length;
  if (fresh && !shown.size && !hasWriting() && !isField(document.activeElement)) {
    location.reload(); // nothing stood here that could move
    return;
  }
  const news = document.getElementById("news");
  const text = fresh
    ? TEXT.textNew.replace("{count}", fresh)
    : TEXT.textChanged.replace("{count}", changed);
  news.hidden = fresh + changed === 0;
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
// box, slow keys are commands. Inside a field a burst is what no hand can type and Enter or Tab
// ends; it is taken out of the field again, unless the field says that it wants scans
// (`data-scan`).

const BURST_KEYS = 4;
const BURST_GAP = 50; // ms between two keys, at most; scanners need about 10
const BURST_MEAN = 30; // ms, inside a field; people need more over four keys
const burst = { keys: [], began: 0, last: 0, field: null, before: "", timer: 0 };

function isField(place) {
  return place.matches("input:not([type=radio]):not([type=checkbox]), textarea, select");
}

// Scanners send the separator of GS1 codes as Ctrl+] or F8.
function separator(event) {
  return (event.ctrlKey && event.key === "]") || event.key === "F8";
}

function onKey(event) {
  if (event.isComposing) return;
  const field = isField(event.target) ? event.target : null;
  if (event.key === "Escape" && field) field.blur();
  if (field && (field.id === "search" || "scan" in field.dataset)) {
    if (separator(event)) {
      event.preventDefault();
      field.setRangeText("\u001d", field.selectionStart, field.selectionEnd, "end");
    }
    return;
  }
  const isFast = burst.keys.length > 0 && event.timeStamp - burst.last <= BURST_GAP;
  const isEnd = event.key === "Enter" || event.key === "Tab";
  if (isEnd && isFast && isBurst()) {
    event.preventDefault();
    endBurst(true);
    return;
  }
  const sign = isFast && separator(event) ? "\u001d" : event.key;
  if (sign.length !== 1 || ((event.ctrlKey || event.altKey || event.metaKey) && sign !== "\u001d")) {
    return;
  }
  if (event.repeat && !field) {
    command(sign); // a key held down is a person's
    return;
  }
  if (!isFast || burst.field !== field) beginBurst(field, event.timeStamp);
  burst.keys.push(sign);
  burst.last = event.timeStamp;
  clearTimeout(burst.timer);
  burst.timer = setTimeout(endBurst, BURST_GAP * 2, false);
  // A space on a button presses it, as everywhere.
  if (!field && (sign !== " " || burst.keys.length > 1)) event.preventDefault();
}

function beginBurst(field, now) {
  endBurst(false);
  burst.field = field;
  burst.before = field ? field.value : "";
  burst.began = now;
}

function isBurst() {
  const mean = (burst.last - burst.began) / Math.max(1, burst.keys.length - 1);
  return burst.keys.length >= BURST_KEYS && (!burst.field || mean <= BURST_MEAN);
}

function endBurst(isClosed) {
  clearTimeout(burst.timer);
  const { keys, field, before } = burst;
  const wasBurst = isBurst();
  burst.keys = [];
  burst.field = null;
  if (!keys.length || (field && !(wasBurst && isClosed))) return;
  if (!wasBurst) {
    for (const key of keys) command(key);
    return;
  }
  if (field) field.value = before;
  search(keys.join(""));
}

function search(text) {
  const box = document.getElementById("search");
  box.value = text;
  // What somebody has begun to write on this page stays open behind the answer.
  box.form.target = hasWriting() ? "_blank" : "";
  box.form.requestSubmit();
  box.form.target = "";
}

function hasWriting() {
  const fields = document.querySelectorAll("main textarea, main input[type=text], main input[type=number]");
  return [...fields].some((field) => field.value !== field.defaultValue);
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
  else if (key === "r") go(location.href);
}

// --- leaving the page ---------------------------------------------------------------------------
//
// A hub that does not answer must not cost the page that is shown, nor what was written on it: we
// ask first, and stay when nobody answers.

async function isThere() {
  await ask();
  if (live.state === "live") return true;
  const words = document.getElementById("unsent");
  words.textContent = live.state === "ended" ? TEXT.textEnded : TEXT.textUnsent;
  words.hidden = false;
  return false;
}

async function go(address) {
  if (!(await isThere())) return;
  if (isOfLanguage(address)) keepWritten();
  if (address === location.href) location.reload();
  else location.assign(address);
}

function onClick(event) {
  const link = event.target.closest("a[href]");
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!link || !isPlain || event.defaultPrevented) return;
  if (live.state === "live") {
    if (isOfLanguage(link.href)) keepWritten();
    return;
  }
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  go(link.href);
}

async function onSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") === "dialog" || form.target) return;
  if (form.dataset.state === "checked") {
    delete form.dataset.state;
    return;
  }
  event.preventDefault();
  if (form.dataset.state === "asking") return;
  form.dataset.state = "asking";
  const wasThere = await isThere();
  form.dataset.state = "checked";
  if (wasThere) form.requestSubmit(event.submitter);
  else delete form.dataset.state;
}

// --- another language ---------------------------------------------------------------------------
//
// The same page once more, in other words: what was written and chosen on it goes along.

const KEPT = "tally-written";
const WRITTEN = ["textarea", "select", "input[type=text]", "input[type=number]"];

function isOfLanguage(address) {
  return new URL(address, location.href).pathname.startsWith("/language/");
}

function keepWritten() {
  const told = (wanted) =>
    [...document.querySelectorAll(wanted)].map((field) => [field.name, field.value]);
  const kept = {
    path: location.pathname,
    written: told(WRITTEN.map((one) => `main ${one}`).join()),
    chosen: told("main input[type=radio]:checked"),
  };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

function bringBack() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT));
  sessionStorage.removeItem(KEPT);
  if (!kept || kept.path !== location.pathname) return;
  const named = (name) => [...document.querySelectorAll(`main [name="${CSS.escape(name)}"]`)];
  for (const [name, value] of kept.written) {
    const field = named(name).find((one) => one.matches(WRITTEN.join()));
    if (field) field.value = value;
  }
  const choose = () => {
    for (const [name, value] of kept.chosen) {
      const radio = named(name).find((one) => one.type === "radio" && one.value === value);
      if (radio && !radio.checked) radio.click();
    }
  };
  // A choice that asks for its preview: not before htmx knows the page.
  if (!document.querySelector("main [hx-get]")) choose();
  else document.addEventListener("htmx:after:process", choose, { once: true });
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
document.addEventListener("click", onClick);
document.addEventListener("submit", onSubmit);
bringBack();
document.getElementById("keys-button").addEventListener("click", () => {
  document.getElementById("keys").showModal();
});
if (TEXT.live) {
  showLive();
  setInterval(showLive, 1000);
  keepAsking();
}
