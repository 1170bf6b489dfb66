// The answer in words, and how certain it is.

import {at, data, draw, make, percent, short} from "./dom.js";

export const said = answer => data.classes.length ? answer.say : short(answer.prediction);

export function show(answer, which) {
  at("which").textContent = which;
  const words = make("p", {className: "say"}, said(answer));
  if (!data.classes.length) words.append(make("small", {}, data.target));
  at("said").replaceChildren(words);
  const classes = [...data.classes].reverse();
  if (classes.length > 2) classes.sort((a, b) => answer.probabilities[b.label] - answer.probabilities[a.label]);
  at("chances").replaceChildren(...classes.map(one => chance(one, answer)));
}

function chance(one, answer) {
  const share = answer.probabilities[one.label];
  const row = make("div", {className: one.label === answer.prediction ? "chance said" : "chance"});
  row.append(make("span", {}, one.outcome), make("span", {}, percent(share)));
  const bar = draw("svg", {viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true"});
  bar.append(draw("rect", {class: "track", width: 1000, height: 10}));
  bar.append(draw("rect", {class: "part", width: Math.round(1000 * share), height: 10}));
  const positive = data.threshold !== null && one.label === data.classes[1].label;
  if (positive) {
    const x = Math.round(1000 * data.threshold);
    bar.append(draw("line", {class: "line", x1: x, x2: x, y1: -3, y2: 13, "vector-effect": "non-scaling-stroke"}));
  }
  row.append(bar);
  return row;
}
