// node fma.mjs FOLDER: fma of FOLDER/fma.wasm for the operands in FOLDER/float32 and float64, which
// hold a, b, c and the results to come.
import fs from "node:fs";
import path from "node:path";

const folder = process.argv[2];
const module = new WebAssembly.Module(fs.readFileSync(path.join(folder, "fma.wasm")));
const { exports } = new WebAssembly.Instance(module, {});
const BATCH = 4096;
let faults = 0;

for (const [type, Array] of [["float32", Float32Array], ["float64", Float64Array]]) {
  const all = new Array(new Uint8Array(fs.readFileSync(path.join(folder, type))).buffer);
  const count = all.length / 4;
  const [a, b, c, expected] = [0, 1, 2, 3].map((i) => all.subarray(i * count, (i + 1) * count));
  const places = [0, 1, 2, 3].map(() => exports.malloc(BATCH * Array.BYTES_PER_ELEMENT));
  const batches = places.map((place) => new Array(exports.memory.buffer, place, BATCH));
  let wrong = 0;
  for (let begin = 0; begin < count; begin += BATCH) {
    const end = Math.min(begin + BATCH, count);
    [a, b, c].forEach((operand, i) => batches[i].set(operand.subarray(begin, end)));
    exports[`fma_${type}`](...places, end - begin);
    for (let i = begin; i < end; ++i) {
      const result = batches[3][i - begin];
      if (Object.is(result, expected[i])) continue;
      if (++wrong <= 3) console.log(`fma(${a[i]}, ${b[i]}, ${c[i]}) is ${expected[i]}, not ${result}`);
    }
  }
  const subnormal = type === "float32" ? 2 ** -126 : 2 ** -1022;
  const small = expected.filter((x) => x !== 0 && Math.abs(x) < subnormal).length;
  const ends = expected.filter((x) => !Number.isFinite(x)).length;
  console.log(`${type}: ${count} cases, ${small} subnormal and ${ends} not finite, ${wrong} wrong`);
  faults += wrong;
  if (count === 0 || small === 0 || ends === 0) faults += 1; // a test of nothing
}
process.exit(faults === 0 ? 0 : 1);
