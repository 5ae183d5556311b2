#!/usr/bin/env python3
"""Holds the page to the native verifier, and shows it in Chromium. `make page-check` runs it.

    check.py --page FOLDER --library FILE [--mutants N] [--samples N] [--seed S] [--pictures FOLDER]

1. Every bundle of Tests/Vectors, alone and with all that may be known beforehand, the signatures of signatures.json in their
   place in a bundle and in a genesis, what fuzzing starts from, and N mutants: huijin.wasm gives the verdict and, byte for
   byte, the report of libhuijin_verify.so, and what is to be kept.
2. A sample of them, in Chromium: the page shows that report and a verdict that goes with it; it asks no network for anything.
3. A good, a tampered and an incomplete bundle, one with hostile titles, one beside all that is known, and a fork, each in a picture.

Ends with 1 if anything is otherwise.
"""
import argparse
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import wasmtime
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[3]
VECTORS = ROOT / "Tests/Vectors"
BOTH = 2
GENESIS, BUNDLE, EXPECTED, CHECKPOINT, ACCEPTED, TRUST, NOTE, WITNESS = range(1, 9)
LIMITS = {GENESIS: 4 << 20, BUNDLE: 256 << 20, CHECKPOINT: 128 << 10, TRUST: 64 << 20, NOTE: 128 << 10}
# Where the page takes a part: a file, or a line that is typed.
PLACES = {GENESIS: "genesis", BUNDLE: "bundle", CHECKPOINT: "checkpoint", TRUST: "trust", NOTE: "note",
          EXPECTED: "expected", ACCEPTED: "accepted", WITNESS: "witnesses"}
VERDICTS = {0: ["proven"], 1: ["proven-false"], 2: ["not-proven", "cannot-be-trusted-yet"],
            3: ["fork-proven", "two-histories"], 64: ["misuse"]}
NOW_MS = int(time.time() * 1000)
FAILURES = []


def expect(condition, what):
    """Notes what is otherwise than it should be, and goes on."""
    if not condition:
        FAILURES.append(what)
        print(f"  FAILED: {what}")


class Native:
    """libhuijin_verify.so, through the module that other people's programs use."""

    def __init__(self, path):
        sys.path.insert(0, str(ROOT / "Sources/VerifyLibrary"))
        import huijin_verify
        self.library = huijin_verify.Library(str(path))

    def verify(self, parts):
        code, text, kept = self.library._call(parts, NOW_MS)
        return code, text.encode(), kept

    def verify_by_name(self, parts):
        """The same through the arguments that people use, where there are any for such parts."""
        lines = {kind: [data.decode() for other, data in parts if other == kind] for kind in (EXPECTED, WITNESS)}
        given = {kind: data for kind, data in parts if kind not in lines}
        accepted = given[ACCEPTED].decode() if ACCEPTED in given else None
        try:
            report = self.library.verify(
                given[GENESIS], given[BUNDLE], expected=lines[EXPECTED], checkpoint=given.get(CHECKPOINT),
                accepted=accepted, trust=given.get(TRUST), note=given.get(NOTE), witnesses=lines[WITNESS], now_ms=NOW_MS)
        except ValueError as mistake:
            return 64, str(mistake), None
        return report.code, report.text, report.kept


class Program:
    """huijin.wasm, each time in memory of its own, as in the page."""

    def __init__(self, path):
        self.engine = wasmtime.Engine()
        self.module = wasmtime.Module.from_file(self.engine, str(path))
        expect(not self.module.imports, "the program asks its host for nothing")

    def verify(self, parts):
        store = wasmtime.Store(self.engine)
        exports = wasmtime.Instance(store, self.module, []).exports(store)
        memory = exports["memory"]

        def put(data):
            start = exports["malloc"](store, max(1, len(data))) & 0xFFFFFFFF
            memory.write(store, data, start)
            return start

        table = put(b"".join(struct.pack("<iIi", kind, put(data), len(data)) for kind, data in parts))
        result = put(bytes(12))
        try:
            code = exports["huijin_verify"](store, table, len(parts), NOW_MS, BOTH, result)
        except wasmtime.Trap as trap:
            return None, str(trap).encode(), None
        report, kept, count = struct.unpack("<IIi", memory.read(store, result, result + 12))
        rest = memory.read(store, report, memory.data_len(store))
        return code, bytes(rest[:rest.index(0)]), bytes(memory.read(store, kept, kept + count)) if kept else None


