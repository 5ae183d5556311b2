#!/usr/bin/env python3
"""Holds the page to the native verifier, and shows it in Chromium. `make page-check` runs it.

    check.py --page FOLDER --library FILE [--mutants N] [--samples N] [--seed S] [--pictures FOLDER]

1. Every bundle of Tests/Vectors, the signatures of signatures.json in their place in a bundle and in a genesis, what fuzzing
   starts from, and N mutants: huijin.wasm gives the verdict and, byte for byte, the report of libhuijin_verify.so.
2. A sample of them, in Chromium: the page shows that report and a verdict that goes with it; it asks no network for anything.
3. A good, a tampered and an incomplete bundle, and one with hostile titles, each in a picture.

Ends with 1 if anything is otherwise.
"""
import argparse
import ctypes
import json
import pathlib
import random
import shutil
import struct
import sys
import tempfile
import time

import wasmtime
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[3]
VECTORS = ROOT / "Tests/Vectors"
BOTH = 2
GENESIS_BYTES_MAX, BUNDLE_BYTES_MAX = 4 << 20, 256 << 20
VERDICTS = {0: ["proven"], 1: ["proven-false"], 2: ["not-proven", "cannot-be-trusted-yet"], 64: ["misuse"]}
FAILURES = []


def expect(condition, what):
    """Notes what is otherwise than it should be, and goes on."""
    if not condition:
        FAILURES.append(what)
        print(f"  FAILED: {what}")


class Native:
    """libhuijin_verify.so, as huijin_verify.h has it."""

    def __init__(self, path):
        self.library = ctypes.CDLL(str(path))
        self.library.huijin_verify.restype = ctypes.c_int32
        self.library.huijin_verify.argtypes = [
            ctypes.c_char_p, ctypes.c_ssize_t, ctypes.c_char_p, ctypes.c_ssize_t, ctypes.c_int32,
            ctypes.POINTER(ctypes.c_void_p)]
        self.library.huijin_release.argtypes = [ctypes.c_void_p]

    def verify(self, genesis, bundle):
        report = ctypes.c_void_p()
        code = self.library.huijin_verify(
            genesis, len(genesis), bundle, len(bundle), BOTH, ctypes.byref(report))
        text = ctypes.string_at(report.value)
        self.library.huijin_release(report)
        return code, text


class Program:
    """huijin.wasm, each time in memory of its own, as in the page."""

    def __init__(self, path):
        self.engine = wasmtime.Engine()
        self.module = wasmtime.Module.from_file(self.engine, str(path))
        expect(not self.module.imports, "the program asks its host for nothing")

    def verify(self, genesis, bundle):
        store = wasmtime.Store(self.engine)
        exports = wasmtime.Instance(store, self.module, []).exports(store)
        memory = exports["memory"]

        def put(data):
            start = exports["malloc"](store, max(1, len(data))) & 0xFFFFFFFF
            memory.write(store, data, start)
            return start

        result = put(bytes(4))
        try:
            code = exports["huijin_verify"](
                store, put(genesis), len(genesis), put(bundle), len(bundle), BOTH, result)
        except wasmtime.Trap as trap:
            return None, str(trap).encode()
        [start] = struct.unpack("<I", memory.read(store, result, result + 4))
        rest = memory.read(store, start, memory.data_len(store))
        return code, bytes(rest[:rest.index(0)])


def vectors(name):
    """Parts by their first word: of bundle.hex by suite."""
    parts = {}
    for line in (VECTORS / name).read_text().splitlines():
        if not line.startswith("#"):
            group, part, data = line.split()
            parts.setdefault(group, {})[part] = bytes.fromhex(data)
    return parts


def good_pairs():
    """(name, genesis, bundle) of every bundle that is kept; proven or refused alike."""
    for file in ("bundle.hex", "page.hex"):
        for group, parts in vectors(file).items():
            for part, data in parts.items():
                if b"huijin/evidence/" in data[:24]:
                    yield f"{group} {part}", parts["genesis"], data


