// node binding.mjs FOLDER: what FOLDER/adamw.mjs does and refuses.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const { load, LibraryError } = await import(pathToFileURL(path.join(folder, "adamw.mjs")));
const { AdamW, description } = await load();
assert.equal(description.rules[0].class, "AdamW");

const refused = (status, body) =>
  assert.throws(body, (error) => error.name === "LibraryError" && error.status === status);

assert.throws(() => new AdamW({}, { hypers: { speed: 1 } }), LibraryError);

const parameters = {
  w: { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] },
  b: { shape: [], data: [7], group: 1, tags: ["bias"] },
  none: { shape: [0, 4] },
};
const optimizer = new AdamW(parameters, { hypers: { lr: 0.5 } });
assert.equal(optimizer.hyper("lr"), 0.5);
optimizer.setHyper("lr", 0.25, 1);
assert.deepEqual([optimizer.hyper("lr", 0), optimizer.hyper("lr", 1)], [0.5, 0.25]);
refused("OUT_OF_RANGE", () => optimizer.setHyper("lr", -1));
refused("UNKNOWN_NAME", () => optimizer.setHyper("speed", 1));
refused("UNKNOWN_NAME", () => optimizer.readView("averaged"));
for (const body of [
  () => optimizer.setHyper("lr\0x", 1),
  () => optimizer.hyper("lr\0x"),
  () => optimizer.readView("averaged\0x"),
  () => new AdamW({ "w\0x": { shape: [2] } }),
  () => new AdamW({ w: { shape: [2], tags: ["bias\0x"] } }),
]) assert.throws(body, /NUL/);
refused("BAD_DATA", () => optimizer.load(new Uint8Array(100)));
refused("OUT_OF_RANGE", () => new AdamW(parameters, { hypers: { beta1: 2 } }));
assert.throws(() => new AdamW({ w: { shape: [2], data: [1] } }), RangeError);
for (const data of [[1, null], [1, "2"], [1, undefined], [1, , ], null, 1, "12"])
  assert.throws(() => new AdamW({ w: { shape: [2], data } }), TypeError);
assert.throws(() => optimizer.grad("v"), RangeError);
assert.throws(() => optimizer.step({ inputs: { loss: 1 } }), RangeError);

for (const group of [-1, 2, 0.5, null, 2 ** 32, 2 ** 32 - 1, "0"]) {
  assert.throws(() => optimizer.setHyper("lr", 0.7, group), RangeError);
  assert.throws(() => optimizer.hyper("lr", group), RangeError);
  if (group !== 2) assert.throws(() => new AdamW({ w: { shape: [2], group } }), RangeError);
}
for (const value of [null, undefined, "3", "", [], [0.5], {}, 1n, new Number(1), () => 1]) {
  assert.throws(() => optimizer.setHyper("lr", value), /^TypeError: hyper lr is .*, not a number$/);
  assert.throws(() => new AdamW(parameters, { hypers: { lr: value } }), TypeError);
}
refused("OUT_OF_RANGE", () => optimizer.setHyper("lr", NaN));
assert.deepEqual([optimizer.hyper("lr", 0), optimizer.hyper("lr", 1)], [0.5, 0.25]);
for (const without of [["v"], ["b", "bb"], "bw?"])
  assert.throws(() => optimizer.step({ without }), RangeError);
assert.equal(optimizer.steps, 0);

optimizer.grad("w").fill(1);
optimizer.grad("b").fill(1);
assert.equal(optimizer.step(), "completed");
const w = optimizer.param("w").slice();
assert(w.every((x, i) => x < i + 1 - 0.4));
assert(optimizer.param("b")[0] < 7);
const saved = optimizer.save();

/* What is left out stays; loading goes back. */
const b = optimizer.param("b")[0];
optimizer.step({ without: ["b"] });
assert.equal(optimizer.param("b")[0], b);
assert.equal(optimizer.steps, 2);
const after = optimizer.param("w").slice();
optimizer.load(saved);
assert.equal(optimizer.steps, 1);
optimizer.param("w").set(w);
optimizer.step({ without: ["b"] });
assert.deepEqual(optimizer.param("w"), after);