def vectors(name):
    """Parts by their first word: of bundle.hex by suite."""
    parts = {}
    for line in (VECTORS / name).read_text().splitlines():
        if not line.startswith("#"):
            group, part, data = line.split()
            parts.setdefault(group, {})[part] = bytes.fromhex(data)
    return parts


def both(genesis, bundle):
    return [(GENESIS, genesis), (BUNDLE, bundle)]


def good_inputs():
    """(name, parts) of every bundle that is kept; proven or refused alike."""
    for file in ("bundle.hex", "page.hex"):
        for group, parts in vectors(file).items():
            for part, data in parts.items():
                if b"huijin/evidence/" in data[:24]:
                    yield f"{group} {part}", both(parts["genesis"], data)


def known_inputs(native):
    """What may be known beforehand, right and wrong. Each is named with the code that it must have."""
    known = vectors("page.hex")["known"]
    start, other = both(known["genesis"], known["bundle"]), both(known["genesis"], known["other"])
    asked, trust, first = (EXPECTED, known["expected"]), (TRUST, known["trust"]), (TRUST, b"")
    checkpoint, accepted = (CHECKPOINT, known["checkpoint"]), (ACCEPTED, known["accepted"])
    note, witness = (NOTE, known["note"]), (WITNESS, known["witness"])
    for name, code, parts in [
        ("what was asked", 0, start + [asked]), ("asked twice", 0, start + [asked, asked]),
        ("another question", 2, start + [(EXPECTED, b"header 3")]), ("no question", 64, start + [(EXPECTED, b"who")]),
        ("no UTF-8", 64, start + [(EXPECTED, b"\xff")]), ("followed", 0, start + [trust]), ("begun", 0, start + [first]),
        ("a fork", 3, other + [trust]), ("the other, begun", 0, other + [first]),
        ("a checkpoint", 0, start + [checkpoint, accepted]), ("another digest", 64, start + [checkpoint, (ACCEPTED, b"0" * 64)]),
        ("no digest", 64, start + [checkpoint]), ("a digest alone", 64, start + [accepted]),
        ("a checkpoint and begun", 0, start + [checkpoint, accepted, first]),
        ("a checkpoint and trust from genesis", 64, start + [checkpoint, accepted, trust]),
        ("another side than the checkpoint's", 2, other + [checkpoint, accepted, first]),
        ("witnessed", 0, start + [note, witness]), ("witnessed and followed", 0, start + [asked, trust, note, witness]),
        ("a witness whose name is not his key's", 64, start + [note, (WITNESS, known["witness"].replace(b"w1", b"w2"))]),
        ("a note alone", 64, start + [note]), ("a witness alone", 64, start + [witness]),
        ("a witness twice", 2, start + [note, witness, witness]),
        ("seen otherwise", 3, start + [(NOTE, known["othernote"]), witness]),
        ("a trust file that is none", 64, start + [(TRUST, known["genesis"])]), ("two bundles", 64, start + start[1:]),
        ("an unknown part", 64, start + [(9, b"")]), ("no bundle", 64, start[:1]), ("nothing", 64, []),
    ]:
        found = native.verify(parts)
        expect(found[0] == code, f"{name}: {found[0]} {found[1][:300]!r}, should be {code}")
        kinds = [kind for kind, _ in parts]
        if {GENESIS, BUNDLE} <= set(kinds) <= set(PLACES) and kinds.count(BUNDLE) == 1 and all(
                data.isascii() for kind, data in parts if kind not in LIMITS):
            text = found[1].decode().split("\n", 1)[1]
            expect(native.verify_by_name(parts) == (code, text.rstrip("\n") if code == 64 else text, found[2]),
                   f"{name}: another result by the names of Python's arguments")
        yield name, parts


