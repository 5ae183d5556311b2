#!/usr/bin/env python3
"""Shows bundles and receipts to programs that share no code with Huijin's. `make interop` runs it; see README.md.

    check.py --huijin-verify PROGRAM [--mutations N] [--seed S]

1. verify_bundle.py proves the good bundles of Tests/Vectors/bundle.hex and says the same as huijin-verify.
2. Damaged bundles: neither of the two accepts one with another answer, and they accept the same ones.
3. verify_bundle.py refuses the Ed25519 keys and signatures that `cryptography` takes and libsodium does not.
4. scitt-cose accepts every receipt that `huijin-verify receipts` writes, and no altered one with another answer.
5. scitt-cose accepts the transparent statements and their receipts; huijin-verify demands a quorum of them, and takes those that
   scitt-cose put together.
6. check_tlog.py, which knows C2SP's documents alone, accepts the log in Tests/Vectors/tlog.hex and no altered file of it.

Ends with 1 if anything is otherwise.
"""
import argparse, base64, hashlib, json, pathlib, random, subprocess, sys, tempfile
import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.exceptions import InvalidSignature
import check_tlog
import scitt_cose
import verify_bundle as other

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAILURES = []


def expect(condition, what):
    """Notes what is otherwise than it should be, and goes on."""
    if not condition:
        FAILURES.append(what)
        print(f"  FAILED: {what}")


def vectors():
    """Parts of the bundle vectors by suite."""
    parts = {}
    for line in (ROOT / "Tests/Vectors/bundle.hex").read_text().splitlines():
        if not line.startswith("#"):
            suite, part, data = line.split()
            parts.setdefault(suite, {})[part] = bytes.fromhex(data)
    return parts


# --- 1 and 2: bundles ---

class Native:
    """huijin-verify on bytes, by way of files."""

    def __init__(self, program, folder, genesis):
        self.program, self.folder = program, folder
        self.genesis, self.bundle = folder / "genesis.cbor", folder / "bundle.cbor"
        self.genesis.write_bytes(genesis)

    def run(self, *words):
        return subprocess.run([self.program, *map(str, words)], capture_output=True, text=True)

    def verify(self, bundle):
        """(exit code, report)"""
        self.bundle.write_bytes(bundle)
        run = self.run("--genesis", self.genesis, "--bundle", self.bundle, "--json")
        return run.returncode, json.loads(run.stdout) if run.stdout else None


def decide(genesis, bundle):
    """(verdict, answer) of verify_bundle.py; whatever it raises but Refused is a defect and goes through."""
    try:
        return 0, other.verify(genesis, bundle)
    except other.Refused as refused:
        return refused.args[1], refused.args[0]


def same_answers(answer, report):
    """Whether the two programs say the same about every event and every transaction."""
    if (answer["height"], answer["time"]) != (report["height"], report["timeMs"]):
        return False
    return len(answer["answers"]) == len(report["findings"]) and all(map(same_finding, answer["answers"], report["findings"]))


def same_finding(mine, finding):
    if "transaction" in mine:
        entry = finding["entry"]
        said = (mine["transaction"], *mine["place"], mine["code"])
        return said == (entry["transaction"], entry["height"], entry["position"], entry["code"])
    theirs = [
        [(event["entry"]["height"], actor(event["actor"]), event["entry"]["code"]) for event in log["events"]]
        for log in finding.get("logs", [])
    ]
    said = [[(height, who, code) for height, _, who, code in events] for events in mine["logs"].values()]
    parents = [parent["asset"] for parent in finding.get("parents", [])]
    return (mine["asset"], said, mine.get("parents", [])) == (finding["asset"], theirs, parents)


def actor(node):
    """A member id, a pseudonym in hexadecimal, or the ledger itself."""
    return next(iter(node.values())) if node else "the ledger"


def good_bundles(native, parts):
    for part in ("history", "redacted", "transaction", "provenance"):
        verdict, answer = decide(parts["genesis"], parts[part])
        code, report = native.verify(parts[part])
        expect(verdict == 0, f"{part} is proven: {answer}")
        expect(code == 0 and verdict == 0 and same_answers(answer, report), f"{part}: both programs say the same")
        for item in answer["answers"] if verdict == 0 else []:
            if "logs" in item:
                counts = [len(events) for events in item["logs"].values()]
                print(f"  {part}: {counts} events, complete to height {answer['height']}, over {answer['epochs']} epochs "
                      f"from genesis, {answer['rechecked']} members' signatures checked")
            else:
                print(f"  {part}: {item['transaction'][:16]}… at {item['place']}, code {item['code']}")
    for part in ("record", "absence"):
        expect(decide(parts["genesis"], parts[part])[0] == other.NOT_DONE, f"{part}: says that it does not do it")


