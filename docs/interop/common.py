"""What the checks share."""
import json, pathlib, subprocess

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
