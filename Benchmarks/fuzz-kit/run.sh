#!/usr/bin/env bash
# Every target in a process of its own, several at a time: a trap ends that one only, and memory is its own.
#
#     RELEASE=folder-of-programs run.sh SECONDS JOBS [options of huijin-fuzz]
#
# What each printed stays in .build/fuzz. Shown are its findings and its figures, not how far it was, but after a trap.
set -euo pipefail

if [ "${1:-}" = target ]; then
  program=$2 name=$3 log=.build/fuzz/$3.log progress='^[^ ]+ --seed [0-9]+ --first [0-9]+$'
  # shellcheck disable=SC2086 # options are words
  "$RELEASE/$program" $FUZZ_OPTIONS --only "$name" > "$log" 2>&1 && exit_code=0 || exit_code=$?
  grep -Ev "$progress|^fuzz: ok" "$log" || true
  [ $exit_code = 0 ] && exit
  grep -E "$progress" "$log" | tail -n 1
  echo "$name: exit code $exit_code, see $log / 退出码 $exit_code"
  exit 1
fi

seconds=$1 jobs=$2
shift 2
export RELEASE FUZZ_OPTIONS="--seconds $seconds $*"
targets=.build/fuzz/targets
mkdir -p .build/fuzz
: > "$targets"
for program in huijin-fuzz huijin-fuzz-services; do
  names=$("$RELEASE/$program" --list "$@")
  for name in $names; do echo "$program $name" >> "$targets"; done
done
[ -s "$targets" ] || { echo "no such target / 没有该项: $*" >&2; exit 1; }
xargs -P "$jobs" -L 1 "$0" target < "$targets"
echo "fuzz: ok, $(wc -l < "$targets") targets"
