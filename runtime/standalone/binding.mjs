/* @NAME@: fused optimizer steps in WebAssembly, for browsers and Node. Made by talweg; changes
 * belong in the rule.
 *
 *     import { load } from "./@NAME@.mjs";
 *     const { @RULE@ } = await load();
 *     const optimizer = new @RULE@({ w: { shape: [10, 100], data: initial } });
 *     optimizer.grad("w").set(gradient);
 *     optimizer.step();
 *     use(optimizer.param("w"));
 *
 * Parameters and gradients lie in the module's memory; param() and grad() are arrays that look into
 * it. Ask for them again once another optimizer has been made: its memory may have moved. */

const NAME = "@NAME@";
const MOST = 0xffffffff, ALL_GROUPS = MOST;
const OUTCOMES = ["completed", "held", "skipped", "regrad"];
/* Bytes of the C structs of @NAME@.h, where pointers have 4. */
const TENSOR_BYTES = 52, SPEC_BYTES = 28, STATE_BYTES = 72, ERROR_BYTES = 516;

/* What the library refused, and why. `status` is its code by name, such as OUT_OF_RANGE. */
export class LibraryError extends Error {
  constructor(status, message) {
    super(message);
    this.name = "LibraryError";
    this.status = status;
  }
}

/* JavaScript makes 0 of null and 3 of "3"; nobody means either. */
function checkedNumber(value, what) {
  if (typeof value !== "number") {
    const given = typeof value === "string" ? JSON.stringify(value) : String(value);
    throw new TypeError(`${what} is ${given} (${typeof value}), not a number`);
  }
  return value;
}

/* So many numbers, as an array or a typed one. */
function checkedNumbers(values, count, what) {
  if (values === null || typeof values !== "object" || typeof values.length !== "number")
    throw new TypeError(`${what} is no array of numbers`);
  if (values.length !== count)
    throw new RangeError(`${what} is ${values.length} numbers, not ${count}`);
  if (!ArrayBuffer.isView(values))
    for (let i = 0; i < count; ++i) checkedNumber(values[i], `${what}, number ${i},`);
  return values;
}

const product = (sizes) => sizes.reduce((all, size) => all * size, 1);

/* How many matrices, rows and columns a tensor has for a rule that splits tensors so. */
function countLines(shape, split) {
  if (!split || shape.length < 2) return { matrix: 0, row: 0, col: 0 };
  if (split === "first_rest") return { matrix: 1, row: shape[0], col: product(shape.slice(1)) };
  const order = shape.map((_, i) => i);
  if (split === "two_largest") order.sort((a, b) => shape[a] - shape[b] || a - b);
  const [row, col] = order.slice(-2).sort((a, b) => a - b);
  const matrix = product(shape.filter((_, i) => i !== row && i !== col));
  return { matrix, row: matrix * shape[row], col: matrix * shape[col] };
}

/* The library: a class for each rule, and `description`, what it says of itself. `source`: bytes or
 * a WebAssembly.Module; without it @NAME@.wasm beside this file. */
export async function load(source) {
  if (source === undefined) {
    const place = new URL(`./${NAME}.wasm`, import.meta.url);
    source = place.protocol === "file:"
      ? await (await import("node:fs/promises")).readFile(place)
      : await (await fetch(place)).arrayBuffer();
  }
  const module =
    source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
  const code = new Code(await WebAssembly.instantiate(module, {}));
  const description = JSON.parse(code.text(code.call(NAME, "describe")));
  const library = { description };
  for (const rule of description.rules) {
    library[rule.class] = class extends Optimizer {
      constructor(parameters, options) {
        super(code, description, rule, parameters, options);
      }
    };
  }
  return library;
}

/* The module's functions and memory. */
class Code {
  constructor(instance) {
    this.exports = instance.exports;
    this.scratch = [];
  }

  call(prefix, name, ...values) {
    return this.exports[`${prefix}_${name}`](...values);
  }

  /* Of a function that ends with an error argument, which becomes an exception. */
  checked(prefix, name, ...values) {
    const error = this.temporary(ERROR_BYTES);
    const status = this.call(prefix, name, ...values, error);
    if (status === 0) return;
    const code = this.text(this.call(NAME, "status_text", status));
    throw new LibraryError(code, this.text(error + 4));
  }

  get view() {
    return new DataView(this.exports.memory.buffer);
  }

