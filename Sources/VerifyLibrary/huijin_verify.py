#!/usr/bin/env python3
"""Evidence bundles of a Huijin ledger, verified from Python. 在 Python 中核验汇津证据包。

Needs libhuijin_verify.so (`make library`) and nothing else; no build step.

    from huijin_verify import Library
    report = Library("libhuijin_verify.so").verify(genesis, bundle)
    report.verdict          # "proven", "proven-false", "not-proven", "cannot-be-trusted-yet"
    report.facts["height"]  # what the report says, as a dictionary

On the command line: huijin_verify.py LIBRARY GENESIS BUNDLE, with the exit codes of `huijin-verify`.
"""
import ctypes
import json
import sys
from dataclasses import dataclass

PROVEN, PROVEN_FALSE, NOT_PROVEN, MISUSE = 0, 1, 2, 64
_JSON, _TEXT = 0, 1


@dataclass(frozen=True)
class Report:
    code: int
    facts: dict

    @property
    def verdict(self):
        return self.facts["verdict"]

    def __bool__(self):
        return self.code == PROVEN


class Library:
    def __init__(self, path="libhuijin_verify.so"):
        self._library = ctypes.CDLL(path)
        self._library.huijin_verify.restype = ctypes.c_int32
        self._library.huijin_verify.argtypes = [
            ctypes.c_char_p, ctypes.c_ssize_t, ctypes.c_char_p, ctypes.c_ssize_t, ctypes.c_int32,
            ctypes.POINTER(ctypes.c_void_p)]
        self._library.huijin_release.restype = None
        self._library.huijin_release.argtypes = [ctypes.c_void_p]

    def verify(self, genesis: bytes, bundle: bytes) -> Report:
        """What the bundle proves. Raises ValueError when `genesis` is none."""
        code, text = self._call(genesis, bundle, _JSON)
        facts = json.loads(text)
        if code == MISUSE:
            raise ValueError(facts["fault"])
        return Report(code, facts)

    def text(self, genesis: bytes, bundle: bytes) -> str:
        """The report that `huijin-verify` prints, in English and Chinese."""
        return self._call(genesis, bundle, _TEXT)[1]

    def _call(self, genesis, bundle, form):
        report = ctypes.c_void_p()
        code = self._library.huijin_verify(
            genesis, len(genesis), bundle, len(bundle), form, ctypes.byref(report))
        if not report.value:
            raise MemoryError("no memory for the report")
        try:
            return code, ctypes.string_at(report.value).decode()
        finally:
            self._library.huijin_release(report)


def main(arguments):
    if len(arguments) != 3:
        print("huijin_verify.py LIBRARY GENESIS BUNDLE", file=sys.stderr)
        return MISUSE
    library, genesis, bundle = arguments
    with open(genesis, "rb") as file:
        genesis = file.read()
    with open(bundle, "rb") as file:
        bundle = file.read()
    library = Library(library)
    print(library.text(genesis, bundle), end="")
    try:
        return library.verify(genesis, bundle).code
    except ValueError:
        return MISUSE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