def signature_pairs(native):
    """Each vector's signature as the first vote of a bundle, and its key as the first validator's of a genesis."""
    kept = vectors("signature-bundle.hex")
    cases = json.loads((VECTORS / "signatures.json").read_text())
    vote = b"\x82\x00\x58\x40"  # [0, bstr of 64 bytes]: validator 0 and its signature
    for suite, parts in kept.items():
        mine = [case for case in cases if case["suite"] == suite]
        genesis, bundle = parts["genesis"], parts["bundle"]
        good = next(case for case in mine if case["decision"] == "valid")
        start = bundle.index(vote) + 2
        for case in mine:
            signature, other_key = bytes.fromhex(case["signature"]), bytes.fromhex(case["publicKey"])
            changed = bundle[:start] + bytes([0x58, len(signature)]) + signature + bundle[start + 66:]
            if (case["publicKey"], case["message"]) == (good["publicKey"], good["message"]):
                is_proven = native.verify(genesis, changed)[0] == 0
                expect(is_proven == (case["decision"] == "valid"), f"{suite}, {case['name']}: proven is {is_proven}")
                yield f"{suite}, {case['name']}: vote", genesis, changed
            key = bytes.fromhex(good["publicKey"])
            if len(other_key) == len(key):
                yield f"{suite}, {case['name']}: key", genesis.replace(key, other_key), bundle


def corpus_pairs(genesis, bundle):
    """What fuzzing starts from, in place of a bundle and of a genesis; some are such files, of other ledgers."""
    for number, line in enumerate((ROOT / "Benchmarks/huijin-fuzz/corpus.hex").read_text().splitlines()):
        if not line.startswith("#"):
            data = bytes.fromhex(line.split()[1])
            yield f"corpus line {number + 1} as a bundle", genesis, data
            yield f"corpus line {number + 1} as a genesis", data, bundle


def mutant(data, generator):
    """The bytes with something wrong in one place or a few."""
    changed = bytearray(data)
    for _ in range(generator.choice([1, 1, 1, 2, 4])):
        at = generator.randrange(len(changed))
        match generator.randrange(7):
            case 0: changed[at] ^= 1 << generator.randrange(8)
            case 1: changed[at] = generator.choice([0, 1, 0x17, 0x18, 0x1B, 0x3B, 0x7F, 0x80, 0x9F, 0xF6, 0xFF])
            case 2: del changed[at:at + generator.randrange(1, 40)]
            case 3: changed[at:at] = changed[at:at + generator.randrange(1, 40)]
            case 4: changed[at:at + 9] = b"\x1b" + generator.choice([2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1]).to_bytes(8)
            case 5: changed[at:at + 5] = b"\x1a" + generator.choice([2**16, 2**31 - 1, 2**31, 2**32 - 1]).to_bytes(4)
            case 6: changed = changed[:max(1, at)]
    return bytes(changed)


def mutants(pairs, count, generator):
    """Bundles and genesis files with faults, and bundles on the genesis of another ledger."""
    for number in range(count):
        name, genesis, bundle = generator.choice(pairs)
        match generator.randrange(12):
            case 0: genesis = mutant(genesis, generator)
            case 1: genesis = generator.choice(pairs)[1]
            case _: bundle = mutant(bundle, generator)
        yield f"mutant {number} of {name}", genesis, bundle


def edges(genesis, bundle):
    """Nothing at all, and files as long as is allowed and longer by a byte."""
    yield "empty bundle", genesis, b""
    yield "empty genesis", b"", bundle
    for extra in (0, 1):
        yield f"longest bundle + {extra}", genesis, bundle.ljust(BUNDLE_BYTES_MAX + extra, b"\0")
        yield f"longest genesis + {extra}", genesis.ljust(GENESIS_BYTES_MAX + extra, b"\0"), bundle


def compare(pairs, native, program):
    """Both on every pair; gives the pairs with the native result."""
    judged, verdicts, started = [], {}, time.monotonic()
    for name, genesis, bundle in pairs:
        expected = native.verify(genesis, bundle)
        found = program.verify(genesis, bundle)
        expect(found == expected, f"{name}: {found[0]} {found[1][:200]!r}, native {expected[0]} {expected[1][:200]!r}")
        verdicts[expected[0]] = verdicts.get(expected[0], 0) + 1
        judged.append((name, genesis, bundle, expected))
    by_code = ", ".join(f"{'/'.join(VERDICTS[code])} {count}" for code, count in sorted(verdicts.items()))
    print(f"  {len(judged)} inputs decided alike by both: {by_code} ({time.monotonic() - started:.0f} s)")
    return judged


