#!/usr/bin/env python3
"""Evidence bundles of a Huijin ledger, verified from Python. 在 Python 中核验汇津证据包。

Needs Python 3.10, libhuijin_verify.so (`make library`) and nothing else; no build step.

    from huijin_verify import Library
    library = Library("./libhuijin_verify.so")
    report = library.verify(genesis, bundle, expected=["asset 5a…"])
    report.verdict          # "proven", "proven-false", "not-proven", "cannot-be-trusted-yet", "fork-proven", "two-histories"
    bool(report)            # whether it is "proven": what it says may be a no (no such record, a licence that was not live)
    report.facts["height"]  # what the report says, as a dictionary
    report.text             # the report that `huijin-verify` prints, in English and Chinese

To follow a ledger: trust=b"" the first time, then report.kept of the last proven report. After "fork-proven" report.kept is
the evidence, and unless report.facts["byEndedKeys"] nothing is to be proven with that trust until people have settled which
history is true. To start at a checkpoint that somebody whom you believe told you: checkpoint= and accepted=. What witnesses
saw: note= and witnesses=.

On the command line: huijin_verify.py LIBRARY GENESIS BUNDLE [QUESTION…], with the exit codes of `huijin-verify`;
71 when memory is short.
"""
import ctypes
import json
import sys
import time
from dataclasses import dataclass

PROVEN, PROVEN_FALSE, NOT_PROVEN, FORK, MISUSE = 0, 1, 2, 3, 64
_UNREADABLE, _NO_MEMORY, _UNWRITABLE = 66, 71, 73
_GENESIS, _BUNDLE, _EXPECTED, _CHECKPOINT, _ACCEPTED, _TRUST, _NOTE, _WITNESS = range(1, 9)
_BOTH = 2


class _Part(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("start", ctypes.c_char_p), ("count", ctypes.c_ssize_t)]


class _Result(ctypes.Structure):
    _fields_ = [("report", ctypes.c_void_p), ("kept", ctypes.c_void_p), ("kept_count", ctypes.c_ssize_t)]


@dataclass(frozen=True)
class Report:
    code: int
    facts: dict
    text: str
    kept: bytes | None

    @property
    def verdict(self):
        return self.facts["verdict"]

    def __bool__(self):
        """Whether the report is proven, not whether what was asked is so: a role that was not held is proven, too."""
        return self.code == PROVEN


class Library:
    def __init__(self, path="libhuijin_verify.so"):
        self._library = ctypes.CDLL(path)
        self._library.huijin_verify.restype = ctypes.c_int32
        self._library.huijin_verify.argtypes = [
            ctypes.POINTER(_Part), ctypes.c_ssize_t, ctypes.c_uint64, ctypes.c_int32, ctypes.POINTER(_Result)]
        self._library.huijin_release.restype = None
        self._library.huijin_release.argtypes = [ctypes.POINTER(_Result)]

    def verify(self, genesis: bytes, bundle: bytes, *, expected=(), checkpoint: bytes | None = None,
               accepted: str | None = None, trust: bytes | None = None, note: bytes | None = None,
               witnesses=(), now_ms: int | None = None) -> Report:
        """What the bundle proves. Raises ValueError or TypeError when an argument is not what it should be, MemoryError."""
        if isinstance(expected, str) or isinstance(witnesses, str):
            raise TypeError("expected and witnesses are lists of texts / expected 与 witnesses 须为文本列表")
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        if not isinstance(now_ms, int):
            raise TypeError("now_ms is a whole number of milliseconds / now_ms 须为整数毫秒")
        if not 0 <= now_ms < 1 << 64:
            raise ValueError("now_ms is milliseconds of Unix time, of 64 bits / now_ms 为 64 位 Unix 毫秒时间")
        optional = [(_CHECKPOINT, checkpoint), (_ACCEPTED, accepted), (_TRUST, trust), (_NOTE, note)]
        parts = [(_GENESIS, genesis), (_BUNDLE, bundle)]
        parts += [(kind, data) for kind, data in optional if data is not None]
        parts += [(_EXPECTED, question) for question in expected] + [(_WITNESS, key) for key in witnesses]
        code, text, kept = self._call(parts, now_ms)
        facts, text = text.split("\n", 1)
        facts = json.loads(facts)
        if code == MISUSE:
            raise ValueError(f"{facts['fault']['en']} / {facts['fault']['zh']}")
        if trust is not None and facts["verdict"] in ("proven", "fork-proven") and kept is None:
            raise MemoryError("no memory for what is to be kept")
        return Report(code, facts, text, kept)

    def _call(self, given, now_ms):
        parts = (_Part * len(given))()
        for part, (kind, data) in zip(parts, given):
            if isinstance(data, str):
                data = data.encode()
            elif isinstance(data, (bytearray, memoryview)):
                data = bytes(data)
            elif not isinstance(data, bytes):
                raise TypeError(f"a part is bytes or a text, not {type(data).__name__} / 各部分须为字节或文本")
            part.kind, part.start, part.count = kind, data, len(data)
        result = _Result()
        code = self._library.huijin_verify(parts, len(given), now_ms, _BOTH, ctypes.byref(result))
        if not result.report:
            raise MemoryError("no memory for the report")
        try:
            kept = ctypes.string_at(result.kept, result.kept_count) if result.kept else None
            return code, ctypes.string_at(result.report).decode(), kept
        finally:
            self._library.huijin_release(ctypes.byref(result))


def main(arguments):
    if len(arguments) < 3:
        print("huijin_verify.py LIBRARY GENESIS BUNDLE [QUESTION…]", file=sys.stderr)
        return MISUSE
    library, genesis, bundle, *expected = arguments
    try:
        with open(genesis, "rb") as file:
            genesis = file.read()
        with open(bundle, "rb") as file:
            bundle = file.read()
        report = Library(library).verify(genesis, bundle, expected=expected)
    except ValueError as mistake:
        print(mistake, file=sys.stderr)
        return MISUSE
    except OSError as problem:
        print(problem, file=sys.stderr)
        return _UNREADABLE
    except MemoryError as problem:
        print(problem or "no memory / 内存不足", file=sys.stderr)
        return _NO_MEMORY
    try:
        sys.stdout.buffer.write(report.text.encode())
        sys.stdout.buffer.flush()
    except OSError as problem:
        print(problem, file=sys.stderr)
        sys.stdout = None
        return _UNWRITABLE
    return report.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