def signature_inputs(native):
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
                is_proven = native.verify(both(genesis, changed))[0] == 0
                expect(is_proven == (case["decision"] == "valid"), f"{suite}, {case['name']}: proven is {is_proven}")
                yield f"{suite}, {case['name']}: vote", both(genesis, changed)
            key = bytes.fromhex(good["publicKey"])
            if len(other_key) == len(key):
                yield f"{suite}, {case['name']}: key", both(genesis.replace(key, other_key), bundle)


def corpus_inputs(parts):
    """What fuzzing starts from, in the place of each part; some are such files, of other ledgers."""
    for number, line in enumerate((ROOT / "Benchmarks/huijin-fuzz/corpus.hex").read_text().splitlines()):
        if not line.startswith("#"):
            for at, (kind, _) in enumerate(parts):
                yield (f"corpus line {number + 1} as the {PLACES[kind]}",
                       parts[:at] + [(kind, bytes.fromhex(line.split()[1]))] + parts[at + 1:])


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


def mutants(inputs, count, generator):
    """A part with faults, mostly the bundle; and bundles on the genesis of another ledger."""
    for number in range(count):
        name, parts = generator.choice(inputs)
        parts = list(parts)
        at = generator.randrange(len(parts)) if generator.randrange(2) else min(1, len(parts) - 1)
        kind, data = parts[at]
        if generator.randrange(12) == 0:
            at, (kind, data) = 0, generator.choice(inputs)[1][0]
        elif data:
            data = mutant(data, generator)
        parts[at] = (kind, data)
        yield f"mutant {number} of {name}", parts


def edges(parts):
    """Nothing at all, and files as long as is allowed and longer by a byte."""
    for at, (kind, data) in enumerate(parts):
        for name, changed in [("empty", b"")] + [
                (f"longest + {extra}", data.ljust(LIMITS[kind] + extra, b"\0")) for extra in (0, 1) if kind in LIMITS]:
            yield f"{name}: {PLACES[kind]}", parts[:at] + [(kind, changed)] + parts[at + 1:]


def compare(inputs, native, program):
    """Both on every input; gives the inputs with the native result."""
    judged, verdicts, started = [], {}, time.monotonic()
    for name, parts in inputs:
        expected = native.verify(parts)
        found = program.verify(parts)
        expect(found == expected, f"{name}: {found[0]} {found[1][:200]!r}, native {expected[0]} {expected[1][:200]!r}")
        verdicts[expected[0]] = verdicts.get(expected[0], 0) + 1
        judged.append((name, parts, expected))
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

    def bring(self, kind, data):
        """One file, and what is typed with others of its kind."""
        place = PLACES[kind]
        self.page.evaluate("(place) => { const more = document.getElementById('more');"
                           " more.open ||= more.contains(document.getElementById(place)); }", place)
        if kind in LIMITS:
            self.page.set_input_files(
                f"#{place}", {"name": f"{place}.cbor", "mimeType": "application/octet-stream", "buffer": data})
            self.page.wait_for_function(f"document.getElementById('{place}-name').textContent.includes('{len(data):,} B')")
        else:
            self.page.evaluate("""([place, line]) => {
              const field = document.getElementById(place);
              field.value += (field.value ? "\\n" : "") + line;
              field.dispatchEvent(new Event("change"));
            }""", [place, data.decode()])

    def choose(self, parts):
        """These, and nothing of what was there before."""
        self.page.evaluate("""() => {
          for (const field of document.querySelectorAll("textarea, input[type=text]")) field.value = "";
          document.getElementById("follow").checked = false;
        }""")
        for kind in (CHECKPOINT, TRUST, NOTE):
            self.page.evaluate(f"document.querySelector('[data-forget={PLACES[kind]}]').click()")
        for kind, data in parts:
            if (kind, data) == (TRUST, b""):
                self.page.evaluate("document.getElementById('follow').click()")
            else:
                self.bring(kind, data)
        self.page.wait_for_selector("#verdict:not([hidden]):not([data-verdict=working])")

    def kept(self):
        """What the page offers to save; nothing without a button."""
        button = self.page.locator("#verdict button")
        if button.count() == 0:
            return None
        with self.page.expect_download() as download:
            button.click()
        return pathlib.Path(download.value.path()).read_bytes()

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


