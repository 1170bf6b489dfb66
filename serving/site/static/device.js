// The model on this device, as the page sees it: worker.js does the work.

import {at, data, make} from "./dom.js";

const CHOICE = `perennial:${data.project}:device`;
const SOON = 1_000;
const MINUTE = 60_000;
const waiting = new Map(); // calls that are not answered yet
let worker = null;
let count = 0;
let next = 0; // the timer of the next look
let pause = SOON;
let trouble = ""; // why the service was not reached the last time
let state = {release: null, waiting: 0, refused: [], megabytes: 0};

const able = () => data.device && isSecureContext && "serviceWorker" in navigator;

function call(name, ...given) {
  worker ??= begin();
  return new Promise((resolve, reject) => {
    waiting.set(++count, {resolve, reject});
    worker.postMessage({call: count, name, given});
  });
}

function begin() {
  const made = new Worker("/site/worker.js", {type: "module", name: data.project});
  made.onmessage = ({data: {call, value, message, problems}}) => {
    const {resolve, reject} = waiting.get(call);
    waiting.delete(call);
    if (message === undefined) resolve(value);
    else reject(Object.assign(new Error(message), {status: problems ? 422 : 0, problems}));
  };
  made.onerror = event => {
    for (const {reject} of waiting.values()) reject(new Error(event.message || "The model cannot start here."));
    waiting.clear();
  };
  return made;
}

// Whether there is a model here that can answer.
export const ready = () => able() && state.release !== null;

// Whether the person wants answers from here, network or not.
export const chosen = () => ready() && at("here").checked;

// What was given here is told here, behind what still waits.
export const holds = () => ready() && state.waiting > 0;

export async function answer(rows) {
  const many = Array.isArray(rows);
  const found = await call("answer", many ? rows : [rows]);
  later();
  const given = found.map(one => ({...one, here: true}));
  return many ? given : given[0];
}

export async function tell(id, truth) {
  await call("tell", id, truth);
  later();
  return {queued: true};
}

// Hand over now where there is a network; what fails waits for the next time.
async function later() {
  show(await call("status"));
  if (navigator.onLine) await catchUp();
}

// What fails is tried again soon, and then ever less often.
async function catchUp() {
  clearTimeout(next);
  try {
    const found = await call("sync");
    [pause, trouble] = [SOON, ""];
    show(found);
    next = setTimeout(catchUp, MINUTE);
  } catch (error) {
    trouble = error.message;
    console.info(`not in touch with the service: ${trouble}`);
    show(await call("status"));
    next = setTimeout(catchUp, pause);
    pause = Math.min(2 * pause, MINUTE);
  }
}

function words() {
  if (state.release === null) {
    if (state.refused.length) return `The model is not kept here: ${state.refused.at(-1)}.`;
    return `The model is on its way to this device …${trouble && ` (${trouble}; tried again soon)`}`;
  }
  const queued = state.waiting === 1 ? "One record waits" : `${state.waiting} records wait`;
  const said = [`Release ${state.release} is on this device and answers without a network.`];
  if (state.waiting) said.push(`${queued} here to be handed over.`);
  if (state.refused.length) said.push(`A newer release was not taken: ${state.refused.at(-1)}.`);
  return said.join(" ");
}

function show(found) {
  state = found;
  at("device-state").textContent = words();
  at("here").disabled = state.release === null;
  document.documentElement.dataset.offline = String(!navigator.onLine);
}

function offer() {
  addEventListener("beforeinstallprompt", event => {
    event.preventDefault();
    const button = make("button", {type: "button", className: "soft small"}, "Install as an app");
    button.onclick = () => { event.prompt(); button.remove(); };
    at("device-install").replaceChildren(button);
  });
}

export async function start() {
  if (!data.device) return;
  if (!able()) {
    at("device-state").textContent = "A browser keeps a model only of a page that it got over HTTPS.";
    return;
  }
  at("here").checked = localStorage.getItem(CHOICE) === "here";
  at("here").addEventListener("change", () => localStorage.setItem(CHOICE, at("here").checked ? "here" : "there"));
  offer();
  navigator.serviceWorker.register("/site/sw.js", {scope: "/"}).catch(error => console.warn(error.message));
  addEventListener("online", () => { pause = SOON; catchUp(); });
  addEventListener("offline", () => show(state));
  try {
    show(await call("status"));
  } catch (error) {
    at("device-state").textContent = `The model cannot be kept here: ${error.message}`;
    return;
  }
  await catchUp();
}
