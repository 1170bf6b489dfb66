// What moved the answer: the inputs that gave most to it, or took most from it.

import {reasons} from "./api.js";
import {at, data, draw, make, short} from "./dom.js";

const SHOWN = 5;
const LEAST = 0.0005; // of a chance; less is not worth a line
let asked = 0;

// The answer to what is asked last counts, whatever comes back first.
export async function explain(sent) {
  const mine = ++asked;
  at("why").replaceChildren();
  const found = await reasons(sent).catch(() => []);
  if (mine !== asked) return;
  const least = data.classes.length ? LEAST : 0;
  const most = found.filter(one => Math.abs(one.moved) > least).slice(0, SHOWN);
  if (!most.length) return;
  const longest = Math.abs(most[0].moved);
  at("why").replaceChildren(make("h3", {}, "What moved it most, against what is usual"), make("ul", {className: "moves"}, ...most.map(one => move(one, sent, longest))));
}

function move(one, sent, longest) {
  const field = data.fields.find(field => field.name === one.field);
  const value = sent[one.field];
  const name = make("span", {}, field.label, make("span", {className: "quiet"}, value === undefined ? " not known" : ` ${spelled(field, value)}`));
  const item = make("li", {className: one.moved > 0 ? "for" : "against"}, name, make("span", {}, amount(one.moved)));
  const bar = draw("svg", {viewBox: "-500 0 1000 6", preserveAspectRatio: "none", "aria-hidden": "true"});
  const width = Math.round(500 * Math.abs(one.moved) / longest);
  bar.append(draw("rect", {class: "track", x: -500, width: 1000, height: 6}));
  bar.append(draw("rect", {class: "part", x: one.moved > 0 ? 0 : -width, width, height: 6}));
  item.append(bar);
  return item;
}

const spelled = (field, value) => field.control === "moment" ? String(value).replace("T", " ").replace("Z", "") : String(value);

function amount(moved) {
  const sign = moved > 0 ? "+" : "−";
  if (!data.classes.length) return `${sign}${short(Math.abs(moved))}`;
  const points = (100 * Math.abs(moved)).toFixed(1);
  return moved > 0 ? `for it, ${points} points` : `against it, ${points} points`;
}