  allocate(bytes) {
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      throw new RangeError(`${bytes} is no number of bytes`);
    /* malloc would take 2^32 + 1 for 1. */
    const pointer = bytes > MOST ? 0 : this.exports.malloc(Math.max(bytes, 1)) >>> 0;
    if (pointer === 0) throw new RangeError(`there is no memory for ${bytes} bytes`);
    new Uint8Array(this.exports.memory.buffer, pointer, bytes).fill(0);
    return pointer;
  }

  /* Zeros until the end of within(). */
  temporary(bytes) {
    const pointer = this.allocate(bytes);
    this.scratch.push(pointer);
    return pointer;
  }

  within(body) {
    const begin = this.scratch.length;
    try {
      return body();
    } finally {
      for (const pointer of this.scratch.splice(begin)) this.exports.free(pointer);
    }
  }

  text(pointer) {
    const bytes = new Uint8Array(this.exports.memory.buffer, pointer >>> 0);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }

  /* C would read a name only up to a NUL, and take it for another one. */
  temporaryText(text) {
    if (text.includes("\0")) throw new RangeError(`${JSON.stringify(text)} has a NUL in it`);
    const bytes = new TextEncoder().encode(text);
    const pointer = this.temporary(bytes.length + 1);
    new Uint8Array(this.exports.memory.buffer, pointer, bytes.length).set(bytes);
    return pointer;
  }

  /* A table of pointers, null for none. */
  temporaryTable(pointers) {
    const table = this.temporary(4 * pointers.length);
    pointers.forEach((pointer, i) => this.view.setUint32(table + 4 * i, pointer, true));
    return table;
  }
}

/* One optimizer over named tensors. `parameters`: for each name {shape, data, group, tags}, of which
 * only the shape must be there. `hypers`: by name, for all groups. */
class Optimizer {
  #code; #rule; #handle = 0; #tensors = []; #groups = 1; #Array; #kept = 0;

  constructor(code, description, rule, parameters, { hypers = {} } = {}) {
    this.#code = code;
    this.#rule = rule;
    this.#Array = description.dtype === "float32" ? Float32Array : Float64Array;
    try {
      code.within(() => this.#create(description.interface, Object.entries(parameters)));
      for (const [name, value] of Object.entries(hypers)) this.setHyper(name, value);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  #create(interfaceVersion, parameters) {
    const code = this.#code;
    const tensors = code.temporary(TENSOR_BYTES * parameters.length);
    parameters.forEach(([name, { shape, data, group = 0, tags = [] }], i) => {
      const count = product(shape);
      const bytes = count * this.#Array.BYTES_PER_ELEMENT;
      if (!Number.isSafeInteger(group) || group < 0 || group >= MOST)
        throw new RangeError(`${name} is in group ${group}, which is no index`);
      if (data !== undefined) checkedNumbers(data, count, `the data of ${name}`);
      const lines = countLines(shape, this.#rule.split);
      const tensor = { name, count, ...lines, param: code.allocate(bytes) };
      this.#tensors.push(tensor);
      tensor.grad = code.allocate(bytes);
      if (data) this.param(name).set(data);
      this.#groups = Math.max(this.#groups, group + 1);
      const sizes = code.temporary(8 * shape.length);
      shape.forEach((size, k) => code.view.setBigUint64(sizes + 8 * k, BigInt(size), true));
      const texts = code.temporaryTable(tags.map((tag) => code.temporaryText(tag)));
      this.#write(tensors + TENSOR_BYTES * i, [code.temporaryText(name), sizes, 0, texts, 0,
        tensor.param, shape.length, tags.length, group]);
    });
    const spec = code.temporary(SPEC_BYTES);
    this.#write(spec, [interfaceVersion, parameters.length, tensors, this.#groups, 1]);
    const handle = code.temporary(4);
    code.checked(this.#rule.prefix, "create", spec, handle);
    this.#handle = code.view.getUint32(handle, true);
  }

  /* Fields of 4 bytes. */
  #write(place, fields) {
    fields.forEach((field, i) => this.#code.view.setUint32(place + 4 * i, field, true));
  }

  #tensor(name) {
    const found = this.#tensors.find((tensor) => tensor.name === name);
    if (!found) throw new RangeError(`there is no parameter ${name}`);
    return found;
  }

  #array(pointer, count) {
    return new this.#Array(this.#code.exports.memory.buffer, pointer, count);
  }

