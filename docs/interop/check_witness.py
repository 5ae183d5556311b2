"""A witness outside the ledger: checkpoints cosigned here, from the C2SP documents alone and with `cryptography`, for huijin-verify."""
import base64, hashlib, json
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import check_tlog
from common import expect

TIME = 1_767_300_000


class Witness:
    """A key, named as c2sp.org/signed-note says."""

    def __init__(self, name):
        self.name = name
        self.key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        data = b"\4" + self.key.public_key().public_bytes_raw()
        self.identity = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        self.verifier_key = f"{name}+{self.identity.hex()}+{base64.b64encode(data).decode()}"

    def line(self, text, time=TIME):
        """Its cosignature/v1 of a checkpoint (c2sp.org/tlog-cosignature)."""
        signature = self.key.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        return f"\u2014 {self.name} " + base64.b64encode(self.identity + time.to_bytes(8, "big") + signature).decode() + "\n"


def witness(native, bundle):
    """huijin-verify names who cosigned what it proves, and nobody else."""
    one, two = Witness("witness.example/one"), Witness("witness.example/two")
    text_file, note_file = native.folder / "checkpoint.txt", native.folder / "note"
    native.bundle.write_bytes(bundle)
    words = ["--genesis", native.genesis, "--bundle", native.bundle, "--json"]
    run = native.run(*words, "--note-out", text_file)
    expect(run.returncode == 0, f"the checkpoint is written: {run.stderr}")
    text = text_file.read_text()

    def judge(note, *witnesses):
        """(exit code, what the report says of witnesses)"""
        note_file.write_bytes(note if isinstance(note, bytes) else note.encode())
        keys = [word for each in witnesses for word in ("--witness", each.verifier_key)]
        run = native.run(*words, "--witnessed", note_file, *keys)
        return run.returncode, json.loads(run.stdout).get("witnessed") if run.stdout else None

    note = f"{text}\n" + two.line(text) + one.line(text, TIME + 1)
    code, seen = judge(note, one, two)
    expect(code == 0 and [each["timeMs"] for each in seen["witnesses"]] == [(TIME + 1) * 1000, TIME * 1000], f"both are named: {code} {seen}")
    policy = f"witness w {one.verifier_key}\nquorum w\n"
    read = check_tlog.read_checkpoint(note.encode(), check_tlog.read_policy(policy))
    expect((read[1], read[2].hex(), read[3]) == (seen["logSize"], seen["logRoot"], ["w"]), f"check_tlog.py reads the same: {read}")
    expect(judge(f"{text}\n" + two.line(text), one)[0] == 2, "another's cosignature is not his")
    expect(judge(f"{text}\n" + one.line(text.replace("huijin/", "huijin/0")), one)[0] == 2, "nor is his of another log")
    lines = text.splitlines()
    other = "\n".join([lines[0], lines[1], base64.b64encode(hashlib.sha256(b"other").digest()).decode()]) + "\n"
    expect(judge(f"{other}\n" + one.line(other), one)[0] == 3, "another log of the same size: two histories")
    longer = "\n".join([lines[0], str(int(lines[1]) + 1), lines[2]]) + "\n"
    expect(judge(f"{longer}\n" + one.line(longer), one)[0] == 2, "a longer log is not proven")
    note = f"{text}\n{one.line(text)}".encode()
    for at in range(0, len(note), 3):
        altered = bytearray(note)
        altered[at] ^= 1
        expect(judge(bytes(altered), one)[0] in (1, 2), f"byte {at}: accepted")
    print(f"  a log of {seen['logSize']} leaves, seen by {', '.join(each['name'] for each in seen['witnesses'])}")