def damaged(bundle, count, chance):
    """Single bytes changed; then elements of every list left out, repeated and exchanged, in good CBOR."""
    for _ in range(count):
        at = chance.randrange(len(bundle))
        yield f"byte {at}", bundle[:at] + bytes([bundle[at] ^ chance.randrange(1, 256)]) + bundle[at + 1:]

    # The same content in CBOR that is not deterministic, and something behind it.
    yield "a longer head", b"\x98\x0a" + bundle[1:]
    yield "an indefinite length", b"\x9f" + bundle[1:] + b"\xff"
    yield "a byte after the end", bundle + b"\0"

    def lists(value, path=()):
        if isinstance(value, list):
            yield path
            for index, item in enumerate(value):
                yield from lists(item, (*path, index))

    for path in lists(cbor2.loads(bundle)):
        for change in ("drop", "repeat", "exchange"):
            value = cbor2.loads(bundle)
            target = value
            for index in path:
                target = target[index]
            if not target:
                continue
            at = chance.randrange(len(target))
            if change == "drop":
                del target[at]
            elif change == "repeat":
                target.insert(at, target[at])
            elif target[at] != target[0]:
                target[0], target[at] = target[at], target[0]
            else:
                continue
            yield f"{change} {path}[{at}]", cbor2.dumps(value)


def bad_bundles(native, parts, count, chance):
    for part in ("history", "transaction", "provenance"):
        right = decide(parts["genesis"], parts[part])[1]
        tried = accepted = 0
        for what, bundle in damaged(parts[part], count, chance):
            verdict, answer = decide(parts["genesis"], bundle)
            code, report = native.verify(bundle)
            tried += 1
            expect((verdict == 0) == (code == 0), f"{part}, {what}: verdict {verdict} ({answer}), huijin-verify {code}")
            if verdict == 0:
                accepted += 1
                # Without a key's record its signature is not checked again; a question may be gone; nothing else may differ.
                fixed = ("ledger", "height", "time", "epochs", "signers")
                expect(all(answer[name] == right[name] for name in fixed)
                       and all(item in right["answers"] for item in answer["answers"]), f"{part}, {what}: another answer")
                expect(answer["rechecked"] <= right["rechecked"], f"{part}, {what}: more is checked than before")
        print(f"  {part}: {tried} damaged bundles, both programs refuse {tried - accepted} and give the right answer to {accepted}")


# --- 3: Ed25519 ---

def encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def torsion():
    """A point of order 8: [L] of any point that has one in it."""
    for y in range(2, 100):
        found = other.point(y.to_bytes(32, "little"))
        if found:
            small = other.times(other.L, found)
            if other.times(4, small) != (0, 1):
                return small
    raise AssertionError("there is one among the first hundred")


def edge_cases():
    seed = hashlib.sha256(b"huijin interop").digest()
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    digest = hashlib.sha512(seed).digest()
    secret = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    base = other.point(((4 * pow(5, -1, other.P)) % other.P).to_bytes(32, "little"))
    expect(encode(other.times(secret, base)) == public, "the arithmetic is that of Ed25519")
    protected, payload = b"\xa0", b"root"
    message = cbor2.dumps(["Signature1", protected, b"", payload])

    def hashed(r, a):
        return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % other.L

    def scalar(number):
        return (number % other.L).to_bytes(32, "little")

    def mixed_signature():
        """A + T of order 8·L, with a message-dependent factor of T that vanishes: cofactorless verification holds."""
        a = encode(other.add(other.times(secret, base), torsion()))
        for nonce in range(1, 200):
            r = encode(other.times(nonce, base))
            if hashed(r, a) % 8 == 0:
                return a, r + scalar(nonce + hashed(r, a) * secret)
        raise AssertionError("one in eight does")

    identity = encode((0, 1))
    signature = key.sign(message)
    over = int.from_bytes(signature[32:], "little") + other.L
    cases = [
        ("a small-order R", public, identity + scalar(hashed(identity, public) * secret)),
        ("a small-order public key", identity, encode(base) + scalar(1)),
        ("a public key of mixed order", *mixed_signature()),
        ("a public key that is not canonical", (other.P + 1).to_bytes(32, "little"), encode(base) + scalar(1)),
        ("an R that is not canonical", public, (other.P + 1).to_bytes(32, "little") + scalar(hashed(identity, public) * secret)),
        ("S not below L", public, signature[:32] + over.to_bytes(32, "little")),
        ("a changed signature", public, signature[:40] + bytes([signature[40] ^ 1]) + signature[41:]),
    ]

    def is_taken(check):
        try:
            check()
            return True
        except (other.Refused, InvalidSignature):
            return False

    expect(is_taken(lambda: other.check_signature(public, signature, protected, payload, "a")), "a good signature is taken")
    taken = 0
    for what, a, wrong in cases:
        taken += is_taken(lambda: Ed25519PublicKey.from_public_bytes(a).verify(wrong, message))
        expect(not is_taken(lambda: other.check_signature(a, wrong, protected, payload, "b")), f"{what} is refused")
    expect(taken >= 3, "some of the cases are taken by `cryptography` alone, or they show nothing")
    print(f"  {len(cases)} refused, of which `cryptography` alone would take {taken}")


