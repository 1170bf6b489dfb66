// What really happened, told by the id of an answer: right after it, or on any later day.

import {tell} from "./api.js";
import {at, data, make} from "./dom.js";

const KEY = `perennial:${data.project}`;
const KEPT = 30;

function load() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function save(answers) {
  try {
    localStorage.setItem(KEY, JSON.stringify(answers.slice(0, KEPT)));
  } catch { /* a browser that keeps nothing: the id is on the page */ }
}

// Keep the answer on this device, so that it can be told later what happened.
export function remember(answer, words, sent) {
  if (!at("tell")) return;
  const about = Object.values(sent).slice(0, 4).map(String).join(", ");
  save([{id: answer.id, words, about, at: new Date().toISOString()}, ...load()]);
  list();
}

const settled = id => save(load().filter(one => one.id !== id));

// A way to choose or enter the truth; `done` gets what to say.
function choices(id, done) {
  const send = async truth => {
    try {
      done(thanks(await tell(id, truth)), true);
      settled(id);
    } catch (error) {
      done(error.message, false);
    }
  };
  if (data.classes.length) {
    const each = [...data.classes].reverse();
    return each.map(one => make("button", {type: "button", className: "soft small", onclick: () => send(one.label)}, one.outcome));
  }
  const name = `truth-${id}`;
  const input = make("input", {type: "text", inputMode: "decimal", id: name, autocomplete: "off"});
  const label = make("label", {htmlFor: name}, "What it was");
  const button = make("button", {type: "button", className: "soft small", onclick: () => send(input.value.trim())}, "Tell");
  return [make("div", {className: "field"}, label, input), button];
}

function thanks(receipt) {
  if (receipt.queued) return "Kept on this device; it is handed over when there is a network.";
  if (receipt.contradictions) return "Noted: this replaces what was told before.";
  if (receipt.duplicates) return "This was known already.";
  if (receipt.orphans) return "Noted, but no answer with this id is known here.";
  return "Thank you. The next training learns from it.";
}

// Beside the answer.
export function offer(answer) {
  const place = at("later");
  if (!at("tell")) return;
  const status = make("p", {role: "status", className: "quiet"}, `Its id is ${answer.id}.`);
  const row = make("div", {className: "choices"});
  row.append(...choices(answer.id, (words, ok) => {
    status.textContent = words;
    if (ok) row.remove();
    list();
  }));
  place.replaceChildren(make("h3", {}, "What really happened? You can tell now or later."), row, status);
  place.hidden = false;
}

// The answers that nobody has told the outcome of yet.
export function list() {
  const answers = load();
  at("asked").replaceChildren(...answers.map(one => {
    const words = make("p", {}, make("strong", {}, one.words), ` · ${one.about} · ${new Date(one.at).toLocaleString("en", {dateStyle: "medium", timeStyle: "short"})}`);
    const row = make("div", {className: "choices"});
    const item = make("div", {className: "asked"}, words, row);
    row.append(...choices(one.id, (said, ok) => {
      at("told").textContent = said;
      if (ok) item.remove();
    }));
    return item;
  }));
}

async function byId(event) {
  event.preventDefault();
  const id = at("id").value.trim();
  try {
    at("told").textContent = thanks(await tell(id, at("truth").value.trim()));
    settled(id);
    list();
  } catch (error) {
    at("told").textContent = error.message;
  }
}

export function start() {
  if (!at("tell")) return;
  at("by-id").addEventListener("submit", byId);
  list();
}