  param(name) {
    const { param, count } = this.#tensor(name);
    return this.#array(param, count);
  }

  grad(name) {
    const { grad, count } = this.#tensor(name);
    return this.#array(grad, count);
  }

  /* One step with what grad() holds. `without`: names of parameters that have no gradient in it.
   * `regrad`: for rules that move the parameters and need gradients there: writes these to grad().
   * `inputs` of the rule by name: a number for one of the model, an array of numbers for one of
   * groups or tensors, arrays by parameter for one of matrices, rows, columns (those of the first
   * matrix, then of the next) or elements. Returns "completed", "held" or
   * "skipped". If it throws, the step has not happened. */
  step({ without = [], regrad, inputs = {} } = {}) {
    const code = this.#code;
    const left = new Set(without);
    for (const name of left) this.#tensor(name);
    return code.within(() => {
      const table = this.#inputs(inputs);
      const given = this.#rule.inputs.length > 0 ? [table] : [];
      const gradients = code.temporaryTable(
        this.#tensors.map((tensor) => (left.has(tensor.name) ? 0 : tensor.grad)));
      const outcome = code.temporary(4);
      try {
        for (;;) {
          code.checked(this.#rule.prefix, "step", this.#handle, gradients, ...given, outcome);
          const name = OUTCOMES[code.view.getUint32(outcome, true)];
          if (name !== "regrad") return name;
          if (!regrad)
            throw new LibraryError("WAITING",
              `${this.#rule.name} needs gradients where it has moved the parameters: give step a regrad`);
          regrad();
        }
      } catch (error) {
        this.abandon();
        throw error;
      }
    });
  }

  /* Gives up a step that waits for another gradient: all is as before it. step does so itself where
   * it throws. */
  abandon() {
    this.#code.call(NAME, "abandon", this.#handle);
  }

  #inputs(values) {
    const code = this.#code;
    const known = this.#rule.inputs.map((input) => input.field);
    for (const name of Object.keys(values))
      if (!known.includes(name))
        throw new RangeError(`the rule has no input ${name}; it has ${known.join(", ")}`);
    return code.temporaryTable(this.#rule.inputs.map(({ field, rate }) => {
      if (values[field] === undefined) return 0;
      const what = `input ${field}`;
      const counts = { model: 1, group: this.#groups, tensor: this.#tensors.length };
      if (rate in counts) {
        const numbers = rate === "model" ? [values[field]] : values[field];
        return this.#temporaryArray(Float64Array, numbers, counts[rate], what);
      }
      if (values[field] === null || typeof values[field] !== "object")
        throw new TypeError(`${what} is one a ${rate}: give arrays by the names of parameters`);
      const given = new Map(Object.entries(values[field]));
      for (const name of given.keys()) this.#tensor(name);
      const Kind = rate === "matrix" ? Float64Array : this.#Array;
      return code.temporaryTable(this.#tensors.map((tensor) => {
        const numbers = given.get(tensor.name) ?? null;
        const count = rate === "element" ? tensor.count : tensor[rate];
        return numbers && this.#temporaryArray(Kind, numbers, count, `${what} of ${tensor.name}`);
      }));
    }));
  }

  #temporaryArray(Kind, numbers, count, what) {
    checkedNumbers(numbers, count, what);
    const pointer = this.#code.temporary(count * Kind.BYTES_PER_ELEMENT);
    new Kind(this.#code.exports.memory.buffer, pointer, count).set(numbers);
    return pointer;
  }

  #hyperName(name) {
    const found = this.#rule.hypers.find((hyper) => hyper.field === name || hyper.name === name);
    return this.#code.temporaryText(found ? found.name : name);
  }

  /* WebAssembly would take -1 for all groups, and null for group 0. */
  #group(group) {
    if (!Number.isSafeInteger(group) || group < 0 || group >= this.#groups)
      throw new RangeError(`there is no group ${group}: groups are 0 to ${this.#groups - 1}`);
    return group;
  }

  /* Of one group, or of all where none is named. Truths may be given as such. */
  setHyper(name, value, group) {
    const number =
      typeof value === "boolean" ? Number(value) : checkedNumber(value, `hyper ${name}`);
    const index = group === undefined ? ALL_GROUPS : this.#group(group);
    this.#code.within(() => this.#code.checked(
      NAME, "set_hyper", this.#handle, this.#hyperName(name), index, number));
  }

  hyper(name, group = 0) {
    const code = this.#code;
    const index = this.#group(group);
    return code.within(() => {
      const value = code.temporary(8);
      code.checked(NAME, "get_hyper", this.#handle, this.#hyperName(name), index, value);
      return code.view.getFloat64(value, true);
    });
  }

  /* Completed steps. */
  get steps() {
    return Number(this.#code.call(NAME, "steps", this.#handle));
  }

  /* The states themselves: {name, tensor, group, data} each, with an array that looks into them. */
  states() {
    const code = this.#code;
    return code.within(() => {
      const state = code.temporary(STATE_BYTES);
      const found = [];
      while (code.call(NAME, "next_state", this.#handle, state)) {
        const word = (i) => code.view.getUint32(state + 4 * i, true);
        if (word(9) !== 0) continue; // a counter or a flag
        const Array = word(8) === 4 ? Float32Array : Float64Array;
        found.push({ name: code.text(word(0)), tensor: word(1) ? code.text(word(1)) : null,
          group: word(7), data: new Array(code.exports.memory.buffer, word(2), word(4)) });
      }
      return found;
    });
  }

  /* A view of the parameters by name, as new arrays. */
  readView(view) {
    const code = this.#code;
    return code.within(() => {
      const places = this.#tensors.map(
        ({ count }) => code.temporary(count * this.#Array.BYTES_PER_ELEMENT));
      code.checked(NAME, "read_view", this.#handle, code.temporaryText(view),
        code.temporaryTable(places));
      return Object.fromEntries(this.#tensors.map(
        ({ name, count }, i) => [name, this.#array(places[i], count).slice()]));
    });
  }

  /* Puts a view in place of all parameters, until swapOut. */
  swapIn(view) {
    const code = this.#code;
    const kept = code.allocate(Number(code.call(NAME, "swap_bytes", this.#handle)));
    try {
      code.within(() =>
        code.checked(NAME, "swap_in", this.#handle, code.temporaryText(view), kept));
    } catch (error) {
      code.exports.free(kept);
      throw error;
    }
    this.#kept = kept;
  }

  /* Puts the parameters back. */
  swapOut() {
    this.#code.within(() => this.#code.checked(NAME, "swap_out", this.#handle));
    this.#code.exports.free(this.#kept);
    this.#kept = 0;
  }

  /* What body() returns, which runs while the parameters hold the view; of an async one, until its
   * promise is settled. */
  view(name, body) {
    this.swapIn(name);
    let result;
    try {
      result = body();
    } catch (error) {
      this.swapOut();
      throw error;
    }
    if (typeof result?.then === "function")
      return Promise.resolve(result).finally(() => this.swapOut());
    this.swapOut();
    return result;
  }

  /* Back to the beginning, but for hypers and parameters. */
  reset() {
    this.#code.within(() => this.#code.checked(NAME, "reset", this.#handle));
  }

  /* All states as bytes, in the safetensors format. */
  save() {
    const code = this.#code;
    return code.within(() => {
      const bytes = code.call(NAME, "saved_bytes", this.#handle);
      const buffer = code.temporary(Number(bytes));
      code.checked(NAME, "save", this.#handle, buffer, bytes);
      return new Uint8Array(code.exports.memory.buffer, buffer, Number(bytes)).slice();
    });
  }

  /* What an optimizer of the same rule and parameters has saved: a Uint8Array, or an ArrayBuffer as
   * fetch gives it. */
  load(saved) {
    const code = this.#code;
    const bytes = saved instanceof ArrayBuffer ? new Uint8Array(saved) : saved;
    if (!(bytes instanceof Uint8Array))
      throw new TypeError("load takes what save gave, as a Uint8Array or an ArrayBuffer");
    code.within(() => {
      const buffer = code.temporary(bytes.length);
      new Uint8Array(code.exports.memory.buffer, buffer, bytes.length).set(bytes);
      code.checked(NAME, "load", this.#handle, buffer, BigInt(bytes.length));
    });
  }

  /* Ends it and gives its memory back; nothing else may be done with it, or with its arrays. */
  free() {
    this.#code.call(NAME, "destroy", this.#handle);
    this.#handle = 0;
    this.#code.exports.free(this.#kept); // destroy has put the parameters back
    this.#kept = 0;
    for (const { param, grad } of this.#tensors.splice(0)) {
      this.#code.exports.free(param);
      this.#code.exports.free(grad ?? 0);
    }
  }
}