/* What fetch gives is an ArrayBuffer. Nothing else in the module's memory changes. */
const before = optimizer.save();
optimizer.load(saved.buffer);
assert.deepEqual(optimizer.save(), saved);
assert.deepEqual(optimizer.param("w"), after);
optimizer.load(Buffer.from(before));
assert.deepEqual(optimizer.save(), before);
for (const wrong of [Array.from(saved), new DataView(saved.buffer), saved.length, "", null, undefined])
  assert.throws(() => optimizer.load(wrong), TypeError);
assert.deepEqual(optimizer.save(), before);

const states = optimizer.states().map(({ name, tensor, data }) => `${name}/${tensor}: ${data.length}`);
assert.deepEqual(states.sort(), ["m/b: 1", "m/none: 0", "m/w: 6", "v/b: 1", "v/none: 0", "v/w: 6"]);
optimizer.reset();
assert.equal(optimizer.steps, 0);
assert(optimizer.states().every(({ data }) => data.every((x) => x === 0)));
optimizer.free();

/* Memory is given back: many optimizers, one after the other, need no more of it than one. */
const bytes = fs.readFileSync(path.join(folder, "adamw.wasm"));
const module = await WebAssembly.compile(bytes);
const other = await load(module);
const sizes = [];
for (let i = 0; i < 50; ++i) {
  const large = new other.AdamW({ w: { shape: [100000] } });
  large.step();
  sizes.push(large.param("w").buffer.byteLength);
  large.free();
}
assert.equal(sizes[49], sizes[1]);
for (const count of [2 ** 30, 2 ** 30 + 1, 2 ** 62, NaN, -1, 0.3])
  assert.throws(() => new other.AdamW({ w: { shape: [count] } }), /no memory|no number of bytes/);

/* A step that throws, wherever it does, has not happened. */
const steps = { seen: 0, fails: 0 };
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (...given) => {
  const { exports } = await instantiate(...given);
  const more_sam_step = (...values) => {
    if (++steps.seen === steps.fails) throw new RangeError("the step fails");
    return exports.more_sam_step(...values);
  };
  return { exports: { ...exports, more_sam_step } };
};
const more = await (await import(pathToFileURL(path.join(folder, "more.mjs")))).load();
WebAssembly.instantiate = instantiate;
const sam = new more.sam({ w: { shape: [2], data: [3, 4] } });
const initial = sam.param("w").slice();
const gradients = () => sam.grad("w").fill(1);
gradients();
for (const [fails, regrad, error] of [
  [2, gradients, /the step fails/],
  [0, () => { throw new TypeError("no gradient"); }, /no gradient/],
  [0, undefined, /give step a regrad/],
]) {
  Object.assign(steps, { seen: 0, fails });
  assert.throws(() => sam.step({ regrad }), error);
  assert.deepEqual(sam.param("w"), initial);
  assert.equal(sam.steps, 0);
  sam.setHyper("lr", 0.125); // refused while a step waits
}
Object.assign(steps, { seen: 0, fails: 0 });
sam.abandon(); // where nothing waits
assert.equal(sam.step({ regrad: gradients }), "completed");
assert.equal(steps.seen, 2);
assert.notDeepEqual(sam.param("w"), initial);
sam.free();

/* An input of elements is one array for each parameter, all of it. */
const hessian = new more.adahessian(parameters);
const squares = { w: [1, 2, 3, 4, 5, 6], b: [7], none: [] };
for (const wrong of [{ w: [1, 2] }, { w: [1, 2, 3, 4, 5, 6, 7] }, { none: [1] }, { v: [1] }])
  assert.throws(() => hessian.step({ inputs: { hessian: { ...squares, ...wrong } } }), RangeError);
for (const wrong of [{ b: 7 }, { b: [null] }, { b: ["7"] }, { b: "7" }])
  assert.throws(() => hessian.step({ inputs: { hessian: { ...squares, ...wrong } } }), TypeError);
for (const wrong of [null, 1, "w"])
  assert.throws(() => hessian.step({ inputs: { hessian: wrong } }), TypeError);
assert.equal(hessian.steps, 0);
assert.equal(hessian.step({ inputs: { hessian: squares } }), "completed");
const second = hessian.states().find(({ name, tensor }) => name === "v" && tensor === "w").data;
assert(second.every((x, i) => Math.abs(x - 0.001 * (i + 1) ** 2) < 1e-6));
hessian.free();

