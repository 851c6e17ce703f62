// The numbers of numbers.h.
function mixed(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

function numberBits(stream, index, bias, fractionBits) {
  const h = mixed((mixed(stream) + index) >>> 0);
  const k = mixed((h ^ 0x9e3779b9) >>> 0);
  const choice = k >>> 8;
  let exponent = bias - 1 - (choice % 12);
  if (k % 64 === 0 || k % 64 === 1) exponent = 0;
  if (k % 64 === 2) exponent = 1 + (choice % Math.floor(bias / 3));
  if (k % 64 === 3) exponent = bias + (choice % 40);
  const fraction = k % 64 === 0 ? 0 : h & ((1 << fractionBits) - 1);
  return ((h & 0x80000000) | (exponent << fractionBits) | fraction) >>> 0;
}

/* Fills a Float32Array or Float64Array. */
export function fillNumbers(array, stream) {
  const words = new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4);
  for (let i = 0; i < array.length; ++i) {
    if (array instanceof Float32Array) {
      words[i] = numberBits(stream, i, 127, 23);
    } else {
      const high = numberBits(stream, i, 1023, 20);
      words[2 * i] = (high & 0x7fffffff) === 0 ? 0 : mixed(high);
      words[2 * i + 1] = high;
    }
  }
  return array;
}

export const streamOf = (call, kind, tensor) => call * 1024 + kind * 64 + tensor;

/* The first number of a stream, away from 0 and positive. */
export const inputNumber = (stream) =>
  1 + Math.abs(fillNumbers(new Float64Array(1), stream)[0]);

/* Where two arrays of numbers differ in their bits, any NaN being like another; -1: nowhere. */
export function firstDifference(a, b) {
  const bits = (array) => new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4);
  if (a.length !== b.length) return 0;
  const x = bits(a), y = bits(b), words = a.BYTES_PER_ELEMENT / 4;
  for (let i = 0; i < x.length; ++i) {
    const n = Math.floor(i / words);
    if (x[i] !== y[i] && !(Number.isNaN(a[n]) && Number.isNaN(b[n]))) return n;
  }
  return -1;
}
