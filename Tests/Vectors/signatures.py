#!/usr/bin/env python3
"""Writes signatures.json: signatures and keys on which libraries disagree, and what Huijin decides about each.

Written from docs/wire-format.md ("Signatures and contexts"), RFC 8032 and GB/T 32918.2 alone, with arithmetic of its own, so that
its decisions owe nothing to the libraries that they are compared with. What is signed is the finalize vote of validator 0 in
signature-bundle.hex; replacing that vote's 64 bytes by a case's signature makes a bundle that is proven or not.
"""
import hashlib, json, pathlib, cbor2

HERE = pathlib.Path(__file__).parent
def h256(data): return hashlib.sha256(data).digest()
def sm3(data): return hashlib.new("sm3", data).digest()

class Ed25519:
    p, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p) % p
    identity = (0, 1)
    def add(self, a, b):
        (x1, y1), (x2, y2), p = a, b, self.p
        k = self.d * x1 * x2 * y1 * y2 % p
        return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, p) % p, (y1 * y2 + x1 * x2) * pow(1 - k, -1, p) % p)
    def mul(self, n, point):
        result = self.identity
        for bit in bin(n)[2:]:
            result = self.add(result, result)
            if bit == "1": result = self.add(result, point)
        return result
    def encode(self, point): return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")
    def decode(self, data):
        """A point, or None where the bytes are none: y not below p, not on the curve, or x = 0 with a sign."""
        number, p = int.from_bytes(data, "little"), self.p
        y, sign = number % 2**255, number >> 255
        if y >= p: return None
        square = (y * y - 1) * pow(self.d * y * y + 1, -1, p) % p
        x = pow(square, (p + 3) // 8, p)
        if x * x % p != square: x = x * pow(2, (p - 1) // 4, p) % p
        if x * x % p != square or (x == 0 and sign): return None
        return ((p - x if x & 1 != sign else x), y)
    def __init__(self):
        y = 4 * pow(5, -1, self.p) % self.p
        self.B = self.decode(y.to_bytes(32, "little"))
        # L times a point of full order has order 8.
        point = next(filter(None, (self.decode(n.to_bytes(32, "little")) for n in range(2, 99))))
        numbers = (self.mul(self.L, self.decode(n.to_bytes(32, "little"))) for n in range(2, 99)
                   if self.decode(n.to_bytes(32, "little")))
        eighth = next(t for t in numbers if self.mul(4, t) != self.identity)
        self.torsion = [self.mul(n, eighth) for n in range(8)]
    def scalar(self, seed):
        half = hashlib.sha512(seed).digest()
        return (int.from_bytes(half[:32], "little") & (2**254 - 8)) | 2**254, half[32:]
    def challenge(self, R, A, message):
        return int.from_bytes(hashlib.sha512(R + A + message).digest(), "little") % self.L
    def key_is_good(self, A):
        point = self.decode(A)
        return bool(point) and self.mul(8, point) != self.identity and self.mul(self.L, point) == self.identity
    def decide(self, A, message, signature):
        if len(A) != 32 or not self.key_is_good(A): return "key refused"
        if len(signature) != 64: return "invalid"
        R, S = self.decode(signature[:32]), int.from_bytes(signature[32:], "little")
        if S >= self.L or R is None or self.mul(8, R) == self.identity: return "invalid"
        minus = self.mul(self.L * 8 - self.challenge(signature[:32], A, message), self.decode(A))
        return "valid" if self.encode(self.add(self.mul(S, self.B), minus)) == signature[:32] else "invalid"

    def holds_with_cofactor(self, A, message, signature):
        """What RFC 8032 allows a verifier to be content with."""
        R, S = self.decode(signature[:32]), int.from_bytes(signature[32:], "little")
        right = self.add(R, self.mul(self.challenge(signature[:32], A, message), self.decode(A)))
        return self.mul(8 * S, self.B) == self.mul(8, right)

    def cases(self, seed, message):
        a, prefix = self.scalar(seed)
        key, L, p = self.encode(self.mul(a, self.B)), self.L, self.p
        def little(n): return n.to_bytes(32, "little")
        def sign(R, r): return R + little((r + self.challenge(R, key, message) * a) % L)
        r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
        good = sign(self.encode(self.mul(r, self.B)), r)
        R, S = good[:32], int.from_bytes(good[32:], "little")
        yield "good", key, message, good
        yield "S is 0", key, message, R + bytes(32)
        yield "S is L", key, message, R + little(L)
        yield "S is L - 1", key, message, R + little(L - 1)
        for times in (1, 2, 7, 14): yield f"S + {times} L", key, message, R + little(S + times * L)
        yield "S with its top bit", key, message, R + little(S | 1 << 255)
        yield "S negated", key, message, R + little(L - S)
        yield "R with the other sign", key, message, R[:31] + bytes([R[31] ^ 0x80]) + good[32:]
        yield "R and S exchanged", key, message, good[32:] + R
        yield "all zero", key, message, bytes(64)
        yield "all ones", key, message, b"\xff" * 64
        yield "63 bytes", key, message, good[:63]
        yield "65 bytes", key, message, good + b"\0"
        yield "another message", key, message + b"\0", good
        for number, point in enumerate(self.torsion):
            # The equation holds with the cofactor, and for the identity without it.
            yield f"R is {number} times a point of order 8", key, message, sign(self.encode(point), 0)
        for number, point in enumerate(self.torsion[1:], 1):
            mixed = self.encode(self.add(self.mul(r, self.B), point))
            yield f"R plus {number} times a point of order 8", key, message, sign(mixed, r)
        for name, y in (("p", p), ("p + 1", p + 1), ("p + 18", p + 18)):
            for sign_bit in (0, 1): yield f"R is y = {name}, sign {sign_bit}", key, message, sign(little(y | sign_bit << 255), 0)
        yield "R is the identity with a sign", key, message, sign(little(1 | 1 << 255), 0)
        yield "R is y = p - 1 with a sign", key, message, sign(little(p - 1 | 1 << 255), 0)
        off = next(n for n in range(2, 99) if self.decode(little(n)) is None)
        yield "R is not on the curve", key, message, sign(little(off), 0)
        # Keys: with S = 0 and R = -h A a key of small order signs everything.
        for number, point in enumerate(self.torsion):
            small = self.encode(point)
            for k in range(8):
                R_small = self.encode(self.torsion[k])
                if self.mul(self.challenge(R_small, small, message), point) == self.torsion[-k % 8]:
                    yield f"key is {number} times a point of order 8", small, message, R_small + bytes(32)
                    break
            else: yield f"key is {number} times a point of order 8", small, message, self.encode(self.identity) + bytes(32)
        for number, point in enumerate(self.torsion[1:], 1):
            mixed_key = self.encode(self.add(self.mul(a, self.B), point))
            for tries in range(64):
                mixed_R = self.encode(self.mul(r + tries, self.B))
                h = self.challenge(mixed_R, mixed_key, message)
                if h % 8 == 0: break
            yield f"key plus {number} times a point of order 8", mixed_key, message, mixed_R + little((r + tries + h * a) % L)
        for y in range(p, 2**255):
            yield f"key is y = p + {y - p}", little(y), message, good
        yield "key is the identity with a sign", little(1 | 1 << 255), message, good
        yield "key is not on the curve", little(off), message, good
        yield "key with the other sign", key[:31] + bytes([key[31] ^ 0x80]), message, good
        yield "key is all zero", bytes(32), message, bytes(64)
        yield "key of 31 bytes", key[:31], message, good

class SM2:
    p = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
    a = p - 3
    b = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
    n = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
    G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
         0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)
    ID = b"1234567812345678"
    def add(self, P, Q):
        if P is None or Q is None: return P or Q
        (x1, y1), (x2, y2), p = P, Q, self.p
        if x1 == x2 and (y1 + y2) % p == 0: return None
        k = ((3 * x1 * x1 + self.a) * pow(2 * y1, -1, p) if P == Q else (y2 - y1) * pow(x2 - x1, -1, p)) % p
        x = (k * k - x1 - x2) % p
        return (x, (k * (x1 - x) - y1) % p)
    def mul(self, k, P):
        result = None
        for bit in bin(k)[2:]:
            result = self.add(result, result)
            if bit == "1": result = self.add(result, P)
        return result
    def is_on_curve(self, x, y): return (y * y - x * x * x - self.a * x - self.b) % self.p == 0
    def encode(self, P): return b"\4" + P[0].to_bytes(32, "big") + P[1].to_bytes(32, "big")
    def decode(self, data):
        if len(data) != 65 or data[0] != 4: return None
        x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
        return (x, y) if x < self.p and y < self.p and self.is_on_curve(x, y) else None
    def digest(self, key, message, identity=ID):
        curve = b"".join(v.to_bytes(32, "big") for v in (self.a, self.b, *self.G))
        z = sm3((len(identity) * 8).to_bytes(2, "big") + identity + curve + key[1:])
        return int.from_bytes(sm3(z + message), "big")
    def sign(self, d, k, e):
        r = (e + self.mul(k, self.G)[0]) % self.n
        return r, pow(1 + d, -1, self.n) * (k - r * d) % self.n
    def decide(self, key, message, signature):
        if (P := self.decode(key)) is None: return "key refused"
        if len(signature) != 64: return "invalid"
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if not (0 < r < self.n and 0 < s < self.n) or (r + s) % self.n == 0: return "invalid"
        point = self.add(self.mul(s, self.G), self.mul((r + s) % self.n, P))
        return "valid" if point and (self.digest(key, message) + point[0]) % self.n == r else "invalid"

    def cases(self, secret, message):
        d, n, p = int.from_bytes(secret, "big"), self.n, self.p
        P = self.mul(d, self.G)
        key, k = self.encode(P), int.from_bytes(sm3(secret + message), "big") % n
        e = self.digest(key, message)
        def bytes_of(r, s): return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        r, s = self.sign(d, k, e)
        good = bytes_of(r, s)
        yield "good", key, message, good
        for name, number in (("0", 0), ("n", n), ("n + 1", n + 1), ("2^256 - 1", 2**256 - 1)):
            yield f"r is {name}", key, message, bytes_of(number, s)
            yield f"s is {name}", key, message, bytes_of(r, number)
        yield "r + s is n", key, message, bytes_of(r, n - r)
        yield "s negated", key, message, bytes_of(r, n - s)
        yield "r and s exchanged", key, message, bytes_of(s, r)
        yield "all zero", key, message, bytes(64)
        yield "all ones", key, message, b"\xff" * 64
        yield "63 bytes", key, message, good[:63]
        yield "65 bytes", key, message, good + b"\0"
        integers = [b"\2" + bytes([len(v)]) + v for v in (x.to_bytes(33, "big").lstrip(b"\0") for x in (r, s))
                    for v in [b"\0" + v if v[0] & 0x80 else v]]
        yield "DER", key, message, b"\x30" + bytes([len(b"".join(integers))]) + b"".join(integers)
        # s G + (r + s) P is the point at infinity: who takes its x for 0 finds r = e.
        yield "infinity, r is e", key, message, bytes_of(e % n, -e * d * pow(1 + d, -1, n) % n)
        yield "infinity, r is 1", key, message, bytes_of(1, -d * pow(1 + d, -1, n) % n)
        for name, identity in (("empty", b""), ("of the standard's example", b"ALICE123@YAHOO.COM")):
            yield f"signer id {name}", key, message, bytes_of(*self.sign(d, k, self.digest(key, message, identity)))
        yield "digest without Z", key, message, bytes_of(*self.sign(d, k, int.from_bytes(sm3(message), "big")))
        yield "SHA-256 for SM3", key, message, bytes_of(*self.sign(d, k, int.from_bytes(h256(message), "big")))
        x1 = self.mul(k, self.G)[0] % n
        yield "ECDSA", key, message, bytes_of(x1, pow(k, -1, n) * (e + x1 * d) % n)
        yield "another message", key, message + b"\0", good
        yield "key negated", self.encode((P[0], p - P[1])), message, good
        yield "key off the curve", self.encode((P[0], (P[1] + 1) % p)), message, good
        yield "key is 0, 0", b"\4" + bytes(64), message, good
        yield "key is infinity", b"\0", message, good
        yield "key compressed", bytes([2 + (P[1] & 1)]) + key[1:33], message, good
        yield "key hybrid", bytes([6 + (P[1] & 1)]) + key[1:], message, good
        yield "key without its head", key[1:], message, good
        yield "key of 66 bytes", key + b"\0", message, good
        x = next(x for x in range(1, 99) if pow(x**3 + self.a * x + self.b, (p - 1) // 2, p) == 1)
        y = pow(x**3 + self.a * x + self.b, (p + 1) // 4, p)
        yield "key of a small x", self.encode((x, y)), message, good
        yield "key of that x + p", b"\4" + (x + p).to_bytes(32, "big") + y.to_bytes(32, "big"), message, good

def parts():
    found = {}
    for line in (HERE / "signature-bundle.hex").read_text().splitlines():
        if not line.startswith("#"): suite, part, data = line.split(); found.setdefault(suite, {})[part] = bytes.fromhex(data)
    return found

def certificate(value):
    """The first [[3, epoch, view, [height, header, root]], signatures] in it."""
    if not isinstance(value, (list, tuple)): return None
    if len(value) == 2 and isinstance(value[0], (list, tuple)) and len(value[0]) == 4 and value[0][0] == 3 and isinstance(value[1], (list, tuple)):
        return value
    return next(filter(None, map(certificate, value)), None)

def main():
    output = []
    for name, scheme, alg, digest in (("ed25519-sha256", Ed25519(), -8, h256), ("sm2-sm3", SM2(), -65601, sm3)):
        files = parts()[name]
        (_, epoch, view, (height, header, root)), signatures = certificate(cbor2.loads(files["bundle"]))
        key = cbor2.loads(files["genesis"])[5][1][0][1][1]
        protected = cbor2.dumps({1: alg, 4: digest(key)[:16], 395: 1,
                                 -70002: [digest(files["genesis"]), epoch, view, height, header]}, canonical=True)
        message = cbor2.dumps(["Signature1", protected, b"", root])
        assert scheme.decide(key, message, signatures[0][1]) == "valid", "the bundle's own vote"
        for what, public_key, signed, signature in scheme.cases(bytes(30) + bytes([0, 101]), message):
            decision = scheme.decide(public_key, signed, signature)
            output.append({"suite": name, "name": what, "publicKey": public_key.hex(), "message": signed.hex(),
                           "signature": signature.hex(), "decision": decision})
            if "times a point of order 8" in what: assert scheme.holds_with_cofactor(public_key, signed, signature)
            assert (decision == "valid") == (what == "good") and (what != "good" or public_key == key), (name, what, decision)
    names = [(case["suite"], case["name"]) for case in output]
    assert len(set(names)) == len(names)
    text = "[\n" + ",\n".join(json.dumps(case) for case in output) + "\n]\n"
    (HERE / "signatures.json").write_text(text)
    print(len(output), "cases")

if __name__ == "__main__": main()
