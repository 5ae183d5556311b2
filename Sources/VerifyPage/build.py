#!/usr/bin/env python3
"""Makes verify.html, the page that verifies evidence bundles (`make page`).

    build.py ROOT FOLDER

The Swift of the light client and of the rooms under it, and libsodium's C, become one WebAssembly file; that, the
script and the style go into one HTML file which needs no server and asks nobody. Everything lies in FOLDER
afterwards: huijin.wasm, worker.js, verify.html. libsodium is the source package of the libsodium that is installed here,
security fixes included, so that page and node run the same code; apt checks its signature.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

# The upstream archive in Debian 12's source package; another one needs another look at what is compiled.
LIBSODIUM = "d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4"
SODIUM_FILES = [
    "crypto_core/ed25519/core_ed25519.c", "crypto_core/ed25519/ref10/ed25519_ref10.c",
    "crypto_hash/sha256/cp/hash_sha256_cp.c", "crypto_hash/sha512/cp/hash_sha512_cp.c",
    "crypto_sign/crypto_sign.c", "crypto_sign/ed25519/ref10/open.c",
    "crypto_sign/ed25519/ref10/sign.c", "crypto_verify/sodium/verify.c",
]
ROOMS = ["Encoding", "LedgerCrypto", "Merkle", "Ledger", "Records", "LightClient", "VerifyLibrary", "VerifyPage"]
TARGET = ["-target", "wasm32-unknown-none-wasm"]
STACK_BYTES = 8 << 20
# All that 32 bits can address: a bundle of 256 MiB, its copy and what is decoded from it.
MEMORY_BYTES = 1 << 32


def run(*command, **options):
    result = subprocess.run([str(word) for word in command], **options)
    if result.returncode != 0:
        sys.exit(f"{command[0]} failed / 失败")
    return result


def output(*command):
    return run(*command, stdout=subprocess.PIPE, text=True).stdout


def source_lines(version):
    """Where the installed package came from, as lines of a source list."""
    pattern = re.compile(rf"^ *libsodium-dev \| {re.escape(version)} \| (\S+) (\S+)/(\S+) \S+ Packages$", re.M)
    return sorted({f"deb-src {uri} {suite} {component}\n" for uri, suite, component
                   in pattern.findall(output("apt-cache", "madison", "libsodium-dev"))})


def libsodium(folder):
    """The folder of libsodium's C files."""
    binary, source = output("dpkg-query", "-W", "-f", "${Version} ${source:Version}", "libsodium-dev").split()
    unpacked = folder / f"libsodium-{source}"
    if not unpacked.exists():
        lines = source_lines(binary)
        if not lines:
            run(*([] if os.geteuid() == 0 else ["sudo"]), "apt-get", "update", "-qq")
            lines = source_lines(binary)
        if not lines:
            sys.exit(f"no archive in apt's lists has libsodium-dev {binary} / 软件源中没有该版本")
        apt = folder / "apt"
        for part in ("lists/partial", "cache/archives/partial", "parts"):
            (apt / part).mkdir(parents=True, exist_ok=True)
        (apt / "parts/source.list").write_text("".join(lines))
        options = [f"-oDir::Etc::SourceList={apt}/none", f"-oDir::Etc::SourceParts={apt}/parts",
                   f"-oDir::State::Lists={apt}/lists", f"-oDir::Cache={apt}/cache", "-oAPT::Sandbox::User=root"]
        run("apt-get", *options, "-qq", "update")
        run("apt-get", *options, "-qq", "--download-only", "source", f"libsodium={source}", cwd=apt)
        [original] = apt.glob("libsodium_*.orig.tar.gz")
        found = hashlib.sha256(original.read_bytes()).hexdigest()
        if found != LIBSODIUM:
            sys.exit(f"{original.name} has another digest: {found} / 摘要不符")
        [description] = apt.glob("libsodium_*.dsc")
        run("dpkg-source", "--no-check", "-q", "-x", description.name, "unpacked", cwd=apt)
        (apt / "unpacked").rename(unpacked)
        shutil.rmtree(apt)
    code = unpacked / "src/libsodium"
    # What libsodium's configure script would write.
    numbers = {"@VERSION@": source.split("-")[0], "@SODIUM_LIBRARY_VERSION_MAJOR@": "10",
               "@SODIUM_LIBRARY_VERSION_MINOR@": "3", "@SODIUM_LIBRARY_MINIMAL_DEF@": ""}
    version = (code / "include/sodium/version.h.in").read_text()
    for name, number in numbers.items():
        version = version.replace(name, number)
    (code / "include/sodium/version.h").write_text(version)
    return code


