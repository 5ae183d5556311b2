#!/usr/bin/env python3
"""verify_bundle.py GENESIS BUNDLE: verifies a Huijin evidence bundle offline. 仅凭创世文件离线核验证据包。

Written from docs/wire-format.md (WF) and docs/evidence-bundle.md (EB) alone; both suites, of which sm2.py does SM2 and SM3 (国密).
Of questions but histories and transactions, and of recoveries, it says neither yes nor no. An asset's parents it names and does not
follow. Exit codes: EB "What it says"; 3 for what it does not do, 64 for wrong usage.
"""
import functools, hashlib, itertools, re, sys, cbor2, sm2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
FALSE, NOT_PROVEN, NOT_DONE, suite, ALGORITHMS = 1, 2, 3, 1, {1: -8, 2: -65601} # the suite is that of the ledger at hand
VERDICTS = {FALSE: "PROVEN FALSE / 证明为假", NOT_PROVEN: "NOT PROVEN / 未获证明", NOT_DONE: "NOT CHECKED / 未核验"}
class Refused(Exception): """What is wrong, and which of the three verdicts that is."""
def need(condition, what, verdict=FALSE):
    if not condition: raise Refused(what, verdict)
# --- Deterministic CBOR, read strictly (WF, first paragraph); the forms of WF and EB ---
UINT, MEMBER, ANY = "uint", "member", object
SET = (UINT, [(MEMBER, (UINT, bytes), bytes)])
FIELDS = "form chain height epoch parent time log_size log_root state_root results_root entry_count validators next digest"
HEADER = (str, 32, UINT, UINT, 32, UINT, UINT, 32, 32, 32, UINT, 32, {32})
CERTIFICATE = ((UINT, UINT, UINT, (UINT, 32, 32)), [(UINT, 64)])
BUNDLE = (str, 32, [[ANY]], ANY, [(32, ANY, (UINT, bytes, [32], {(32, 32)}))], [(HEADER, [32])],
          [(UINT, UINT, (UINT, ANY), UINT, [32], [32])], [[(UINT, [(bytes, UINT)])]])
EVENT = (str, UINT, UINT, UINT, 32, 32, UINT, UINT, ANY, UINT, dict)
def fit(shape, value):
    """The value if it has the shape: n is n bytes, [s] any number of s, (s, …) exactly these, {s} s or null."""
    if isinstance(shape, set): return value if value is None else fit(*shape, value)
    nested, form = isinstance(shape, (list, tuple)), f"form of {type(value).__name__}"
    if shape == UINT: need(type(value) is int and value >= 0, form)
    elif shape == MEMBER: need(isinstance(value, str) and re.fullmatch("[0-9A-Z:-]{1,64}", value), form)
    elif isinstance(shape, int): need(isinstance(value, bytes) and len(value) == shape, form)
    else: need(isinstance(value, list if nested else shape), form)
    shapes = (shape * len(value) if isinstance(shape, list) else shape) if nested else ()
    need(not nested or len(shapes) == len(value), form)
    for pair in zip(shapes, value if nested else ()): fit(*pair)
    return value
def plain(value):
    """The value in lists and dicts, a COSE_Sign1 as a tuple; refused if it holds what WF does not allow."""
    if isinstance(value, (list, tuple)): return [plain(item) for item in value]
    if isinstance(value, cbor2.CBORTag): return need(value.tag == 18, "a tag but 18") or tuple(fit(list, plain(value.value)))
    if not hasattr(value, "items"):
        ok = value is None or isinstance(value, (bytes, str)) or isinstance(value, int) and -2**64 <= value < 2**64
        return value if ok else need(False, "a float, undefined or a large number")
    need([*map(cbor2.dumps, value)] == sorted(map(cbor2.dumps, value)), "map keys ascend")
    return {key: plain(item) for key, item in value.items()}
def read(data, shape=ANY):
    try: again, value = cbor2.dumps(cbor2.loads(data)), plain(cbor2.loads(data))
    except (cbor2.CBORError, RecursionError, ValueError, TypeError, OverflowError) as error: need(False, f"not CBOR: {error}")
    need(again == data, "not deterministic CBOR, or more than one item")
    return fit(shape, value)