def can_be_brought(parts):
    """To a browser's chooser an empty file is no file, each kind has one place, and a line that is typed has no odd signs."""
    kinds = [kind for kind, _ in parts]
    typed = [data for kind, data in parts if kind not in LIMITS]
    return (set(kinds) <= set(PLACES) and {GENESIS, BUNDLE} <= set(kinds)
            and all(kinds.count(kind) == 1 for kind in LIMITS if kind in kinds)
            and all(data or kind == TRUST for kind, data in parts)
            and all(data.isascii() and data.decode().isprintable() and data.strip() == data for data in typed))


def check_page(browser, file, judged, samples, generator):
    """The page says what the native verifier says, whatever was there before."""
    shown = Shown(browser, file)
    chosen = judged if len(judged) <= samples else generator.sample(judged, samples)
    chosen = [(name, parts, result) for name, parts, result in chosen if can_be_brought(parts)]
    for name, parts, (code, report, kept) in chosen:
        shown.choose(parts)
        expect(shown.verdict() in VERDICTS[code], f"{name}: the page says {shown.verdict()}, native {code}")
        expect(shown.report() == report, f"{name}: the page's report is another one")
        expect(shown.kept() == kept, f"{name}: the page keeps something else")
    outside = [url for url in shown.requests if not url.startswith(("file:", "blob:"))]
    expect(not outside, f"the page asked for {outside}")
    expect(not shown.complaints, f"the browser complained: {shown.complaints[:3]}")
    print(f"  {len(chosen)} of them decided alike by the page in {browser.browser_type.name} {browser.version}")
    shown.context.close()


def check_drop(browser, file, native, known):
    """Files of all kinds at once, each in its place whatever its name; then one of them removed, and a question typed."""
    parts = known["witnessed and followed"]
    dropped = known["a checkpoint"][2:3] + [(kind, data) for kind, data in parts if kind in LIMITS]
    typed = [(kind, data) for kind, data in parts if kind not in LIMITS]
    shown = Shown(browser, file)
    shown.drop(*[data for _, data in reversed(dropped)])
    expect(shown.verdict() == "misuse", f"a checkpoint without its digest is shown as {shown.verdict()}")
    shown.page.click("[data-forget=checkpoint]")
    for kind, data in typed:
        shown.bring(kind, data)
    shown.page.wait_for_selector("#verdict[data-verdict=proven]")
    expect(shown.report() == native.verify(parts)[1], "files that are dropped are judged as files that are chosen")
    shown.page.type("#expected", "x")
    expect(shown.page.locator("#verdict").is_hidden() and shown.page.locator("#proven").is_hidden(),
           "no verdict stands beside a question that is being typed")
    shown.page.keyboard.press("Tab")
    shown.page.wait_for_selector("#verdict[data-verdict=misuse]")
    expect(not shown.complaints, f"the browser complained: {shown.complaints[:3]}")
    shown.context.close()