class Shown:
    """The page in Chromium, from its file."""

    def __init__(self, browser, file):
        self.context = browser.new_context(viewport={"width": 1080, "height": 900}, offline=True)
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri())

    def choose(self, genesis, bundle):
        for kind, data in (("genesis", genesis), ("bundle", bundle)):
            self.page.set_input_files(
                f"#{kind}", {"name": f"{kind}.cbor", "mimeType": "application/octet-stream", "buffer": data})
            self.page.wait_for_function(f"document.getElementById('{kind}-name').textContent.includes('{len(data):,} B')")
        self.page.wait_for_selector("#verdict:not([hidden]):not([data-verdict=working])")

    def drop(self, *files):
        """Both files at once from elsewhere, as a hand would."""
        self.page.evaluate("""(files) => {
          const data = new DataTransfer();
          files.forEach((bytes, index) => data.items.add(new File([new Uint8Array(bytes)], `file-${index}`)));
          dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
        }""", [list(data) for data in files])
        self.page.wait_for_selector("#verdict:not([hidden]):not([data-verdict=working])")

    def verdict(self):
        return self.page.get_attribute("#verdict", "data-verdict")

    def report(self):
        text = lambda name: self.page.evaluate(f"document.getElementById('{name}').textContent")
        return (text("json") + "\n" + text("report")).encode()

    def picture(self, path):
        """All but the full report, which is as long as the history."""
        bottom = self.page.evaluate("document.getElementById('full').getBoundingClientRect().top + scrollY")
        self.page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": 1080, "height": bottom})


def check_page(browser, file, judged, samples, generator):
    """The page says what the native verifier says, whichever bundle was there before."""
    shown = Shown(browser, file)
    chosen = judged if len(judged) <= samples else generator.sample(judged, samples)
    for name, genesis, bundle, (code, report) in chosen:
        # An empty file is no file to a browser's chooser.
        if not genesis or not bundle:
            continue
        shown.choose(genesis, bundle)
        expect(shown.verdict() in VERDICTS[code], f"{name}: the page says {shown.verdict()}, native {code}")
        expect(shown.report() == report, f"{name}: the page's report is another one")
    outside = [url for url in shown.requests if not url.startswith(("file:", "blob:"))]
    expect(not outside, f"the page asked for {outside}")
    expect(not shown.complaints, f"the browser complained: {shown.complaints[:3]}")
    print(f"  {len(chosen)} of them decided alike by the page in {browser.browser_type.name} {browser.version}")
    shown.context.close()


def check_limits(browser, folder, file, genesis):
    """A file that is too long is named as such and not read."""
    long = folder / "long.bundle"
    with long.open("wb") as handle:
        handle.truncate(BUNDLE_BYTES_MAX + 1)
    shown = Shown(browser, file)
    shown.page.set_input_files("#genesis", {"name": "genesis.cbor", "mimeType": "", "buffer": genesis})
    shown.page.set_input_files("#bundle", str(long))
    shown.page.wait_for_function("document.getElementById('bundle-name').textContent.includes('过大')")
    expect(shown.page.locator("#verdict").is_hidden(), "a file that is too long has no verdict")
    shown.context.close()


