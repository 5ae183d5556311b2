"use strict";
// Verifies in memory of its own, which ends with the worker. Whatever goes wrong in here is a fault, never a verdict.
onmessage = async ({ data: { program, parts, nowMs } }) => {
  try {
    const { instance } = await WebAssembly.instantiate(program, {});
    const { memory, malloc, huijin_verify } = instance.exports;
    const put = (bytes) => {
      const start = malloc(Math.max(bytes.length, 1)) >>> 0;
      new Uint8Array(memory.buffer, start, bytes.length).set(bytes);
      return start;
    };
    // huijin_part and huijin_result in huijin_verify.h: three words of 32 bits each.
    const table = new Uint32Array(parts.flatMap(({ kind, bytes }) => [kind, put(bytes), bytes.length]));
    const result = put(new Uint8Array(12));
    const both = 2; // HUIJIN_BOTH: a line of JSON, then the text
    const code = huijin_verify(put(new Uint8Array(table.buffer)), parts.length, BigInt(nowMs), both, result);
    const bytes = new Uint8Array(memory.buffer);
    const [start, keptStart, keptCount] = new Uint32Array(memory.buffer.slice(result, result + 12));
    const report = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, bytes.indexOf(0, start)));
    const cut = report.indexOf("\n");
    const kept = keptStart === 0 ? null : bytes.slice(keptStart, keptStart + keptCount);
    postMessage({ code, json: report.slice(0, cut), text: report.slice(cut + 1), kept });
  } catch (fault) {
    postMessage({ fault: String(fault) });
  }
};
