"use strict";
// Verifies in memory of its own, which ends with the worker. Whatever goes wrong in here is a fault, never a verdict.
onmessage = async ({ data: { program, genesis, bundle } }) => {
  try {
    const { instance } = await WebAssembly.instantiate(program, {});
    const { memory, malloc, huijin_verify } = instance.exports;
    const put = (bytes) => {
      const start = malloc(Math.max(bytes.length, 1)) >>> 0;
      new Uint8Array(memory.buffer, start, bytes.length).set(bytes);
      return start;
    };
    const result = put(new Uint8Array(4));
    const both = 2; // HUIJIN_BOTH in huijin_verify.h: a line of JSON, then the text
    const code = huijin_verify(put(genesis), genesis.length, put(bundle), bundle.length, both, result);
    const bytes = new Uint8Array(memory.buffer);
    const start = new DataView(memory.buffer).getUint32(result, true);
    const report = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, bytes.indexOf(0, start)));
    const cut = report.indexOf("\n");
    postMessage({ code, json: report.slice(0, cut), text: report.slice(cut + 1) });
  } catch (fault) {
    postMessage({ fault: String(fault) });
  }
};
