// The part of the page that takes a file and gives it back.

import {said} from "./answer.js";
import {line} from "./csv.js";
import {at, count, data, make} from "./dom.js";
import {score} from "./file.js";

let running = null;

function save(name, parts, words) {
  const url = URL.createObjectURL(new Blob(["\ufeff", ...parts], {type: "text/csv"}));
  return make("a", {href: url, download: name, className: "download"}, words);
}

function preview(shown) {
  const table = make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "Row"), make("th", {}, "Answer"))));
  const body = make("tbody");
  for (const [row, answer] of shown) {
    body.append(make("tr", {}, make("td", {}, row.slice(0, 5).join(", ")), make("td", {}, answer.error ? `refused: ${answer.error}` : said(answer))));
  }
  table.append(body);
  return make("div", {className: "scroll"}, table);
}

function tell(file, state, stopped) {
  const told = [`${count(state.rows - state.refused)} rows answered`];
  if (state.refused) told.push(`${count(state.refused)} refused, with the reason in the column problem`);
  if (stopped) told.push("stopped before the end");
  const words = [make("p", {}, make("strong", {}, `${told.join("; ")}.`))];
  if (state.unknown.length) words.push(make("p", {className: "quiet"}, `Not used: ${state.unknown.join(", ")}.`));
  if (state.encoding !== "utf-8") words.push(make("p", {className: "quiet"}, `The file is not UTF-8; it was read as ${state.encoding}. Look whether its letters are right below.`));
  if (!state.rows) return words;
  const name = file.name.replace(/\.\w+$/, "") + "-answers.csv";
  return [...words, save(name, state.parts, "Download the answers"), preview(state.shown)];
}

async function take(file) {
  running?.abort();
  const mine = running = new AbortController();
  let last = null;
  at("progress").hidden = false;
  at("result").replaceChildren();
  const step = (share, state) => {
    last = state;
    at("bar").value = share;
    at("bar-said").textContent = `${file.name}: ${count(state.rows)} rows`;
  };
  at("bar").value = 0;
  at("bar-said").textContent = `${file.name}: reading`;
  try {
    at("result").replaceChildren(...tell(file, await score(file, mine.signal, step), false));
  } catch (error) {
    const stopped = mine.signal.aborted;
    const words = stopped ? [] : [make("p", {className: "problem"}, error.message)];
    if (running === mine) at("result").replaceChildren(...words, ...(last ? tell(file, last, true) : []));
  }
  if (running === mine) at("progress").hidden = true;
}

function template() {
  const names = data.fields.map(field => field.name);
  save(`${data.project}.csv`, [line(names)], "").click();
}

export function start() {
  at("file").addEventListener("change", event => {
    if (event.target.files.length) take(event.target.files[0]);
    event.target.value = "";
  });
  const drop = at("drop");
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  at("stop").addEventListener("click", () => running?.abort());
  at("template").addEventListener("click", template);
}
