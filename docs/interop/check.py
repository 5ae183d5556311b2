#!/usr/bin/env python3
"""Shows bundles and receipts to programs that share no code with Huijin's. `make interop` runs it; see README.md.

    check.py --huijin-verify PROGRAM [--mutations N] [--seed S]

1. verify_bundle.py proves the good bundles of Tests/Vectors/bundle.hex and says the same as huijin-verify.
2. Damaged bundles: neither of the two accepts one with another answer, and they accept the same ones.
3. verify_bundle.py refuses the Ed25519 keys and signatures that `cryptography` takes and libsodium does not.
4. scitt-cose accepts every receipt that `huijin-verify receipts` writes, and no altered one with another answer.
5. scitt-cose accepts the transparent statements and their receipts; huijin-verify demands a quorum of them, and takes those that
   scitt-cose put together.
   The SM2 chain is judged by verify_bundle.py with sm2.py, by sm2.py itself, and by the `openssl` command.
6. check_tlog.py, which knows C2SP's documents alone, accepts the log in Tests/Vectors/tlog.hex and no altered file of it.
7. huijin-verify names a witness who cosigned, from the same documents, what it proves, in both suites; and no other.

Ends with 1 if anything is otherwise.
"""
import argparse, base64, hashlib, pathlib, random, sys, tempfile
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import check_bundles, check_receipts, check_tlog, check_witness
from common import FAILURES, ROOT, Native, expect, vectors


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
        check_bundles.good_bundles(native, mine)
        print(f"damaged bundles / 损坏的证据包 (seed {seed})")
        check_bundles.bad_bundles(native, mine, arguments.mutations, random.Random(seed))
        print("signatures on which libraries disagree / 签名边界情形")
        check_bundles.edge_cases()
        check_bundles.edge_vectors()
        print("receipts / 收据 (scitt-cose)")
        check_receipts.receipts(native, mine)
        print("transparent statements / 透明陈述 (scitt-cose)")
        check_receipts.statements(native)
        print("checkpoint and tiles / 检查点与分块 (C2SP)")
        tlog(pathlib.Path(name) / "tlog")
        print("witnesses / 见证方 (C2SP)")
        for suite, native in natives.items():
            check_witness.witness(native, parts[suite]["transaction"])
        print("the SM2 chain / 国密账本")
        native, mine = natives["sm2-sm3"], parts["sm2-sm3"]
        check_bundles.good_bundles(native, mine)
        check_bundles.bad_bundles(native, mine, arguments.mutations // 4, random.Random(seed))
        check_receipts.sm2_receipts(native, mine)
    if FAILURES:
        print(f"{len(FAILURES)} failures / 处不符")
        return 1
    print("all as it should be / 全部符合")
    return 0


if __name__ == "__main__":
    sys.exit(main())
