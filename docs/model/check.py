#!/usr/bin/env python3
"""Checks simplex.pml with SPIN, one line a run; fails when the rules can be broken, a search is cut short, or a mutant
passes. README.md explains the columns."""
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

MODEL = Path(__file__).resolve().parent / "simplex.pml"
MEMORY_MB_MAX = 3500
RUN_SECONDS_MAX = 900
AGREEMENT = "new_&tip"

# (what is shown, bounds in words, defines). Each is searched to the end and must hold.
SOUND = [
    ("agreement, lemmas a-c", "3 views, any order", "VIEWS=3"),
    ("the same, records dropped", "2 views, any order", "VIEWS=2 ADVANCE"),
    ("the same, seats told apart", "2 views, any order", "VIEWS=2 IDENTITY"),
    ("agreement, lemmas a-c", "5 views, lowest first", "VIEWS=5 ORDERED"),
    ("the same, with crashes", "1 view, any order", "VIEWS=1 CRASH"),
    ("the same, with crashes", "3 views, lowest first", "VIEWS=3 CRASH ORDERED"),
    ("agreement over epochs, a-d", "2+1 views, any order", "EPOCH VIEWS=2 NEXT_VIEWS=1"),
    ("agreement over epochs, a-d", "3+2 views, lowest first", "EPOCH VIEWS=3 NEXT_VIEWS=2 ORDERED"),
]
# (guard that is removed, bounds in words, defines). Agreement must break.
MUTANTS = [
    ("quorum", "2 views", "VIEWS=2"),
    ("notarizedAnother", "2 views", "VIEWS=2"),
    ("finalizedBefore", "2 views", "VIEWS=2"),
    ("nullifiedBefore", "2 views", "VIEWS=2"),
    ("notNotarized", "2 views", "VIEWS=2"),
    ("parentNotarized", "2 views", "VIEWS=2"),
    ("nullifiedBetween", "2 views", "VIEWS=2"),
    ("viewIsFinal", "2 views", "VIEWS=2 ADVANCE"),
    ("persist", "2 views, crashes", "VIEWS=2 CRASH ORDERED"),
    ("epochEnds", "2+1 views", "EPOCH VIEWS=2 NEXT_VIEWS=1"),
    ("epochStart", "2+1 views, lowest first", "EPOCH VIEWS=2 NEXT_VIEWS=1 ORDERED"),
    ("bindEpoch", "2+2 views, lowest first", "EPOCH VIEWS=2 NEXT_VIEWS=2 ORDERED IDENTITY"),
]
# (a run that must exist, bounds in words, defines): the model is not sound because nothing happens in it.
WITNESSES = [
    ("two views, two final blocks", "2 views", "VIEWS=2 WITNESS=1"),
    ("nullified, yet final by its child", "2 views", "VIEWS=2 WITNESS=2"),
    ("final above an empty view", "2 views", "VIEWS=2 WITNESS=3"),
    ("boundary proposed again, next epoch", "2+1 views", "EPOCH VIEWS=2 NEXT_VIEWS=1 WITNESS=4"),
]


class Result:
    def __init__(self, output: str, seconds: float):
        def figure(pattern: str) -> float:
            found = re.search(pattern, output)
            return float(found.group(1)) if found else 0

        self.states = int(figure(r"(\d+) states, stored"))
        self.errors = int(figure(r"errors: (\d+)"))
        self.memory_mb = figure(r"([\d.]+)\s+total actual memory usage")
        self.seconds = seconds
        violated = re.search(r"assertion violated (.*)", output)
        self.violated = violated.group(1) if violated else ""
        cut = ("Search not completed", "max search depth too small", "out of memory", "reached limit")
        self.is_complete = self.states > 0 and not any(words in output for words in cut)
        self.output = output


def run(defines: str, optimisation: str = "-O0") -> Result:
    """Short searches are over before a compiler has made them faster."""
    with tempfile.TemporaryDirectory(prefix="huijin-model-") as folder:
        def step(command: list[str]) -> str:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=RUN_SECONDS_MAX)
            if done.returncode != 0:
                raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
            return done.stdout

        step(["spin", "-a"] + [f"-D{define}" for define in defines.split()] + [str(MODEL)])
        # One process acts at a time by indivisible steps on shared state, so partial order reduction has nothing to do.
        step(["gcc", optimisation, "-w", "-DSAFETY", "-DNOREDUCE", f"-DMEMLIM={MEMORY_MB_MAX}", "-o", "pan", "pan.c"])
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        output = step(["./pan", "-m20000", "-n", "-E", "-w24"])
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Processor time: what others do on the machine is not the model's.
        return Result(output, end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime)


def line(name: str, bounds: str, result: Result, verdict: str) -> None:
    print(
        f"{name:36} {bounds:24} {result.states:>9} states {result.seconds:6.1f} s {result.memory_mb:5.0f} MB  {verdict}",
        flush=True)


def outcomes(defines: str) -> tuple[set[str], Result]:
    result = run(defines + " OUTCOMES")
    return {row for row in result.output.splitlines() if row.startswith("outcome")}, result


def main() -> int:
    failures = 0

    def judge(name: str, bounds: str, result: Result, is_right: bool, right: str, wrong: str) -> None:
        nonlocal failures
        failures += 0 if is_right else 1
        line(name, bounds, result, right if is_right else f"FAILED: {wrong}")

    for name, bounds, defines in SOUND:
        result = run(defines, "-O1")
        wrong = f"violated {result.violated}" if result.errors else "the search was cut short"
        judge(name, bounds, result, result.errors == 0 and result.is_complete, "holds", wrong)

    in_any_order, _ = outcomes("VIEWS=2")
    lowest_first, result = outcomes("VIEWS=2 ORDERED")
    judge("lowest first reaches the same", "2 views", result, bool(in_any_order) and in_any_order == lowest_first,
          f"equal: {len(lowest_first)} sets of certificates", "other certificates than in any order")

    for name, bounds, defines in WITNESSES:
        result = run(defines)
        judge(name, bounds, result, result.errors > 0, "reached", "no such run")

    for guard, bounds, defines in MUTANTS:
        result = run(f"{defines} MUTANT BROKEN_{guard}")
        judge(f"without {guard}", bounds, result, AGREEMENT in result.violated, "fork found", "the mutant survived")

    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{spent.ru_utime + spent.ru_stime:.0f} s of processor time, compiling included")
    print("model: ok" if failures == 0 else f"model: {failures} of the runs above failed")
    return 0 if failures == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