# --- 4: receipts ---

def receipts(native, parts):
    folder = native.folder / "receipts"
    bundle = native.folder / "history.cbor"
    bundle.write_bytes(parts["history"])
    run = native.run("receipts", bundle, "--genesis", native.genesis, "--out", folder)
    expect(run.returncode == 0, f"huijin-verify receipts: {run.stderr}")
    leaves = {path.name.split(".")[0]: path.read_bytes().hex() for path in sorted(folder.glob("*.leaf"))}
    keys = {path.stem: path.read_bytes() for path in sorted(folder.glob("validator-*.pem"))}
    files = sorted(folder.glob("*.validator-*.cbor"))
    root = (folder / "root.hex").read_text().strip()
    size = cbor2.loads(parts["history"])[4][6]
    expect(len(files) == len(leaves) * len(keys) > 0, "a receipt for each entry and signer")
    expect((folder / "entry-0.leaf").read_bytes() == parts["leaf"], "the leaf is that of the vector")

    def verify(receipt, leaf, key):
        return scitt_cose.verify_receipt(receipt, leaf_entry_hex=leaf, log_public_key_pem=key)

    for path in files:
        entry, signer = path.stem.split(".")
        result = verify(path.read_bytes(), leaves[entry], keys[signer])
        expect(result.ok and result.root == root and result.tree_size == size, f"{path.name}: {result.errors}")
        for wrong in leaves.keys() - {entry}:
            expect(not verify(path.read_bytes(), leaves[wrong], keys[signer]).ok, f"{path.name} is not for {wrong}")
        for wrong in keys.keys() - {signer}:
            expect(not verify(path.read_bytes(), leaves[entry], keys[wrong]).ok, f"{path.name} is not of {wrong}")
    print(f"  {len(files)} receipts accepted, each for its leaf and under its key alone; root {root[:16]}…, size {size}")

    # The command line, as a user has it; it is installed beside this interpreter.
    program = pathlib.Path(sys.executable).with_name("scitt-cose")
    for path in files[:len(keys)]:
        entry, signer = path.stem.split(".")
        words = ["--receipt-log-pubkey", folder / f"{signer}.pem", "--leaf-entry-hex", leaves[entry]]
        altered = native.folder / "altered.cbor"
        altered.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))
        good = subprocess.run([program, "--receipt", path, *words], capture_output=True)
        bad = subprocess.run([program, "--receipt", altered, *words], capture_output=True)
        expect((good.returncode, bad.returncode) == (0, 1), f"scitt-cose on {path.name}: {good.stdout} {bad.stdout}")

    # Every bit. The size is not signed by a receipt (RFC 9942), only by the header whose digest is: docs/wire-format.md.
    tried, other_size = 0, 0
    for path in (files[0], files[-1]):
        entry, signer = path.stem.split(".")
        receipt = path.read_bytes()
        right = verify(receipt, leaves[entry], keys[signer])
        for bit in range(len(receipt) * 8):
            altered = bytearray(receipt)
            altered[bit // 8] ^= 1 << bit % 8
            result = verify(bytes(altered), leaves[entry], keys[signer])
            tried += 1
            if result.ok:
                other_size += 1
                expect((result.root, result.leaf_index) == (right.root, right.leaf_index) and result.tree_size != size,
                       f"{path.name}, bit {bit}: accepted with another answer")
    print(f"  {tried} receipts with a bit changed: {tried - other_size} refused, {other_size} say another size of the same "
          f"log root, which the signed header's digest settles")


# --- 5: transparent statements ---

def envelope_of(statement):
    """The recorded bytes: the same message with nothing in its unprotected header (docs/wire-format.md)."""
    protected, _, payload, signature = cbor2.loads(statement).value
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]), canonical=True)


