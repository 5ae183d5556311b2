"""Bundles and signatures, before verify_bundle.py and huijin-verify. See check.py."""
import hashlib, json
import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
import verify_bundle as other
from common import ROOT, expect


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
    verdicts = decide(parts["genesis"], parts["detached"])[0], native.verify(parts["detached"])[0]
    expect(verdicts == (other.NOT_PROVEN, 2), f"detached: only who trusts the header can use it: {verdicts}")
    for part in ("record", "absence"):
        expect(decide(parts["genesis"], parts[part])[0] == other.NOT_DONE, f"{part}: says that it does not do it")


def damaged(bundle, count, chance):
    """Single bytes changed; then elements of every list left out, repeated and exchanged, in good CBOR."""
    for _ in range(count):
        at = chance.randrange(len(bundle))
        yield f"byte {at}", bundle[:at] + bytes([bundle[at] ^ chance.randrange(1, 256)]) + bundle[at + 1:]

    # The same content in CBOR that is not deterministic, and something behind it.
    yield "a longer head", b"\x98\x08" + bundle[1:]
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


# --- Signatures on which libraries disagree ---

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

    other.suite = 1
    expect(is_taken(lambda: other.check_signature(public, signature, protected, payload, "a")), "a good signature is taken")
    taken = 0
    for what, a, wrong in cases:
        taken += is_taken(lambda: Ed25519PublicKey.from_public_bytes(a).verify(wrong, message))
        expect(not is_taken(lambda: other.check_signature(a, wrong, protected, payload, "b")), f"{what} is refused")
    expect(taken >= 3, "some of the cases are taken by `cryptography` alone, or they show nothing")
    print(f"  {len(cases)} refused, of which `cryptography` alone would take {taken}")


def edge_vectors():
    """The decisions in Tests/Vectors/signatures.json, of both suites."""
    counts = {}
    for case in json.loads((ROOT / "Tests/Vectors/signatures.json").read_text()):
        kind, decision = {"ed25519-sha256": 1, "sm2-sm3": 2}[case["suite"]], "valid"
        key, message, signature = (bytes.fromhex(case[name]) for name in ("publicKey", "message", "signature"))
        other.suite = kind
        try:
            parts = cbor2.loads(message)
            # One case signs something else than a message of ours.
            other.need(cbor2.dumps(parts) == message, "message")
            _, protected, _, payload = parts
            other.need(other.is_good_key(kind, key), "key")
            other.check_signature(key, signature, protected, payload, "signature")
        except other.Refused as refused:
            decision = "key refused" if refused.args[0] == "key" else "invalid"
        counts[case["suite"]] = counts.get(case["suite"], 0) + 1
        expect(decision == case["decision"], f"{case['suite']}, {case['name']}: {decision}, not {case['decision']}")
    other.suite = 1
    print("  decided as the vectors say: " + ", ".join(f"{count} of {suite}" for suite, count in counts.items()))
