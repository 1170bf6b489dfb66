// The model on this device: it answers without a network, hands over once what gathered, and keeps
// itself up to date. serving/device/kit/device.py does the same in Python.

import {Runner, Unfit} from "./runner.js";
import {Store} from "./store.js";

const FILES = ["manifest.json", "manifest.sig", "device.json", "model.onnx"];
const GROUP = 200; // records that are handed over at once
const ROWS = 256; // rows of one run of the model: bounds what lies between nodes
const project = self.name; // one store for each, whatever address they share
const text = bytes => new TextDecoder().decode(bytes);
const bytes = base64 => Uint8Array.from(atob(base64.trim()), one => one.charCodeAt(0));

let store, live, runner; // `live`: the release that answers, once there is one

async function hash(content) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, one => one.toString(16).padStart(2, "0")).join("");
}

async function signed(content, signature, keys) {
  for (const one of keys) {
    const key = await crypto.subtle.importKey("raw", bytes(one), {name: "Ed25519"}, false, ["verify"]);
    if (await crypto.subtle.verify("Ed25519", key, signature, content)) return true;
  }
  return false;
}

// The release, verified and with its own test passed; throws what is wrong with it.
async function proven(files, keys) {
  const manifest = files["manifest.json"];
  let signature;
  try {
    signature = bytes(text(files["manifest.sig"]));
  } catch {
    throw new Error("its signature is none");
  }
  if (!await signed(manifest, signature, keys)) throw new Error("its signature is not one of a trusted key");
  const wanted = JSON.parse(text(manifest)).files;
  for (const name of FILES.slice(2)) {
    if (await hash(files[name]) !== wanted[name]) throw new Error(`${name} is not as it was signed`);
  }
  const found = await Runner.load(new Uint8Array(files["model.onnx"]), JSON.parse(text(files["device.json"])));
  await found.prove();
  return found;
}

async function get(path) {
  const reply = await fetch(path, {cache: "no-store"});
  if (!reply.ok) throw new Error(`${path}: status ${reply.status}`);
  return reply.arrayBuffer();
}

// The release in use, or the one before it where that was damaged.
async function start() {
  store = await Store.open(`perennial:${project}`);
  if (!await store.get("state", "device")) await store.keep("device", crypto.randomUUID());
  const keys = await store.get("state", "keys");
  for (const name of ["live", "previous"]) {
    const number = await store.get("state", name);
    const found = number && await store.get("releases", number);
    if (!found) continue;
    try {
      runner = await proven(found.files, keys);
      live = found;
      if (name === "previous") await store.keep("live", number);
      return;
    } catch (error) {
      console.warn(`release ${number} on this device: ${error.message}`);
    }
  }
}

// Take the release that the service offers. One that is not whole, not signed with a key that this
// device trusts since its first visit, or fails its own test is not tried again.
async function update() {
  const offered = JSON.parse(text(await get("/device/release")));
  const refused = await store.get("state", "refused") ?? {};
  if (offered.manifest === live?.manifest || refused[offered.manifest]) return;
  const keys = await store.get("state", "keys") ?? offered.keys;
  const parts = await Promise.all(FILES.map(name => get(`/device/release/${offered.release}/${name}`)));
  const files = Object.fromEntries(FILES.map((name, i) => [name, parts[i]]));
  let found;
  try {
    found = await proven(files, keys);
  } catch (error) {
    await store.keep("refused", {...refused, [offered.manifest]: error.message});
    return;
  }
  const entry = {number: offered.release, manifest: offered.manifest, files};
  const previous = live?.number;
  await store.write(({releases, state}) => {
    releases.clear();
    if (live) releases.put(live, live.number);
    releases.put(entry, entry.number);
    state.put(entry.number, "live");
    state.put(previous, "previous");
    state.put(keys, "keys");
  });
  [live, runner] = [entry, found];
}

// What waits goes to the service, in order. It knows the last number that it took from this device, so
// that an answer which got lost on its way back counts nothing twice.
async function deliver() {
  const device = await store.get("state", "device");
  for (let some = await store.oldest(GROUP); some.length; some = await store.oldest(GROUP)) {
    const body = JSON.stringify({device, now: Date.now() / 1000, records: some});
    const reply = await fetch("/device/records", {method: "POST", headers: {"content-type": "application/json"}, body});
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    const {taken, refused} = await reply.json();
    for (const one of refused) console.warn(`not taken: ${one.why}`);
    await store.write(({queue}) => queue.delete(IDBKeyRange.upperBound(taken)));
    if (taken < some.at(-1).n) throw new Error("the service did not take everything");
  }
}

async function sync() {
  await navigator.locks.request(`perennial:${project}`, async () => { // one tab at a time
    await deliver();
    await update();
  });
  return status();
}

async function answer(rows) {
  if (!runner) throw new Error("There is no model on this device yet.");
  const found = [];
  for (let i = 0; i < rows.length; i += ROWS) {
    try {
      found.push(...await runner.answer(rows.slice(i, i + ROWS)));
    } catch (error) {
      if (error instanceof Unfit) error.problems.forEach(one => { one.row += i; });
      throw error;
    }
  }
  const answers = found.map(one => ({id: crypto.randomUUID(), ...one, release: live.number}));
  const at = Date.now() / 1000;
  await store.queue(answers.map((one, i) => ({kind: "asked", at, row: rows[i], answer: one})));
  return answers;
}

async function tell(id, truth) {
  await store.queue([{kind: "told", at: Date.now() / 1000, id, truth}]);
}

async function status() {
  const refused = await store.get("state", "refused") ?? {};
  const megabytes = live ? live.files["model.onnx"].byteLength / 1e6 : 0;
  return {release: live?.number ?? null, waiting: await store.waiting(), refused: Object.values(refused), megabytes};
}

const started = start();
const work = {status, answer, tell, sync};

self.onmessage = async ({data: {call, name, given}}) => {
  try {
    await started;
    self.postMessage({call, value: await work[name](...given)});
  } catch (error) {
    self.postMessage({call, message: error.message, problems: error.problems});
  }
};