/* Inputs of every rate; matrices are counted as the rule splits tensors. */
const shapes = { w: [2, 3], cube: [3, 2, 4], flat: [5], none: [0, 4] };
const counts = {
  first: { matrix: { w: 1, cube: 1, none: 1 }, row: { w: 2, cube: 3, none: 0 },
    col: { w: 3, cube: 8, none: 4 } },
  last: { matrix: { w: 1, cube: 3, none: 1 }, row: { w: 2, cube: 6, none: 0 },
    col: { w: 3, cube: 12, none: 4 } },
  largest: { matrix: { w: 1, cube: 2, none: 1 }, row: { w: 2, cube: 6, none: 0 },
    col: { w: 3, cube: 8, none: 4 } },
};
const numbers = (count, first) => Array.from({ length: count }, (_, i) => first + i);
for (const [rule, expected] of Object.entries(counts)) {
  const tensors = Object.entries(shapes).map(([name, shape]) => [name, { shape }]);
  const lines = new more[rule](Object.fromEntries(tensors));
  const arrays = (rate, first) => Object.fromEntries(
    Object.entries(expected[rate]).map(([name, count]) => [name, numbers(count, first)]));
  const inputs = { loss: 2, boost: [1], factor: new Float32Array(4).fill(0.5),
    sharp: arrays("matrix", 10), seen: arrays("row", 20), wide: arrays("col", 30) };
  for (const [input, rate] of [["sharp", "matrix"], ["seen", "row"], ["wide", "col"]]) {
    const given = inputs[input].cube;
    const step = (cube) => lines.step({ inputs: { ...inputs, [input]: { ...inputs[input], cube } } });
    assert.throws(() => step([...given, 1]), RangeError, rate);
    assert.throws(() => step(given.slice(1)), RangeError, rate);
    assert.throws(() => step([null, ...given.slice(1)]), TypeError, rate);
    refused("MISSING_INPUT", () => step(null));
  }
  for (const wrong of [{ loss: null }, { loss: "2" }, { boost: [null] }, { boost: 1 }, { factor: null }])
    assert.throws(() => lines.step({ inputs: { ...inputs, ...wrong } }), TypeError);
  assert.equal(lines.steps, 0);
  assert.equal(lines.step({ inputs }), "completed");
  for (const [state, rate, first] of [["bend", "matrix", 10], ["r", "row", 20], ["c", "col", 30]])
    for (const [name, count] of Object.entries(expected[rate])) {
      const { data } = lines.states().find((one) => one.name === state && one.tensor === name);
      assert.deepEqual(Array.from(data), numbers(count, first), `${rule} ${state} ${name}`);
    }
  lines.free();
}

/* A view stands in for the parameters for as long as a body runs, also one that throws or awaits. */
const averaged = new more.averaged({ w: { shape: [3], data: [1, 2, 3] } }, { hypers: { lr: 0.5 } });
averaged.grad("w").set([1, -1, 2]);
for (let i = 0; i < 3; ++i) averaged.step();
const [own, average] = [averaged.param("w").slice(), averaged.readView("averaged").w];
const now = () => averaged.param("w").slice();
assert.notDeepEqual(own, average);
assert.deepEqual(averaged.view("averaged", now), average);
assert.deepEqual(now(), own);
assert.throws(() => averaged.view("averaged", () => { throw new RangeError("body"); }), /body/);
assert.deepEqual(now(), own);
const pending = averaged.view("averaged", async () => {
  await null;
  return now();
});
assert.deepEqual(now(), average);
refused("SWAPPED_IN", () => averaged.step());
assert.deepEqual(await pending, average);
assert.deepEqual(now(), own);
await assert.rejects(averaged.view("averaged", async () => { throw new RangeError("later"); }), /later/);
assert.deepEqual(now(), own);
refused("UNKNOWN_NAME", () => averaged.swapIn("mean"));
refused("BAD_ARGUMENT", () => averaged.swapOut());
averaged.swapIn("averaged");
refused("SWAPPED_IN", () => averaged.swapIn("averaged"));
assert.deepEqual(now(), average);
averaged.swapOut();
assert.deepEqual(now(), own);
const before_views = averaged.param("w").buffer.byteLength;
for (let i = 0; i < 20000; ++i) averaged.view("averaged", now);
assert.equal(averaged.param("w").buffer.byteLength, before_views);
averaged.swapIn("averaged");
averaged.free();