def statements(native):
    """Of what `receipts` wrote. scitt-cose decides on the member's signature and on every receipt; huijin-verify on the quorum."""
    folder = native.folder / "receipts"
    files = sorted(folder.glob("*.statement.cbor"))
    expect(files, "some transaction was signed by itself")
    program = pathlib.Path(sys.executable).with_name("scitt-cose")
    scratch = native.folder / "altered.cbor"

    def native_code(statement, *words):
        scratch.write_bytes(statement)
        return native.run("statement", scratch, "--genesis", native.genesis, *words).returncode

    trust = native.folder / "trust.cbor"
    native.run("--genesis", native.genesis, "--bundle", native.folder / "history.cbor", "--trust", trust)
    for path in files:
        entry, statement = path.name.split(".")[0], path.read_bytes()
        issuer = folder / f"{entry}.issuer.pem"
        leaf = cbor2.dumps([1, hashlib.sha256(envelope_of(statement)).digest()])
        expect(leaf == (folder / f"{entry}.leaf").read_bytes(), f"{path.name}: the leaf follows from the statement")
        receipts = scitt_cose.extract_receipts(statement)
        keys = sorted(folder.glob("validator-*.pem"))
        expect(len(receipts) == len(keys), f"{path.name}: a receipt of each signer")
        for receipt, key in zip(receipts, keys):
            result = scitt_cose.verify_receipt(receipt, leaf_entry_hex=leaf.hex(), log_public_key_pem=key.read_bytes())
            expect(result.ok, f"{path.name}, {key.stem}: {result.errors}")
        run = subprocess.run([program, "--statement", path, "--statement-pubkey", issuer], capture_output=True)
        expect(run.returncode == 0 and native_code(statement) == 0, f"{path.name}: both programs accept it")

        # What scitt-cose puts together from the parts is the same statement without our context.
        bare = scitt_cose.attach_receipts(envelope_of(statement), receipts)
        expect(native_code(bare) == 2, f"{path.name}: without the epochs' changes its validators are unknown")
        expect(native_code(bare, "--trust", trust) == 0, f"{path.name}: scitt-cose's own is proven with a trust file")
        quorum = len(keys) - (len(keys) - 1) // 3
        few = receipts[: quorum - 1]
        for less in (few, few + few):
            less = scitt_cose.attach_receipts(envelope_of(statement), less)
            expect(native_code(less, "--trust", trust) == 2, f"{path.name}: {quorum - 1} validators are no quorum")

    # Every bit of one: neither program takes what it decides on.
    statement, issuer = files[0].read_bytes(), (folder / f"{files[0].name.split('.')[0]}.issuer.pem").read_bytes()
    tried = refused = 0
    for bit in range(0, len(statement) * 8, 61):
        altered = bytearray(statement)
        altered[bit // 8] ^= 1 << bit % 8
        tried += 1
        expect(native_code(bytes(altered)) != 0, f"{files[0].name}, bit {bit}: huijin-verify takes it")
        parsed = scitt_cose.parse_signed_statement(bytes(altered), public_key_pem=issuer)
        refused += parsed["signature_verified"] is not True
        expect(parsed["signature_verified"] is not True or envelope_of(bytes(altered)) == envelope_of(statement),
               f"{files[0].name}, bit {bit}: scitt-cose takes another statement")
    print(f"  {len(files)} statements, accepted by both programs; of {tried} with a bit changed huijin-verify refuses all, scitt-cose "
          f"{refused}: the rest is altered outside what the member signed")


# --- 6: checkpoint and tiles ---

def tlog(folder):
    """The log in Tests/Vectors/tlog.hex, as check_tlog.py reads it."""
    files = {}
    for line in (ROOT / "Tests/Vectors/tlog.hex").read_text().splitlines():
        if not line.startswith("#"):
            path, data = line.split()
            files[path] = bytes.fromhex(data)

    def decide(changes=(), policy=files["policy"]):
        """What it says of the files with some replaced; None: refused."""
        for path, data in {**files, **dict(changes)}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        try:
            return check_tlog.check(folder, policy.decode())
        except check_tlog.Refused:
            return None

    right = decide()
    expect(right is not None and right["cosigned"] == ["v0", "v2", "v3"], f"the log is accepted: {right}")
    if right is None:
        return
    note = files["checkpoint"].decode()
    head, lines = note.split("\n\n")
    lines = lines.splitlines(keepends=True)
    checkpoint = lambda text: [("checkpoint", text.encode())]
    expect(decide(checkpoint(f"{head}\n\n" + "".join(lines[:2]))) is None, "two of four are no quorum")
    expect(decide(checkpoint(f"{head}\n\n" + "".join(lines[:2] + lines[:1]))) is None, "nor is one of them twice")
    expect(decide(checkpoint(note + "\u2014 example.com/else AAAAAAAA\n")) == right, "an unknown signature is passed over")
    expect(decide(checkpoint(head.replace("300", "299") + "\n\n" + "".join(lines))) is None, "another size is not what they signed")
    other = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"other").digest()).public_key().public_bytes_raw()
    keys = [line.split()[2] for line in files["policy"].decode().splitlines() if line.startswith("witness")]
    name, data = keys[0].split("+")[0], b"\4" + other
    forged = f"{name}+{hashlib.sha256(name.encode() + bytes([10]) + data).hexdigest()[:8]}+{base64.b64encode(data).decode()}"
    expect(decide(policy=files["policy"].replace(keys[0].encode(), forged.encode())) is None, "with another key of v0 there is no quorum")
    tried = 0
    for path in files.keys() - {"policy"}:
        for at in range(0, len(files[path]), 211 if path.startswith("tile/") else 3):
            altered = bytearray(files[path])
            altered[at] ^= 1
            tried += 1
            # In a signature line other characters can name another key: then a cosignature is missing.
            expect(decide([(path, bytes(altered))]) is None, f"{path}, byte {at}: accepted")
    print(f"  {right['size']} entries cosigned by {', '.join(right['cosigned'])} of 4; {tried} altered files refused")


