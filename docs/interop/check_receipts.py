"""Receipts and transparent statements, before scitt-cose and, of the SM2 chain, sm2.py and `openssl`. See check.py."""
import base64, hashlib, pathlib, subprocess, sys
import cbor2
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
import scitt_cose
import sm2
import verify_bundle as other
from common import expect


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
    size = cbor2.loads(parts["history"])[3][1][6]
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


# --- Transparent statements ---

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


# --- The SM2 chain ---

def openssl(folder, pem, signature, message):
    """Whether the `openssl` command takes an SM2 signature r ‖ s."""
    numbers = [int.from_bytes(part, "big") for part in (signature[:32], signature[32:])]
    (folder / "signature.der").write_bytes(encode_dss_signature(*numbers))
    (folder / "message").write_bytes(message)
    words = "pkeyutl -verify -pubin -rawin -digest sm3 -pkeyopt distid:1234567812345678 -inkey".split()
    run = subprocess.run(["openssl", *words, pem, "-in", folder / "message", "-sigfile", folder / "signature.der"], capture_output=True)
    return run.returncode == 0


def sm2_receipts(native, parts):
    """Receipts and statements of the SM2 chain: the signed root follows from leaf and path with SM3."""
    folder, other.suite = native.folder / "receipts", 2
    bundle = native.folder / "history.cbor"
    bundle.write_bytes(parts["history"])
    run = native.run("receipts", bundle, "--genesis", native.genesis, "--out", folder)
    expect(run.returncode == 0, f"huijin-verify receipts: {run.stderr}")
    root, scratch = bytes.fromhex((folder / "root.hex").read_text().strip()), native.folder / "altered.cbor"
    keys = {path.stem: base64.b64decode("".join(path.read_text().splitlines()[1:-1]))[-65:] for path in folder.glob("*.pem")}

    def leads_to(receipt, leaf):
        """The root, and what the receipt's key signed."""
        protected, unprotected, payload, signature = cbor2.loads(receipt).value
        size, index, path = cbor2.loads(unprotected[396][-1][0])
        found = other.root_from_path(other.leaf_hash(leaf), index, size, path)
        return found, signature, cbor2.dumps(["Signature1", protected, b"", found])

    files = sorted(folder.glob("*.validator-*.cbor"))
    for number, path in enumerate(files):
        entry, signer = path.stem.split(".")
        found, signature, message = leads_to(path.read_bytes(), (folder / f"{entry}.leaf").read_bytes())
        expect(found == root and sm2.is_valid(keys[signer], signature, message), f"{path.name} holds")
        wrong = leads_to(path.read_bytes(), parts["genesis"])
        expect(not sm2.is_valid(keys[signer], *wrong[1:]), f"{path.name} is for one leaf alone")
        if number < 4:
            pem, altered = folder / f"{signer}.pem", signature[:40] + bytes([signature[40] ^ 1]) + signature[41:]
            verdicts = [openssl(native.folder, pem, what, message) for what in (signature, altered)]
            expect(verdicts == [True, False], f"openssl on {path.name}: {verdicts}")
    result = scitt_cose.verify_receipt(files[0].read_bytes(), leaf_entry_hex=(folder / "entry-0.leaf").read_bytes().hex(),
                                       log_public_key_pem=(folder / "validator-1.pem").read_bytes())
    expect(not result.ok, "scitt-cose does not know SM2 with SM3")

    statements = sorted(folder.glob("*.statement.cbor"))
    expect(statements, "some transaction was signed by itself")
    for path in statements:
        entry, statement = path.name.split(".")[0], path.read_bytes()
        protected, unprotected, payload, signature = cbor2.loads(statement).value
        message = cbor2.dumps(["Signature1", protected, b"", payload])
        expect(sm2.is_valid(keys[f"{entry}.issuer"], signature, message), f"{path.name}: the member's signature")
        leaf = cbor2.dumps([1, sm2.sm3(envelope_of(statement))])
        for receipt in unprotected[394]:
            found, signed, message = leads_to(receipt, leaf)
            expect(found == root and any(sm2.is_valid(key, signed, message) for key in keys.values()), f"{path.name}: a receipt")
        few = cbor2.CBORTag(18, [protected, {**unprotected, 394: unprotected[394][:2]}, payload, signature])
        for what, code in ((statement, 0), (cbor2.dumps(few, canonical=True), 2), (statement[:-1] + bytes([statement[-1] ^ 1]), 1)):
            scratch.write_bytes(what)
            found = native.run("statement", scratch, "--genesis", native.genesis).returncode
            expect(found == code, f"{path.name}: huijin-verify says {found}, not {code}")
    print(f"  {len(files)} receipts and {len(statements)} statements hold by the arithmetic of the standard, and by `openssl`; "
          "scitt-cose says that it does not know the algorithm")
