#!/usr/bin/env python3
"""check_tlog.py FOLDER [--policy FILE]: checks a static transparency log. 核验静态透明日志。

Written from the C2SP documents alone (signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy, tlog-tiles, RFC 6962), with `cryptography`
for Ed25519: it knows nothing of Huijin. It checks that the checkpoint is cosigned by a quorum of the policy's witnesses, that the bundles of
entries are what the level 0 tiles hash, that all tiles lead to the checkpoint's root, and one entry's inclusion proof made from tiles.
The policy must come from somebody whom the reader believes; by default it is FOLDER/policy. Exit code 1: refused.
"""
import argparse, base64, binascii, hashlib, pathlib, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH, ED25519_COSIGNATURE = 256, 4


class Refused(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Refused(what)


def base64_of(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(f"not base 64: {text[:20]}")


# --- Keys, policy, notes ---

def verifier_key(text):
    """(key name, key ID, public key) of a cosigner's vkey: name+ID+base64(type || key), the ID checked."""
    name, hexadecimal, encoded = text.split("+", 2)
    data = base64_of(encoded)
    need(data[0] == ED25519_COSIGNATURE and len(data) == 33, "a cosigner's vkey is of type 4")
    identity = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    need(identity.hex() == hexadecimal, "the vkey's ID is that of its name and key")
    return name, identity, data[1:]


def read_policy(text):
    """(witnesses by name, groups by name, name of the quorum)."""
    witnesses, groups, quorum = {}, {}, None
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "witness":
            key = verifier_key(words[2])
            need(key[2] not in [other[2] for other in witnesses.values()], "no witness key twice")
            witnesses[words[1]] = key
        elif words[0] == "group":
            members = words[3:]
            need(all(name in witnesses or name in groups for name in members), "members stand before their group")
            least = {"all": len(members), "any": 1}.get(words[2]) or int(words[2])
            need(1 <= least <= len(members) == len(set(members)), "a group's threshold")
            groups[words[1]] = least, members
        elif words[0] == "quorum":
            need(quorum is None and (words[1] in witnesses or words[1] in groups), "one quorum, of a known name")
            quorum = words[1]
        else:
            need(words[0] == "log", f"unknown policy line: {words[0]}")
    need(quorum, "a policy has a quorum")
    return witnesses, groups, quorum


def is_witnessed(name, policy, cosigned):
    witnesses, groups, _ = policy
    if name in witnesses:
        return name in cosigned
    least, members = groups[name]
    return sum(is_witnessed(member, policy, cosigned) for member in members) >= least


def read_checkpoint(note, policy):
    """(origin, size, root, cosigning witnesses) of a signed note that the policy's quorum cosigned."""
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise Refused("a note is UTF-8")
    need(all(ord(character) >= 0x20 or character == "\n" for character in text), "control characters in a note")
    body, separator, lines = text.rpartition("\n\n")
    need(separator and lines.endswith("\n"), "a note has a text, an empty line and signatures")
    body += "\n"
    fields = body[:-1].split("\n")
    need(len(fields) >= 3 and all(fields), "a checkpoint has at least three lines")
    origin, size, root = fields[0], fields[1], base64_of(fields[2])
    need(size.isascii() and size.isdigit() and str(int(size)) == size and len(root) == 32, "size and root")
    cosigned = set()
    for line in lines[:-1].split("\n"):
        words = line.split(" ")
        need(len(words) == 3 and words[0] == "\u2014" and words[1], "a signature line")
        blob = base64_of(words[2])
        for name, (key_name, identity, key) in policy[0].items():
            if (key_name, identity) != (words[1], blob[:4]):
                continue
            need(len(blob) == 4 + 8 + 64, "a timestamped signature")
            time = int.from_bytes(blob[4:12], "big")
            need(time < 2**63, "a time of less than 2^63 s")
            message = f"cosignature/v1\ntime {time}\n{body}".encode()
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(blob[12:], message)
            except InvalidSignature:
                raise Refused(f"cosignature of {name}")
            cosigned.add(name)
    need(is_witnessed(policy[2], policy, cosigned), f"no quorum: cosigned by {sorted(cosigned)}")
    return origin, int(size), root, sorted(cosigned)


# --- The tree (RFC 6962 §2.1) and its files ---

def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(size):
    return 1 << (size - 1).bit_length() - 1


def tile_path(kind, number, width):
    digits = str(number).zfill((len(str(number)) + 2) // 3 * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"tile/{kind}/{path}" + (f".p/{width}" if width < WIDTH else "")


class Tiles:
    """The hashes of a log's tiles, read when asked for."""

    def __init__(self, folder, size):
        self.folder, self.size, self.read = folder, size, {}

    def count(self, level):
        return self.size // WIDTH**level

    def tile(self, level, number):
        if (level, number) not in self.read:
            width = min(WIDTH, self.count(level) - number * WIDTH)
            data = (self.folder / tile_path(level, number, width)).read_bytes()
            need(len(data) == 32 * width, f"tile {level}/{number} has {width} hashes")
            self.read[level, number] = [data[at:at + 32] for at in range(0, len(data), 32)]
        return self.read[level, number]

    def range_hash(self, start, end):
        """MTH(D[start:end]) for a node of the tree, from the tiles alone."""
        size = end - start
        level = 0
        while size % WIDTH ** (level + 1) == 0:
            level += 1
        if size == WIDTH**level:
            index = start // size
            return self.tile(level, index // WIDTH)[index % WIDTH]
        middle = start + split(size)
        return node_hash(self.range_hash(start, middle), self.range_hash(middle, end))

    def inclusion(self, index):
        """RFC 6962 §2.1.1, lowest sibling first."""
        path, start, end = [], 0, self.size
        while end - start > 1:
            middle = start + split(end - start)
            if index < middle:
                path.append(self.range_hash(middle, end))
                end = middle
            else:
                path.append(self.range_hash(start, middle))
                start = middle
        return path[::-1]


def root_of_inclusion(leaf, index, size, path):
    """RFC 9162 §2.1.3.2."""
    node, last = leaf, size - 1
    for sibling in path:
        need(last > 0, "a path that is too long")
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while index & 1 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        index, last = index >> 1, last >> 1
    need(last == 0, "a path that is too short")
    return node


def read_bundle(data):
    entries = []
    while data:
        size = int.from_bytes(data[:2], "big")
        need(len(data) >= 2 + size, "a bundle of whole entries")
        entries.append(data[2:2 + size])
        data = data[2 + size:]
    return entries


def check(folder, policy_text):
    """What the folder holds, as a dict. Raises Refused."""
    policy = read_policy(policy_text)
    origin, size, root, cosigned = read_checkpoint((folder / "checkpoint").read_bytes(), policy)
    tiles = Tiles(folder, size)
    for number in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - number * WIDTH)
        entries = read_bundle((folder / tile_path("entries", number, width)).read_bytes())
        need(len(entries) == width, f"bundle {number} has {width} entries")
        need([leaf_hash(entry) for entry in entries] == tiles.tile(0, number), f"bundle {number} and its tile")
    level = 1
    while tiles.count(level):
        for number in range(tiles.count(level)):
            below = tiles.tile(level - 1, number)
            while len(below) > 1:
                below = [node_hash(*below[at:at + 2]) for at in range(0, len(below), 2)]
            need(tiles.tile(level, number // WIDTH)[number % WIDTH] == below[0], f"level {level}, hash {number}")
        level += 1
    need(size == 0 or tiles.range_hash(0, size) == root, "the tiles lead to the root")
    index = size * 2 // 3
    path = tiles.inclusion(index)
    number, place = divmod(index, WIDTH)
    entry = read_bundle((folder / tile_path("entries", number, min(WIDTH, size - number * WIDTH))).read_bytes())[place]
    need(root_of_inclusion(leaf_hash(entry), index, size, path) == root, f"inclusion of entry {index}")
    return {"origin": origin, "size": size, "root": root.hex(), "cosigned": cosigned, "included": (index, len(path))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--policy", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        found = check(arguments.folder, (arguments.policy or arguments.folder / "policy").read_text())
    except (Refused, OSError) as refused:
        print(f"REFUSED / 不予采信: {refused}")
        return 1
    print(f"{found['origin']}: {found['size']} entries, root {found['root']}")
    print(f"  cosigned by / 副署: {', '.join(found['cosigned'])}")
    print(f"  all entries lead to the root; entry {found['included'][0]} by a proof of {found['included'][1]} hashes / 全部条目与根相符")
    return 0


if __name__ == "__main__":
    sys.exit(main())
