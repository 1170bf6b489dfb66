// How well it does now, and what changed.

import {changes, outcomes} from "./api.js";
import {at, count, data, day, make, percent, short} from "./dom.js";

const SHOWN = 4;

function classes(found) {
  const said = [
    make("p", {}, make("span", {className: "figure"}, `${percent(found.right)} right`), ` of the last ${count(found.known)} answers whose outcome is known (95 % interval ${percent(found.low)} to ${percent(found.high)}).`),
    make("p", {className: "quiet"}, `Always saying “${found.commonest}” would have been right in ${percent(found.always)}.`),
  ];
  if (found.cost !== null) {
    said.push(make("p", {}, `At the prices of its errors, they cost ${short(found.cost)} an answer; always saying the cheaper of the two would have cost ${short(found.constant)}.`));
  }
  for (const one of found.said) {
    const words = one.times
      ? `When it said “${one.say}” (${count(one.times)} times), it was ${one.outcome} in ${percent(one.right / one.times)}.`
      : `It never said “${one.say}”.`;
    said.push(make("p", {}, words));
  }
  return said;
}

function numbers(found) {
  return [
    make("p", {}, make("span", {className: "figure"}, `Off by ${short(found.off)}`), ` on average, over the last ${count(found.known)} answers whose outcome is known.`),
    make("p", {className: "quiet"}, `Always saying the average would have been off by ${short(found.spread)}.`),
  ];
}

function now(found) {
  if (found.known < found.least) {
    const known = found.known === 1 ? "one answer" : `${found.known || "no"} answers`;
    return [make("p", {className: "quiet"}, `The outcome of ${known} is known so far; from ${found.least} on, this place shows how many were right.`)];
  }
  return data.classes.length ? classes(found) : numbers(found);
}

function event(one) {
  const took = ["trained", "promoted", "rolled back"].includes(one.event);
  const live = took && one.release ? `, release ${one.release}` : "";
  const item = make("li", {className: took ? "took" : ""}, make("strong", {}, `${one.headline}${live}`), make("span", {className: "quiet"}, day(one.at)), make("span", {}, one.why));
  if (one.differences.length) item.append(make("ul", {}, ...one.differences.map(words => make("li", {}, words))));
  return item;
}

export async function start() {
  outcomes().then(found => at("now").replaceChildren(...now(found)), error => at("now").replaceChildren(make("p", {className: "quiet"}, error.message)));
  const found = await changes().catch(() => []);
  if (found.length) at("history").replaceChildren(...found.slice(0, SHOWN).map(event));
  if (found.length > SHOWN) {
    const older = make("ol", {className: "history"}, ...found.slice(SHOWN).map(event));
    at("history").after(make("details", {className: "more"}, make("summary", {}, `${found.length - SHOWN} older`), older));
  }
}
