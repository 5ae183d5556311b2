"""SM2 signatures with SM3 (GB/T 32918.2, .5; GB/T 32905), for suite 2 of docs/wire-format.md. 国密套件验签。

Verification alone, in the affine arithmetic of the standard; SM3 is that of `cryptography`.
"""
import functools
from cryptography.hazmat.primitives import hashes

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)
SIGNER_ID = b"1234567812345678"


def sm3(data):
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def number(data):
    return int.from_bytes(data, "big")


def point(key):
    """The point of 04 ‖ X ‖ Y, or None."""
    x, y = number(key[1:33]), number(key[33:])
    good = len(key) == 65 and key[0] == 4 and x < P and y < P and (y * y - x * x * x - A * x - B) % P == 0
    return (x, y) if good else None


def add(one, other):
    """None is the point at infinity."""
    if one is None or other is None:
        return other or one
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


@functools.lru_cache(maxsize=4096)
def is_valid(key, signature, message):
    """Whether r ‖ s is the key's over the message (GB/T 32918.2 §7.1)."""
    public = point(key)
    r, s = number(signature[:32]), number(signature[32:])
    t = (r + s) % N
    if public is None or len(signature) != 64 or not (0 < r < N and 0 < s < N and t):
        return False
    numbers = b"".join(part.to_bytes(32, "big") for part in (A, B, *G, *public))
    z = sm3((8 * len(SIGNER_ID)).to_bytes(2, "big") + SIGNER_ID + numbers)
    both, sum_of = add(G, public), None
    for bit in range(255, -1, -1):
        sum_of = add(sum_of, sum_of)
        sum_of = add(sum_of, {(0, 0): None, (1, 0): G, (0, 1): public, (1, 1): both}[s >> bit & 1, t >> bit & 1])
    return sum_of is not None and (number(sm3(z + message)) + sum_of[0]) % N == r
