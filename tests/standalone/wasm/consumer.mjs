// node consumer.mjs FOLDER: FOLDER/consumer.wasm's run() finds nothing wrong; so much malloc and free
// of NAME.wasm leave one another alone.
import fs from "node:fs";
import path from "node:path";

const folder = process.argv[2];
const load = (name) => new WebAssembly.Instance(
  new WebAssembly.Module(fs.readFileSync(path.join(folder, name))), {}).exports;

const line = load("consumer.wasm").run();
if (line !== 0) {
  console.log(`consumer.c is not content in line ${line}`);
  process.exit(1);
}

const { malloc, free, memory } = load("adamw.wasm");
const blocks = [];
let seed = 1;
const below = (limit) => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % limit;
function check(condition, what) {
  if (condition) return;
  console.log(what);
  process.exit(1);
}
for (let turn = 0; turn < 20000; ++turn) {
  if (blocks.length > 0 && below(100) < 49) {
    const { at, bytes, mark } = blocks.splice(below(blocks.length), 1)[0];
    const content = new Uint8Array(memory.buffer, at, bytes);
    check(content.every((byte) => byte === mark), `block ${at} of ${bytes} was written over`);
    content.fill(0xff);
    free(at);
  } else {
    const bytes = below(10) === 0 ? below(300000) : below(200);
    const at = malloc(bytes) >>> 0;
    check(at !== 0 && at % 16 === 0, `malloc(${bytes}) is ${at}`);
    const mark = below(255);
    new Uint8Array(memory.buffer, at, bytes).fill(mark);
    blocks.push({ at, bytes, mark });
  }
}
const grown = memory.buffer.byteLength;
for (const { at } of blocks) free(at);
check(malloc(2 ** 31) === 0 && malloc(-1) === 0, "malloc gives more than there can be");
const all = malloc(grown * 0.75) >>> 0;
check(all !== 0 && memory.buffer.byteLength === grown, "freed blocks are not joined");