def check_choices(browser, file, genesis, bundle):
    """The verdict is of the files whose names stand there: not of the ones before, nor of one that was slower to read."""
    tampered = bytearray(bundle)
    tampered[len(tampered) // 2] ^= 1
    shown = Shown(browser, file)
    shown.choose(genesis, bundle)
    expect(shown.verdict() == "proven", "the first choice is proven")
    shown.page.evaluate("""() => {
      const read = Blob.prototype.arrayBuffer;
      Blob.prototype.arrayBuffer = function () {
        if (this.name === "gone") return Promise.reject(new Error("gone"));
        if (this.name === "slow") return new Promise((done) => (window.release = () => done(read.call(this))));
        return read.call(this);
      };
    }""")
    put = lambda name, data: shown.page.set_input_files(
        "#bundle", {"name": name, "mimeType": "application/octet-stream", "buffer": data})
    put("gone", bundle)
    shown.page.wait_for_function("document.getElementById('bundle-name').textContent.includes('无法读取')")
    expect(shown.page.locator("#verdict").is_hidden() and shown.page.locator("#proven").is_hidden(),
           "nothing stands beside a file that cannot be read")
    put("slow", bundle)
    put("fast", bytes(tampered))
    shown.page.wait_for_selector("#verdict[data-verdict=proven-false]")
    shown.page.evaluate("window.release()")
    shown.page.wait_for_selector("#verdict[data-verdict=proven-false]:not([hidden])")
    expect("fast" in shown.page.text_content("#bundle-name"), "the later choice keeps its name")
    shown.context.close()


def check_faults(browser, folder, file, genesis, bundle):
    """A program that traps, and a page that was altered, prove nothing."""
    import base64
    text = file.read_text()
    trap = wasmtime.wat2wasm("""(module (memory (export "memory") 2)
      (func (export "malloc") (param i32) (result i32) i32.const 1024)
      (func (export "huijin_verify") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable))""")
    start = text.index('id="program">') + len('id="program">')
    other = folder / "trap.html"
    other.write_text(text[:start] + base64.b64encode(trap).decode() + text[text.index("<", start):])
    shown = Shown(browser, other)
    shown.choose(genesis, bundle)
    expect(shown.verdict() == "fault", f"a trap is shown as {shown.verdict()}")
    expect(shown.page.locator("#proven").is_hidden(), "nothing is shown as proven after a trap")
    shown.context.close()
    altered = folder / "altered.html"
    altered.write_text(text.replace("const verdicts = {", "const verdicts =  {"))
    shown = Shown(browser, altered)
    expect(any("Content Security Policy" in line for line in shown.complaints), "an altered script does not run")
    shown.context.close()


def check_graph(shown):
    """As many arrows are drawn as unproven as the report names parents that are not included."""
    named = [parent for finding in json.loads(shown.page.text_content("#json"))["findings"]
             for parent in finding.get("parents", []) if not parent["included"]]
    drawn = shown.page.locator("#graph .edge.unproven").count()
    expect(drawn == len(named), f"{drawn} arrows are drawn as unproven, {len(named)} parents are not included")


def check_pictures(browser, file, native, pictures):
    """The four that people look at; each is what it is meant to be."""
    parts = vectors("page.hex")["page"]
    tampered = bytearray(parts["provenance"])
    tampered[len(tampered) // 2] ^= 1
    wanted = [
        ("good", parts["provenance"], "proven"), ("tampered", bytes(tampered), "proven-false"),
        ("incomplete", parts["incomplete"], "proven-false"), ("hostile", parts["hostile"], "proven"),
    ]
    for name, bundle, verdict in wanted:
        shown = Shown(browser, file)
        shown.page.evaluate("window.broken = false")
        shown.drop(bundle, parts["genesis"])
        if verdict == "proven":
            check_graph(shown)
        expect(shown.verdict() == verdict, f"{name} is shown as {shown.verdict()}")
        expect(shown.report() == native.verify(parts["genesis"], bundle)[1], f"{name}: another report")
        expect(shown.page.evaluate("window.broken") is False, f"{name}: a title ran as a script")
        expect(shown.page.evaluate("document.querySelectorAll('img, iframe, a, script[src]').length") == 0, f"{name}: a title became markup")
        expect((verdict == "proven") == shown.page.locator("#graph svg").is_visible(), f"{name}: a graph exactly of what is proven")
        if pictures:
            shown.picture(pictures / f"{name}.png")
        expect(not shown.complaints, f"{name}: {shown.complaints[:3]}")
        shown.context.close()
    print(f"  {len(wanted)} pictures" + (f" in {pictures}" if pictures else " looked at, none kept"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--page", type=pathlib.Path, required=True)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--mutants", type=int, default=4000)
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pictures", type=pathlib.Path)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    native, program = Native(options.library.resolve()), Program(options.page / "huijin.wasm")
    file = (options.page / "verify.html").resolve()

    print(f"1. huijin.wasm and {options.library.name} (seed {options.seed})")
    good = list(good_pairs())
    pairs = good + list(signature_pairs(native))
    changed = list(mutants(pairs, options.mutants, generator))
    judged = compare(pairs + list(corpus_pairs(*good[0][1:])) + changed, native, program)
    compare(edges(*good[0][1:]), native, program)
    print("2. the page")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or sys.exit("no chromium / 未找到 chromium")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        check_page(browser, file, judged[:len(pairs)][::7] + judged[len(pairs):], options.samples, generator)
        check_faults(browser, pathlib.Path(folder), file, good[0][1], good[0][2])
        check_choices(browser, file, good[0][1], good[0][2])
        check_limits(browser, pathlib.Path(folder), file, good[0][1])
        print("3. what people see")
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
        check_pictures(browser, file, native, options.pictures)
        browser.close()
    print("FAILED" if FAILURES else "all as it should be / 全部通过")
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