write = functools.partial(cbor2.dumps, canonical=True)
# --- Hashes and trees (WF "Blocks", "State") ---
def H(*parts): return sm2.sm3(b"".join(parts)) if suite == 2 else hashlib.sha256(b"".join(parts)).digest()
def leaf_hash(data): return H(b"\0", data)
def node_hash(left, right): return H(b"\1", left, right)
def split(size): return 1 << (size - 1).bit_length() - 1
def root_of(leaves): # RFC 9162 §2.1.1 over leaf hashes
    if len(leaves) < 2: return leaves[0] if leaves else H()
    return node_hash(root_of(leaves[:split(len(leaves))]), root_of(leaves[split(len(leaves)):]))
def root_from_path(leaf, index, size, path):
    """RFC 9162 §2.1.3, from the root down: the length is checked before anything is hashed."""
    need(index < size and (size == 1) == (not path), "an inclusion path of another length")
    if size == 1: return leaf
    if index < split(size): return node_hash(root_from_path(leaf, index, split(size), path[:-1]), path[-1])
    return node_hash(path[-1], root_from_path(leaf, index - split(size), size - split(size), path[:-1]))
def map_root(key, value_hash, depth, bitmap, siblings, other):
    """The state root in which the key has a value of this hash, or none (WF "State")."""
    need(depth <= 256 and len(bitmap) == (depth + 7) // 8, "the bitmap has a bit a level")
    at = lambda data, i: data[i // 8] >> (7 - i % 8) & 1
    bits, rest = [at(bitmap, i) for i in range(len(bitmap) * 8)], list(siblings)
    need(sum(bits) == sum(bits[:depth]) == len(rest) and bytes(32) not in rest, "one sibling for each bit of a level")
    need(depth == 0 or bits[depth - 1], "the lowest sibling is not empty")
    node = bytes(32) if value_hash is None else H(b"\0", key, value_hash)
    if other:
        need(value_hash is None and other[0] != key and all(at(other[0], i) == at(key, i) for i in range(depth)), "another leaf there")
        node = H(b"\0", *other)
    for level in reversed(range(depth)):
        sibling = rest.pop() if bits[level] else bytes(32)
        node = node_hash(sibling, node) if at(key, level) else node_hash(node, sibling)
    return node
# --- Ed25519 (WF "Signatures and contexts"): what `cryptography` does not check is checked here ---
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
def point(data):
    """The point with this canonical encoding (RFC 8032 §5.1.3), or None."""
    y, sign = int.from_bytes(data, "little") & 2**255 - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square: x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign): return None
    return (P - x if x & 1 != sign else x, y)
def add(a, b):
    k = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + k, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P) % P)
def times(scalar, a):
    return functools.reduce(lambda sum, bit: add(add(sum, sum), a if bit == "1" else (0, 1)), bin(scalar)[2:], (0, 1))
@functools.lru_cache(maxsize=4096)
def is_good_key(kind, data):
    if kind == 2: return sm2.point(data) is not None
    return kind == 1 and len(data) == 32 and (a := point(data)) is not None and times(8, a) != (0, 1) and times(L, a) == (0, 1)
def check_signature(key, signature, protected, payload, what): # of a COSE_Sign1 (RFC 9052 §4.4)
    message = cbor2.dumps(["Signature1", protected, b"", payload])
    if suite == 2: return need(sm2.is_valid(key, signature, message), f"signature of {what}")
    good = is_good_key(1, key) and (r := point(signature[:32])) and times(8, r) != (0, 1) and int.from_bytes(signature[32:], "little") < L
    try: Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature: good = False
    need(good, f"signature of {what}")
# --- The chain (WF "Blocks", "Votes and certificates", "Genesis"; EB checks 1 and 2) ---
def validator_set(value):
    keys, transport = [key for _, (_, key), _ in value[1]], [key for _, _, key in value[1]]
    good = all(kind == suite and is_good_key(kind, key) for _, (kind, key), _ in value[1])
    need(good and 1 <= len(keys) <= 128 and len(keys) == len(set(keys)) == len(set(transport)), "1 to 128 good keys, none twice")
    return {"epoch": value[0], "keys": keys, "digest": H(write(value))}
