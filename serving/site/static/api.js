// What the page asks the service, and how it says what went wrong.

import * as device from "./device.js";

export class Refused extends Error {
  constructor(status, problems) {
    super(problems.map(one => `${one.found}; wanted ${one.wanted}. ${one.remedy}`).join(" "));
    this.status = status;
    this.problems = problems;
  }
}

async function ask(address, options) {
  let reply;
  try {
    reply = await fetch(address, options);
  } catch {
    const remedy = "Look whether you are online, then try again.";
    throw new Refused(0, [{row: null, field: null, found: "No answer from the service", wanted: "one", remedy}]);
  }
  const text = await reply.text();
  if (reply.ok) return JSON.parse(text);
  let problems = [{row: null, field: null, found: `Status ${reply.status}`, wanted: "an answer", remedy: "Try again."}];
  try {
    const told = JSON.parse(text).detail;
    if (Array.isArray(told)) problems = told;
  } catch { /* not ours: the status has to do */ }
  throw new Refused(reply.status, problems);
}

// While a new model is tried on a part of the requests, whoever asks meets one of the two and no mixture.
function visitor() {
  const fresh = crypto.getRandomValues(new Uint32Array(2)).join("-");
  try {
    const known = localStorage.getItem("perennial-visitor") ?? fresh;
    localStorage.setItem("perennial-visitor", known);
    return known;
  } catch { // nothing may be kept here
    return fresh;
  }
}

const key = visitor();

const post = (address, content, signal) => ask(address, {
  method: "POST", headers: {"content-type": "application/json", "perennial-key": key}, body: JSON.stringify(content), signal,
});

// On this device where the person chose so, or where no service answers.
async function either(there, here) {
  if (device.chosen()) return here();
  try {
    return await there();
  } catch (error) {
    if (error.status === 0 && device.ready()) return here();
    throw error;
  }
}

export const predict = (rows, signal) => either(() => post("/predict", rows, signal), () => device.answer(rows));
export const reasons = row => post("/reasons", row);
export const tell = (id, truth) => device.holds() ? device.tell(id, truth) : either(() => post("/feedback", {id, truth}), () => device.tell(id, truth));
export const outcomes = () => ask("/model/outcomes");
export const changes = () => ask("/model/changes");
