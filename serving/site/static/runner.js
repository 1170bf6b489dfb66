// Answers rows with one release, as serving/device/kit/runner.py does: what a row may hold stands in
// device.json, the rest is in the graph. A value that cannot be read for certain is refused.

import * as ort from "/device/runtime/1.30.0/ort.wasm.bundle.min.mjs";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = {wasm: "/device/runtime/1.30.0/ort-wasm-simd-threaded.wasm"};
ort.env.logLevel = "error";

const LARGEST = 3.4028234663852886e38;
const FLAGS = {true: 1, 1: 1, false: 0, 0: 0};
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const TIME = /^\s*(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?)?\s*$/;
const WANTED = {
  number: ["a number", "Send a number, or null where it is missing."],
  flag: ["true or false", "Send true or false, or null where it is missing."],
  time: ["a time in ISO 8601", "Send a time as in 2013-01-31T05:00:00Z, or null where it is missing."],
  text: ["a text", "Send a text, or null where it is missing."],
};

// What is wrong with rows, in the words of the service.
export class Unfit extends Error {
  constructor(problems) {
    super(problems.map(one => `${one.field}: found ${one.found}; wanted ${one.wanted}`).join("; "));
    this.problems = problems;
  }
}

function number(value) {
  if (typeof value === "string" && /^\s*[+-]?nan\s*$/i.test(value)) return NaN;
  const known = typeof value === "number" || (typeof value === "string" && NUMBER.test(value));
  const found = known ? Number(value) : Infinity;
  return Math.abs(found) <= LARGEST ? found : undefined;
}

function flag(value) {
  if (typeof value === "string") return FLAGS[value.trim().toLowerCase()];
  return typeof value === "boolean" || value === 0 || value === 1 ? Number(value) : undefined;
}

// Seconds since 1970, cut to microseconds; without a zone it is UTC.
function time(value) {
  const found = typeof value === "string" ? TIME.exec(value) : null;
  if (!found) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(part => Number(part ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const real = year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const [away, more] = [Number(found[10] ?? 0), Number(found[11] ?? 0)];
  if (!real || hour > 23 || minute > 59 || second > 59 || away > 23 || more > 59) return undefined;
  const zone = (found[9] === "-" ? -1 : 1) * (3600 * away + 60 * more);
  const whole = date.getTime() / 1000 + 3600 * hour + 60 * minute + second - zone;
  return whole + Number((found[7] ?? "").padEnd(6, "0").slice(0, 6)) / 1e6;
}

function text(value) {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return spelled(value);
  return typeof value === "string" && value.isWellFormed() ? value : undefined;
}

// A number as Python spells it; whole ones beyond 2^53 have lost digits on their way here.
function spelled(value) {
  if (Number.isInteger(value)) return Number.isSafeInteger(value) ? String(value) : undefined;
  const [digits, power] = value.toExponential().split("e");
  if (power >= -4 && power < 16) return String(value);
  return `${digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

const READ = {number, flag, time, text};
const shown = value => JSON.stringify(value)?.slice(0, 80) ?? "no value";

export class Runner {
  static async load(model, paper) {
    const runner = new Runner();
    runner.paper = paper;
    runner.texts = paper.inputs.filter(one => one.kind === "text");
    runner.numbers = paper.inputs.filter(one => one.kind !== "text");
    runner.session = await ort.InferenceSession.create(model, {executionProviders: ["wasm"]});
    return runner;
  }

  // One object per row, as the service gives it, without an id; throws Unfit.
  async answer(rows) {
    if (!rows.length) return [];
    const problems = rows.flatMap((row, i) => this.strange(row, i));
    const numbers = this.cells(rows, this.numbers, NaN, problems);
    // The graph's texts end at a NUL here; nothing that training knows has this sign in its place.
    const texts = this.cells(rows, this.texts, "", problems).map(one => String(one).replaceAll("\0", "\uFFFE"));
    if (problems.length) throw new Unfit(problems);
    const every = {
      numbers: () => new ort.Tensor("float64", Float64Array.from(numbers), [rows.length, this.numbers.length]),
      texts: () => new ort.Tensor("string", texts, [rows.length, this.texts.length]),
    };
    const feed = Object.fromEntries(this.session.inputNames.map(name => [name, every[name]()]));
    const [output] = Object.values(await this.session.run(feed));
    const found = Array.from(output.data, Number);
    const {classes} = this.paper;
    if (!classes.length) return found.map(prediction => ({prediction}));
    return rows.map((_, i) => this.decided(found.slice(i * classes.length, (i + 1) * classes.length)));
  }

  strange(row, i) {
    const wanted = `only these fields: ${this.paper.columns.join(", ")}`;
    return Object.keys(row).filter(name => !this.paper.columns.includes(name)).map(field =>
      ({row: i, field, found: "a field that the model does not know", wanted, remedy: "Leave it out."}));
  }

  cells(rows, columns, missing, problems) {
    return rows.flatMap((row, i) => columns.map(({name, kind, required}) => {
      const value = row[name];
      const absent = value === undefined || value === null || value === "";
      const found = absent ? missing : READ[kind](value);
      const nothing = required && (found === "" || Number.isNaN(found));
      if (found === undefined || nothing) {
        const [wanted, remedy] = WANTED[kind];
        problems.push({row: i, field: name, found: absent ? "no value" : shown(value), wanted, remedy: nothing ? `Send ${name}; this model has no answer without it.` : remedy});
      }
      return found;
    }));
  }

  decided(shares) {
    const {classes, decision, say} = this.paper;
    const weighted = shares.map((share, i) => share * (decision.weights[i] ?? 1));
    let at = weighted.indexOf(Math.max(...weighted));
    if (decision.threshold !== null) at = Number(shares[1] >= decision.threshold);
    const probabilities = Object.fromEntries(classes.map((name, i) => [name, shares[i]]));
    return {prediction: classes[at], say: say[classes[at]] ?? classes[at], probabilities};
  }

  // Throws where the answers to the rows that it brings along are not those of when it was made.
  async prove() {
    const {proof, classes, tolerance} = this.paper;
    const found = await this.answer(proof.rows);
    const given = found.flatMap(one => classes.length ? classes.map(name => one.probabilities[name]) : [one.prediction]);
    const wanted = classes.length ? proof.probabilities.flat() : proof.values;
    const sizes = wanted.map(Math.abs).sort((a, b) => a - b);
    const usual = sizes[sizes.length >> 1] || 1;
    wanted.forEach((one, i) => {
      const size = classes.length ? 1 : Math.max(Math.abs(one), usual);
      if (!(Math.abs(given[i] - one) <= tolerance * size)) {
        throw new Error(`it answers ${given[i]} where it answered ${one} when it was made`);
      }
    });
  }
}
