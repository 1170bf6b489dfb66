// The form: what is filled in goes to the service, what is wrong with it stands beside the field.

import {predict} from "./api.js";
import {said, show} from "./answer.js";
import {at, data} from "./dom.js";
import {offer, remember} from "./later.js";
import {explain} from "./why.js";

const form = at("form");
// Not by way of the form, where a column may be called `elements`.
const inputs = new Map([...document.querySelectorAll("#form [name]")].map(one => [one.name, one]));

// The row as /predict takes it; what is empty is missing.
export function row() {
  const found = {};
  for (const field of data.fields) {
    const text = spelled(inputs.get(field.name));
    if (text === "") continue;
    if (field.control === "number") found[field.name] = number(text);
    else found[field.name] = field.control === "moment" ? `${text}Z` : text;
  }
  return found;
}

// A text that training knows as it stands there, spaces and all; any other without those at its ends.
function spelled({value, options, list}) {
  const known = [...(options ?? list?.options ?? [])].some(one => one.value === value);
  return known ? value : value.trim();
}

// A number as one, with a comma or a point; what is none goes as it is, and is refused with a reason.
// So does 1,234: some mean a thousand by it, and others one and a bit.
export function number(text) {
  if (/^[+-]?[1-9]\d{0,2},\d{3}$/.test(text)) return text;
  const found = Number(text.includes(".") ? text : text.replace(",", "."));
  return Number.isFinite(found) ? found : text;
}

function mark(name, words, mild = false) {
  const input = inputs.get(name);
  const place = input.closest(".field").querySelector(".problem");
  input.setAttribute("aria-invalid", String(Boolean(words) && !mild));
  place.textContent = words;
  place.className = mild ? "problem mild" : "problem";
  place.hidden = !words;
}

// Values that training has never seen are answered, but one should know.
function warn(sent) {
  for (const {name, low, high, control} of data.fields) {
    const value = sent[name];
    const far = control === "number" && typeof value === "number" && low !== null && (value < low || value > high);
    mark(name, far ? "Outside of what it learned from." : "", true);
  }
}

function complain(problems) {
  const known = problems.filter(one => inputs.has(one.field));
  for (const one of known) mark(one.field, `Wanted ${one.wanted}. ${one.remedy}`);
  if (known.length) {
    const first = inputs.get(known[0].field);
    first.closest("details")?.setAttribute("open", "");
    first.focus();
  }
  return known.length > 0;
}

async function ask(event) {
  event.preventDefault();
  const sent = row();
  warn(sent);
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const answer = await predict(sent);
    show(answer, answer.here ? "to what you filled in, made on this device" : "to what you filled in");
    remember(answer, said(answer), sent);
    offer(answer);
    explain(sent);
    if (!matchMedia("(min-width: 60rem)").matches) at("answer").scrollIntoView();
  } catch (error) {
    const beside = error.problems && complain(error.problems);
    at("which").textContent = "";
    at("said").textContent = beside ? "There is no answer yet: look at the fields that are marked." : error.message;
    at("chances").replaceChildren();
    at("why").replaceChildren();
    at("later").hidden = true;
  }
  button.disabled = false;
}

function back() {
  for (const input of inputs.values()) mark(input.name, "");
  show(data.example, "to the example");
  explain(row());
  at("later").hidden = true;
}

export function start() {
  form.addEventListener("submit", ask);
  form.addEventListener("reset", () => setTimeout(back));
  show(data.example, "to the example");
  explain(row());
}