def check_command(library, folder, parts):
    """The module as a program."""
    [(_, genesis), (_, bundle)] = parts
    files = [folder / "genesis.cbor", folder / "bundle.cbor"]
    for path, data in zip(files, (genesis, bundle)):
        path.write_bytes(data)
    program = [sys.executable, str(ROOT / "Sources/VerifyLibrary/huijin_verify.py"), str(library)]
    for arguments, code in [(files, 0), (files + ["who"], 64), ([files[0], folder / "none"], 66), (files[:1], 64)]:
        found = subprocess.run(program + [str(word) for word in arguments], capture_output=True)
        expect(found.returncode == code, f"huijin_verify.py {arguments}: {found.returncode}, should be {code}")


def check_limits(browser, folder, file, genesis):
    """A file that is too long is named as such and not read."""
    long = folder / "long.bundle"
    with long.open("wb") as handle:
        handle.truncate(LIMITS[BUNDLE] + 1)
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
    shown.choose(both(genesis, bundle))
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
      (func (export "huijin_verify") (param i32 i32 i64 i32 i32) (result i32) unreachable))""")
    start = text.index('id="program">') + len('id="program">')
    other = folder / "trap.html"
    other.write_text(text[:start] + base64.b64encode(trap).decode() + text[text.index("<", start):])
    shown = Shown(browser, other)
    shown.choose(both(genesis, bundle))
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


def check_pictures(browser, file, native, known, pictures):
    """Those that people look at; each is what it is meant to be."""
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
        expect(shown.report() == native.verify(both(parts["genesis"], bundle))[1], f"{name}: another report")
        expect(shown.page.evaluate("window.broken") is False, f"{name}: a title ran as a script")
        expect(shown.page.evaluate("document.querySelectorAll('img, iframe, a, script[src]').length") == 0, f"{name}: a title became markup")
        expect((verdict == "proven") == shown.page.locator("#graph svg").is_visible(), f"{name}: a graph exactly of what is proven")
        if pictures:
            shown.picture(pictures / f"{name}.png")
        expect(not shown.complaints, f"{name}: {shown.complaints[:3]}")
        shown.context.close()
    for name, verdict in (("witnessed and followed", "proven"), ("a fork", "fork-proven")):
        shown = Shown(browser, file)
        shown.choose(known[name])
        expect(shown.verdict() == verdict, f"{name} is shown as {shown.verdict()}")
        expect(shown.report() == native.verify(known[name])[1], f"{name}: another report")
        if pictures:
            shown.picture(pictures / f"{name.split()[-1]}.png")
        shown.context.close()
    print(f"  {len(wanted) + 2} pictures" + (f" in {pictures}" if pictures else " looked at, none kept"))


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
    good = list(good_inputs())
    known = dict(known_inputs(native))
    inputs = good + list(known.items()) + list(signature_inputs(native))
    changed = list(mutants([(name, parts) for name, parts in inputs if parts], options.mutants, generator))
    whole, start = known["witnessed and followed"], known["a checkpoint"]
    judged = compare(inputs + list(corpus_inputs(whole)) + list(corpus_inputs(start)) + changed, native, program)
    compare(list(edges(whole)) + list(edges(start)), native, program)
    print("2. the page")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or sys.exit("no chromium / 未找到 chromium")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        check_page(browser, file, judged[len(good):len(good) + len(known)], len(known), generator)
        check_page(browser, file, judged[:len(inputs)][::7] + judged[len(inputs):], options.samples, generator)
        [(_, genesis), (_, bundle)] = good[0][1]
        check_faults(browser, pathlib.Path(folder), file, genesis, bundle)
        check_choices(browser, file, genesis, bundle)
        check_limits(browser, pathlib.Path(folder), file, genesis)
        check_drop(browser, file, native, known)
        check_command(options.library.resolve(), pathlib.Path(folder), good[0][1])
        print("3. what people see")
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
        check_pictures(browser, file, native, known, options.pictures)
        browser.close()
    print("FAILED" if FAILURES else "all as it should be / 全部通过")
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
