// node bits.mjs FOLDER: runs the cases of FOLDER/cases.json, each with its library, and compares
// outcomes, parameters and all states with what talweg left in its own process, bit by bit.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { fillNumbers, firstDifference, inputNumber, streamOf } from "./numbers.mjs";

const folder = process.argv[2];
let faults = 0;
let numbers = 0;

function compare(what, Array, actual, hex) {
  const bytes = Buffer.from(hex, "hex");
  const expected = new Array(new Uint8Array(bytes).buffer);
  numbers += expected.length;
  const at = firstDifference(actual, expected);
  if (at < 0) return;
  ++faults;
  console.log(`${what}[${at}] is ${actual[at]}, not ${expected[at]}`);
}

/* The entries of a safetensors buffer. */
function savedStates(bytes) {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  delete header.__metadata__;
  return Object.entries(header).map(([name, { dtype, data_offsets: [begin, end] }]) => {
    const Array = dtype === "F32" ? Float32Array : Float64Array;
    return { name, Array, data: new Array(bytes.slice(8 + length + begin, 8 + length + end).buffer) };
  });
}

function step(optimizer, test, rule, number, state) {
  const fill = () => {
    ++state.call;
    test.tensors.forEach(({ name }, t) =>
      fillNumbers(optimizer.grad(name), streamOf(state.call, 1, t)));
  };
  fill();
  const inputs = {};
  rule.inputs.forEach(({ field, rate }, i) => {
    const count = { model: 1, group: 2, tensor: test.tensors.length }[rate] ?? 0;
    const numbers = Array.from({ length: count }, (_, k) => inputNumber(streamOf(state.call, 2 + i, k)));
    inputs[field] = rate === "model" ? numbers[0] : count > 0 ? numbers
      : Object.fromEntries(test.tensors.map(({ name }, t) => [name,
        fillNumbers(optimizer.param(name).slice(), streamOf(state.call, 2 + i, t))]));
  });
  const without = test.tensors.filter((tensor) => tensor.absent === number).map(({ name }) => name);
  try {
    return optimizer.step({ without, regrad: fill, inputs });
  } catch (error) {
    return error.status === "OUT_OF_RANGE" ? "refused" : error.stack;
  }
}

async function run(test) {
  const { load } = await import(pathToFileURL(path.join(folder, `${test.name}.mjs`)));
  const library = await load();
  const rule = library.description.rules[0];
  const optimizer = new library[rule.class](Object.fromEntries(
    test.tensors.map(({ name, shape, group }) => [name, { shape, group }])));
  test.tensors.forEach(({ name }, t) => fillNumbers(optimizer.param(name), streamOf(0, 0, t)));
  const state = { call: 0 };
  const outcomes = [];
  for (let number = 1; number <= test.steps; ++number)
    outcomes.push(step(optimizer, test, rule, number, state));
  if (outcomes.join() !== test.outcomes.join()) {
    ++faults;
    console.log(`${test.rule}: its steps were ${outcomes}, not ${test.outcomes}`);
  }
  const Array = library.description.dtype === "float32" ? Float32Array : Float64Array;
  for (const { name } of test.tensors)
    compare(`${test.rule}: ${name}`, Array, optimizer.param(name), test.params[name]);
  const saved = savedStates(optimizer.save());
  for (const { name, Array, data } of saved)
    compare(`${test.rule}: ${name}`, Array, data, test.states[name] ?? "00");
  if (saved.length !== Object.keys(test.states).length) {
    ++faults;
    console.log(`${test.rule}: ${saved.length} states, not ${Object.keys(test.states).length}`);
  }
  for (const [view, expected] of Object.entries(test.views)) {
    const values = optimizer.readView(view);
    for (const { name } of test.tensors)
      compare(`${test.rule}: ${view} of ${name}`, Array, values[name], expected[name]);
  }
  optimizer.free();
}

const cases = JSON.parse(fs.readFileSync(path.join(folder, "cases.json"), "utf8"));
for (const test of cases) {
  try {
    await run(test);
  } catch (error) {
    ++faults;
    console.log(`${test.rule}: ${error.stack}`);
  }
}
console.log(`${cases.length} cases, ${numbers} numbers, ${faults} faults`);
process.exit(faults === 0 && cases.length > 0 ? 0 : 1);
