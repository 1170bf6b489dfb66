// A file of many rows: read piece by piece, answered in groups, given back with the answers.

import {predict} from "./api.js";
import {Reader, line, separator} from "./csv.js";
import {data} from "./dom.js";

const GROUP = 500;

// Pieces of the file's text in this encoding, each with how many bytes it ends at.
async function* pieces(file, name, options) {
  const decoder = new TextDecoder(name, options);
  let done = 0;
  for (const reader = file.stream().getReader(); ;) {
    const {value, done: over} = await reader.read();
    if (over) break;
    done += value.length;
    yield [decoder.decode(value, {stream: true}), done];
  }
  yield [decoder.decode(), file.size];
}

// UTF-8, or where no letter of the file is, the alphabet of Windows; the first one may stand far down.
async function encoding(file) {
  try {
    for await (const _ of pieces(file, "utf-8", {fatal: true}));
    return "utf-8";
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const [letters, line] = await damage(file);
  if (letters) throw new Error(`Line ${line} of the file has a byte that is not UTF-8, and other letters are. Nobody knows what it stood for: save the file as UTF-8 again.`);
  return "windows-1252";
}

// How many letters beyond ASCII are UTF-8, and the first line with a byte that is not.
async function damage(file) {
  let letters = 0;
  let line = 1;
  let broken = 0;
  for await (const [text] of pieces(file, "utf-8")) {
    for (const sign of text) {
      if (sign === "\n") line += 1;
      else if (sign === "\ufffd") broken ||= line;
      else if (sign > "\u007f") letters += 1;
    }
  }
  return [letters, broken];
}

async function* rows(file, name) {
  let reader = null;
  let begun = "";
  for await (const [text, done] of pieces(file, name)) {
    let piece = text;
    if (reader === null) {
      begun += text;
      const end = begun.search(/[\r\n]/);
      if (end < 0 && done < file.size) continue;
      reader = new Reader(separator(end < 0 ? begun : begun.slice(0, end)));
      piece = begun;
    }
    for (const row of reader.feed(piece)) yield [row, done];
  }
  if (reader) for (const row of reader.end()) yield [row, file.size];
}

// Columns of the file that the model takes; a file without any is refused.
function known(heads) {
  const names = heads.map(name => name.trim());
  const used = names.filter(name => data.columns.includes(name));
  const needed = data.fields.filter(field => field.required && !names.includes(field.name)).map(field => field.name);
  if (!used.length) throw new Error(`None of the columns ${names.slice(0, 6).join(", ")} is known. The first line has to name them.`);
  if (needed.length) throw new Error(`The column ${needed[0]} is missing; there is no answer without it.`);
  if (new Set(used).size < used.length) throw new Error("A column stands there twice.");
  return names;
}

function record(names, cells) {
  const row = {};
  names.forEach((name, i) => {
    const text = cells[i] ?? "";
    const missing = [text, text.trim()].some(one => one === "" || data.missing.includes(one));
    if (data.columns.includes(name) && !missing) row[name] = text; // with its spaces, as in training
  });
  return row;
}

// Where a cell is missing or too many, nobody knows which is which.
function ragged(names, cells) {
  return cells.length === names.length ? null : {error: `${cells.length} cells where the first line has ${names.length}`};
}

// Answers to a group; what is refused is told from the rest and does not keep it from its answers.
async function answers(names, lines, signal) {
  const found = lines.map(cells => ragged(names, cells));
  const group = lines.map(cells => record(names, cells));
  let open = group.map((_, i) => i).filter(i => found[i] === null);
  while (open.length) {
    try {
      const given = await predict(open.map(i => group[i]), signal);
      open.forEach((i, k) => { found[i] = given[k]; });
      return found;
    } catch (error) {
      const bad = (error.problems ?? []).filter(one => Number.isInteger(one.row));
      if (error.status !== 422 || !bad.length) throw error;
      for (const one of bad) found[open[one.row]] ??= {error: `${one.field}: ${one.found}; wanted ${one.wanted}`};
      open = open.filter(i => found[i] === null);
    }
  }
  return found;
}

const heads = () => data.classes.length
  ? ["prediction", "say", ...data.classes.map(one => `chance of ${one.outcome}`), "id", "problem"]
  : ["prediction", "id", "problem"];

function cells(answer) {
  if (answer.error) return [...heads().slice(1).map(() => ""), answer.error];
  if (!data.classes.length) return [answer.prediction, answer.id, ""];
  return [answer.prediction, answer.say, ...data.classes.map(one => answer.probabilities[one.label]), answer.id, ""];
}

// Answer the file. `step` hears of each group: share done, rows answered, rows refused.
export async function score(file, signal, step) {
  const parts = [];
  const shown = [];
  const state = {rows: 0, refused: 0, unknown: [], parts, shown, encoding: await encoding(file)};
  let names = null;
  let group = [];
  const flush = async done => {
    const given = await answers(names, group, signal);
    group.forEach((row, i) => {
      parts.push(line([...names.map((_, k) => row[k] ?? ""), ...cells(given[i])]));
      if (shown.length < 5) shown.push([row, given[i]]);
      state.refused += Boolean(given[i].error);
    });
    state.rows += group.length;
    group = [];
    step(done / Math.max(file.size, 1), state);
  };
  for await (const [row, done] of rows(file, state.encoding)) {
    signal.throwIfAborted();
    if (names === null) {
      names = known(row);
      state.unknown = names.filter(name => !data.columns.includes(name));
      parts.push(line([...names, ...heads()]));
    } else if (group.push(row) === GROUP) {
      await flush(done);
    }
  }
  if (names === null) throw new Error("The file is empty.");
  if (group.length) await flush(file.size);
  return state;
}