def sm2(native, parts):
    """These two tools do not know SM2, and say so instead of yes or no."""
    verdict, what = decide(parts["genesis"], parts["history"])
    expect(verdict == other.NOT_DONE and "SM2" in what, f"verify_bundle.py on suite 2: {verdict} {what}")
    expect(native.verify(parts["history"])[0] == 0, "huijin-verify proves the bundle of suite 2")
    native.run("receipts", native.bundle, "--genesis", native.genesis, "--out", native.folder / "sm2")
    key = (native.folder / "sm2/validator-1.pem").read_bytes()
    result = scitt_cose.verify_receipt(parts["receipt"], leaf_entry_hex=parts["leaf"].hex(), log_public_key_pem=key)
    expect(not result.ok, "scitt-cose does not know SM2 with SM3")
    print("  huijin-verify alone verifies suite 2; the other two say that they do not")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--huijin-verify", required=True, help="the built program")
    parser.add_argument("--mutations", type=int, default=300, help="single bytes changed, for each bundle")
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    program = pathlib.Path(arguments.huijin_verify).resolve()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    parts = vectors()
    with tempfile.TemporaryDirectory(prefix="huijin-interop-") as name:
        folders = {suite: pathlib.Path(name) / suite for suite in parts}
        for folder in folders.values():
            folder.mkdir()
        natives = {suite: Native(program, folders[suite], parts[suite]["genesis"]) for suite in parts}
        native, mine = natives["ed25519-sha256"], parts["ed25519-sha256"]
        print("good bundles / 完好的证据包")
        good_bundles(native, mine)
        print(f"damaged bundles / 损坏的证据包 (seed {seed})")
        bad_bundles(native, mine, arguments.mutations, random.Random(seed))
        print("Ed25519 edge cases / 签名边界情形")
        edge_cases()
        print("receipts / 收据 (scitt-cose)")
        receipts(native, mine)
        print("transparent statements / 透明陈述 (scitt-cose)")
        statements(native)
        print("checkpoint and tiles / 检查点与分块 (C2SP)")
        tlog(pathlib.Path(name) / "tlog")
        print("suite 2 / 国密套件")
        sm2(natives["sm2-sm3"], parts["sm2-sm3"])
    if FAILURES:
        print(f"{len(FAILURES)} failures / 处不符")
        return 1
    print("all as it should be / 全部符合")
    return 0


if __name__ == "__main__":
    sys.exit(main())
