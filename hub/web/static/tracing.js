// Arrow keys in the explorer: up and down through the codes of a lane, left and right between
// lanes, Backspace to the code before. Enter opens a link without us. The page works without it.
"use strict";

const lanes = () =>
  [...document.querySelectorAll(".lane")]
    .map((lane) => [...lane.querySelectorAll(".members a.code, .self a.code")])
    .filter((codes) => codes.length);

function isTyping(place) {
  return place.matches("input, textarea, select");
}

function move(across, along) {
  const all = lanes();
  if (!all.length) return;
  const here = document.activeElement;
  const lane = all.findIndex((codes) => codes.includes(here));
  if (lane < 0) {
    all[0][0].focus();
    return;
  }
  const next = all[Math.max(0, Math.min(all.length - 1, lane + across))];
  const place = all[lane].indexOf(here) + along;
  next[Math.max(0, Math.min(next.length - 1, place))].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  if (event.key in moves) {
    event.preventDefault();
    move(...moves[event.key]);
  } else if (event.key === "Backspace") {
    const back = document.querySelector("[data-back]");
    if (back) back.click();
  }
});
