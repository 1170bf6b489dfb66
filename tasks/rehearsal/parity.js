// The rows of the rehearsal, answered by what answers on devices: all together, and each alone.

import {Runner} from "/site/runner.js";

const get = async path => {
  const reply = await fetch(path);
  if (!reply.ok) throw new Error(`${path}: status ${reply.status}`);
  return reply;
};

async function answers() {
  const {release} = await (await get("/device/release")).json();
  const paper = await (await get(`/device/release/${release}/device.json`)).json();
  const model = await (await get(`/device/release/${release}/model.onnx`)).arrayBuffer();
  const rows = await (await get("/rehearsal/rows")).json();
  const runner = await Runner.load(new Uint8Array(model), paper);
  await runner.prove();
  const alone = [];
  for (const row of rows) alone.push(...await runner.answer([row]));
  return {together: await runner.answer(rows), alone};
}

const found = await answers().catch(error => ({error: `${error.name}: ${error.message}`}));
await fetch("/rehearsal/answers", {method: "POST", body: JSON.stringify(found)});
