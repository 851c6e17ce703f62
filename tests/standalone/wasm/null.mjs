// node null.mjs FOLDER: of FOLDER/decay.wasm, whose addresses are less than the sizes of arrays, null
// pointers share memory with none.
import fs from "node:fs";
import path from "node:path";

const module = new WebAssembly.Module(fs.readFileSync(path.join(process.argv[2], "decay.wasm")));
const code = new WebAssembly.Instance(module, {}).exports;
const COUNT = 200000;

const error = code.malloc(516);
const message = () => {
  const bytes = new Uint8Array(code.memory.buffer, error + 4, 512);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
};
function check(condition, what) {
  if (condition) return;
  console.log(what);
  process.exit(1);
}
const words = (...values) => {
  const at = code.malloc(4 * values.length);
  new Uint32Array(code.memory.buffer, at, values.length).set(values);
  return at;
};

// A rule that reads no gradient is given none.
const state = code.malloc(4 * COUNT);
const param = code.malloc(4 * COUNT);
check(state < 4 * COUNT, "addresses are too large for this test");
check(code.decay_step_flat(param, 0, state, BigInt(COUNT), 1n, 0, error) === 0, message());
check(code.decay_step_flat(param, 0, param, BigInt(COUNT), 1n, 0, error) === 4, "no overlap is seen");

// Parameters that are null are called so.
const name = words(0x77);
const shape = words(COUNT, 0);
const tensor = words(name, shape, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0);
const spec = words(1, 1, tensor, 0, 0, 0, 0);
const sizes = words(0, 0, 0, 0, 0, 0, 0, 0);
check(code.decay_measure(spec, sizes, error) === 0, message());
const [control, , , , states] = new Uint32Array(code.memory.buffer, sizes, 8);
const aligned = (bytes) => Math.ceil(code.malloc(bytes + 4096) / 4096) * 4096;
check(code.decay_create_in(spec, aligned(control), aligned(states), words(0), error) === 2, message());
check(message() === "tensor `w` has no memory (param is null)", message());