def header_of(value, chain):
    header = dict(zip(FIELDS.split(), value + [H(write(value))]))
    need(header["form"] == "huijin/header/1" and header["chain"] == chain, "a header of this chain")
    return header
def check_final(header, certificate, validators): # a quorum of the set finalized the header
    ((kind, epoch, view, subject), signatures), keys, number = certificate, validators["keys"], header["height"]
    seats, bound = [seat for seat, _ in signatures], [number, header["digest"], header["log_root"]]
    need(header["epoch"] == validators["epoch"], "an epoch that the bundle does not lead to", NOT_PROVEN)
    need(kind == 3, {4: "a recovery"}.get(kind, "not final"), {1: NOT_PROVEN, 4: NOT_DONE}.get(kind, FALSE))
    need(header["validators"] == validators["digest"] and epoch == header["epoch"] and subject == bound, "another set or header")
    need(seats == sorted(set(seats)) and all(seat < len(keys) for seat in seats), "validators of the set ascend")
    need(len(seats) >= len(keys) - (len(keys) - 1) // 3, "below the quorum", NOT_PROVEN)
    for seat, signature in signatures:
        protected = {1: ALGORITHMS[suite], 4: H(keys[seat])[:16], 395: 1, -70002: [header["chain"], epoch, view, number, header["digest"]]}
        check_signature(keys[seat], signature, write(protected), header["log_root"], f"validator {seat}")
def ascend(headers, verdict): # no two of them contradict each other (EB "Following the chain")
    for one, two in itertools.pairwise(headers):
        grows = all(one[field] < two[field] for field in ("height", "log_size", "time")) and one["epoch"] + (one["next"] is not None) <= two["epoch"]
        need(one["digest"] == two["digest"] or grows, "two headers that cannot both be final", verdict)
# --- Envelopes (WF "Transactions"; EB check 5) ---
def envelope(data, chain):
    """(transaction, its id, key id, what check_signature needs besides the key)."""
    apart, message = fit((bytes, tuple), message) if isinstance(message := read(data), list) else (None, message)
    protected, unprotected, inside, signature = fit((bytes, dict, {bytes}, 64), list(fit(tuple, message)))
    payload = fit(bytes, inside if apart is None else apart)
    transaction, header = read(payload, (UINT, 16, UINT, MEMBER, dict)), read(protected, dict)
    fit([UINT], list(transaction[4]))
    named, signed, wanted = write(["huijin/tx", chain]) + payload, payload, {-70001: ["huijin/tx", chain]}
    if apart is None: need(unprotected == {}, "nothing is unprotected")
    else:
        need(inside is None and [*unprotected] == [396] and [*fit(dict, unprotected[396])] == [-1], "the proof alone is unprotected")
        size, index, path = read(fit((bytes,), unprotected[396][-1])[0], (UINT, UINT, [32]))
        need(2 <= size <= 1024, "size of a batch")
        signed, wanted = root_from_path(leaf_hash(named), index, size, path), {395: 1, -70001: ["huijin/batch", chain, size]}
    need(protected == write({1: ALGORITHMS[suite], 4: fit(16, header.get(4))} | wanted), "a protected header of another form, suite or chain")
    return transaction, H(named), header[4], (signature, protected, signed)
# --- The bundle (EB "What is checked, in this order") ---
def verify(genesis_bytes, bundle_bytes): # what the bundle proves, as a dict; raises Refused
    genesis = read(genesis_bytes, (str, str, UINT, UINT, [UINT], [ANY], [(32, bytes)]) + ([ANY],) * (genesis_bytes[:1] == b"\x88"))
    global suite
    need((suite := genesis[2]) in ALGORITHMS, "a suite of 1 or 2")
    chain, validators, ends = H(genesis_bytes), validator_set(fit(SET, genesis[5])), []
    form, bundle_chain, questions, head, states, ancestors, entries, histories = read(bundle_bytes, BUNDLE)
    need(not isinstance(head, bytes), "a detached bundle: the reader must trust its header", NOT_PROVEN)
    changes, top, certificate = fit(([(HEADER, CERTIFICATE, SET)], HEADER, CERTIFICATE), head)
    need([genesis[0], validators["epoch"], form] == [f"huijin/genesis/{len(genesis) - 6}", 0, "huijin/evidence/3"], "not a genesis and a bundle")
    need(bundle_chain == chain, "a bundle of another ledger", NOT_PROVEN)
    for last, its_certificate, following in changes:
        last, old, validators = header_of(last, chain), validators, validator_set(following)
        check_final(last, its_certificate, old)
        need([last["next"], old["epoch"] + 1] == [validators["digest"], validators["epoch"]], "the next set")
        ends.append(last)
    check_final(top := header_of(top, chain), certificate, validators)
    ascend([*ends, top], FALSE)
    held = {key: fit((32,) if isinstance(value, list) else {bytes}, value) for key, value, _ in states}
    need([key for key, _, _ in states] == sorted(held), "state records ascend")
    for key, value, proof in states: # of a withheld one its hash is there, in a list
        need(map_root(key, value[0] if isinstance(value, list) else value and H(value), *proof) == top["state_root"], "state proof")
    def record(kind, identity): # its body; None where the state has none
        key = H(write(["huijin/state", kind, identity]))
        need(key in held, f"the bundle says nothing about a record of type {kind}", NOT_PROVEN)
        need(not isinstance(held[key], list), f"a record of type {kind} is withheld", NOT_PROVEN)
        if held[key] is None: return None
        need((stored := read(held[key], (16, UINT, bytes)))[1] == kind, "a record of another type")
        return read(stored[2], dict)
    def leads(leaf, index, size, path, root): return root_from_path(leaf_hash(write(leaf)), index, size, path) == root
    headers, end = {}, top["log_size"] - 1
    for below, path in ((header_of(value, chain), path) for value, path in ancestors):
        need(max(headers, default=-1) < below["height"] < top["height"], "headers below H ascend")
        need(leads([0, below["digest"]], size := below["log_size"], top["log_size"], path, top["log_root"]), "header in the log")
        headers[below["height"]] = below | {"peaks": [x for i, x in enumerate(path) if size >> i & 1 or i >= (size ^ end).bit_length()]}
    headers[top["height"]], proven = top, []
    ascend(sorted([*ends, *headers.values()], key=lambda header: header["height"]), NOT_PROVEN)
    for at, position, (form, shown), code, results_path, log_path in entries:
        need(at in headers, "an entry's header is missing", NOT_PROVEN)
        fit({0: bytes, 1: (UINT, UINT, 32), 2: 32}.get(form, type), shown)
        block, digest = headers[at], shown if form == 2 else H(write(shown) if form == 1 else shown)
        entry = {"place": (at, position), "time": block["time"], "code": code, "form": form, "digest": digest, "rechecked": False}
        need(position < block["entry_count"] < block["log_size"], "a position within the block")
        index = block["log_size"] - block["entry_count"] + position
        size = 1 << (index ^ block["log_size"]).bit_length() - 1 # of the peak of its block's log that holds it
        tree = block.get("peaks") and (index % size, size, log_path, block["peaks"][(block["log_size"] % size).bit_count()])
        need(leads([2 if form == 1 else 1, digest], *(tree or (index, top["log_size"], log_path, top["log_root"]))), "entry in the log")
        need(leads([digest, code], position, block["entry_count"], results_path, block["results_root"]), "outcome in the results")
        if form == 1: entry |= {"kind": 1000 + shown[0], "id": digest}
        if form == 0:
            transaction, identity, signer, signed = envelope(shown, chain)
            entry |= {"kind": transaction[0], "id": identity, "member": transaction[3]}
            if isinstance(held.get(H(write(["huijin/state", 2, signer])), []), bytes | None):
                key, entry["rechecked"] = record(2, signer), True
                need(key and H(key[3][1])[:16] == signer and key[2] == transaction[3] and key[6] <= at <= key.get(7, at), "the member's key")
                check_signature(key[3][1], *signed, f"member {transaction[3]}")
        proven.append(entry)
    need(all(a["place"] < b["place"] for a, b in zip(proven, proven[1:])), "entries ascend")
    answer = {"ledger": genesis[1], "height": top["height"], "time": top["time"], "epochs": len(changes) + 1,
              "signers": [seat for seat, _ in certificate[1]], "rechecked": sum(entry["rechecked"] for entry in proven)}
    need(questions and [*map(write, questions)] == sorted({*map(write, questions)}), "questions ascend")
    need(all(ask[:1] in ([0], [1]) for ask in questions), "a question that is not done here", NOT_DONE)
    need(len(histories) == sum(ask[0] == 0 for ask in questions), "logs for each history that is asked for")
    shown, rest, answers = {entry["id"]: entry for entry in reversed(proven) if "id" in entry}, iter(histories), []
    for kind, subject, *logs in (fit((UINT, 32) if ask[0] else (UINT, 32, [UINT]), ask) for ask in questions):
        need(kind == 0 or subject in shown, "no entry that is shown holds the transaction", NOT_PROVEN)
        answers.append({"transaction": subject.hex(), **{name: shown[subject][name] for name in ("place", "kind", "code")}}
                       if kind else history(subject, *logs, next(rest), proven, record))
    return answer | {"answers": answers}
def history(asset, asked, logs, proven, record):
    """The events of each log, complete; None where the state has no such asset (EB check 6)."""
    need(asked and asked == sorted(set(asked)) and max(asked) < 3, "logs asked for ascend")
    body, result = record(10, asset), {number: [] for number in asked}
    need(body is None or body[1] == asset, "the record of another asset")
    if body is None: return need(logs == [], "logs of no asset") or {"asset": asset.hex(), "logs": {}}
    need([number for number, _ in logs] == asked, "the logs asked for", NOT_PROVEN if len(logs) < len(asked) else FALSE)
    for number, items in logs:
        size, root, _ = fit((UINT, 32, [32]), body[21 + number])
        need(len(items) == size and root_of([leaf_hash(data) for data, _ in items]) == root, f"all {size} events of log {number}")
        for index, (data, at) in enumerate(items):
            need(at < len(proven), "an event's entry is missing")
            (form, log, place, kind, identity, digest, height, time, actor, code, _), entry = read(data, EVENT), proven[at]
            need([form, log, place, digest, height, time, code] == ["huijin/event/1", number, index, entry["digest"],
                 entry["place"][0], entry["time"], entry["code"]], "an event's number or entry")
            need(entry["form"] == 2 or [kind, identity] == [entry["kind"], entry["id"]], "an event's kind and transaction")
            if entry["form"] == 0 and actor != entry["member"]: fit(16, actor)
            result[number].append((height, kind, actor.hex() if isinstance(actor, bytes) else actor or "the ledger", code))
    return {"asset": asset.hex(), "parents": [parent.hex() for parent in body.get(25, [])], "logs": result}

if __name__ == "__main__":
    if len(sys.argv) != 3: sys.exit(print(__doc__, file=sys.stderr) or 64)
    try: answer = verify(*(open(name, "rb").read() for name in sys.argv[1:]))
    except Refused as refused: sys.exit(print(f"{VERDICTS[refused.args[1]]}: {refused.args[0]}") or refused.args[1])
    print(f"PROVEN / 已证明: complete to height {answer['height']}, time {answer['time']} ms",
          *(f"{name}: {answer[name]}" for name in sorted(answer.keys() - {"answers"})), sep="\n  ")
    for item in answer["answers"]:
        print("  " + ", ".join(f"{name}: {value}" for name, value in item.items() if name != "logs"))
        for number, events in item.get("logs", {}).items():
            print(f"    {['rights / 权属', 'trades / 交易', 'refusals / 拒绝'][number]}, all events / 全部事件: {len(events)}",
                  *(f"height {height}, kind {kind}, {actor}, code {code}" for height, kind, actor, code in events), sep="\n      ")