def wasm(root, folder):
    """Compiles and links huijin.wasm."""
    here = root / "Sources/VerifyPage/wasm"
    runtime = pathlib.Path(json.loads(output("swiftc", "-print-target-info"))["paths"]["runtimeResourcePath"])
    tools = runtime.parent.parent / "bin"
    sodium = libsodium(folder)
    objects = folder / "objects"
    objects.mkdir(exist_ok=True)
    headers = ["-ffreestanding", f"-I{here}/include/libc", f"-I{sodium}/include"]
    compiled = []

    def object_for(name):
        compiled.append(objects / f"{name}.o")
        return compiled[-1]

    for file in [here / "runtime.c"] + [sodium / name for name in SODIUM_FILES]:
        run(tools / "clang", *TARGET, "-O2", "-mbulk-memory", *headers, f"-I{sodium}/include/sodium", "-DCONFIGURED=1",
            "-DNATIVE_LITTLE_ENDIAN=1", "-c", file, "-o", object_for(file.stem))
    maps = [f"-I{here}/include/{name}" for name in ("CSodium", "COpenSSL", "Glibc")] + [f"-I{root}/Sources/CVerifyLibrary"]
    clang = [word for header in headers + [f"-I{root}/Sources/COpenSSL/include"] for word in ("-Xcc", header)]
    shared = [pathlib.Path(__file__), root / "Sources/COpenSSL/include/huijin_openssl.h",
              root / "Sources/CVerifyLibrary/huijin_verify.h",
              *(file for file in (here / "include").rglob("*") if file.is_file())]
    is_stale = False
    for room in ROOMS:
        files = sorted((root / "Sources" / room).rglob("*.swift"))
        made = object_for(room)
        newest = max(file.stat().st_mtime for file in files + shared)
        # A room is compiled into those above it.
        is_stale = is_stale or not made.exists() or made.stat().st_mtime < newest
        if not is_stale:
            continue
        made.unlink(missing_ok=True)
        run("swiftc", *TARGET, "-swift-version", "6", "-O", "-wmo", "-parse-as-library", "-warnings-as-errors",
            "-enable-experimental-feature", "Embedded", "-enable-experimental-feature", "Lifetimes",
            "-Xfrontend", "-disable-stack-protector", "-module-name", room, "-emit-module",
            "-emit-module-path", objects / f"{room}.swiftmodule", f"-I{objects}", *maps, *clang,
            "-c", *files, "-o", made)
    run(tools / "wasm-ld", "--no-entry", "--gc-sections", "--strip-all", "--stack-first", "-z", f"stack-size={STACK_BYTES}",
        f"--max-memory={MEMORY_BYTES}", "--export=malloc", "--export=huijin_verify", *compiled,
        runtime / "embedded/wasm32-unknown-none-wasm/libswiftUnicodeDataTables.a", "-o", folder / "huijin.wasm")
    return (folder / "huijin.wasm").read_bytes()


def digest_source(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def page(root, folder, program):
    """One file: nothing but its own script and style may run, and nothing may be fetched."""
    here = root / "Sources/VerifyPage/page"
    style = (here / "page.css").read_text()
    script = "".join((here / name).read_text() for name in ("graph.js", "page.js"))
    worker = (here / "worker.js").read_text()
    policy = "; ".join([
        "default-src 'none'", f"script-src {digest_source(script)} 'wasm-unsafe-eval'", "worker-src blob:",
        f"style-src {digest_source(style)}", "base-uri 'none'", "form-action 'none'"])
    parts = {
        "policy": policy, "style": style, "script": script, "worker": worker,
        "program": base64.b64encode(program).decode(), "digest": hashlib.sha256(program).hexdigest(),
    }
    text = (here / "page.html").read_text()
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], text)


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    root, folder = pathlib.Path(arguments[0]).resolve(), pathlib.Path(arguments[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    program = wasm(root, folder)
    html = page(root, folder, program)
    (folder / "verify.html").write_text(html)
    print(f"{folder}/verify.html: {len(html):,} bytes, of which the program {len(program):,}")


if __name__ == "__main__":
    main(sys.argv[1:])
