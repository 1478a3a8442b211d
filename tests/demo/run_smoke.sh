#!/usr/bin/env bash
# tests/demo/run_smoke.sh [SERVER]: the demo for some seconds with each of its clients. Fails on any event lost,
# doubled or misplaced, and when the native client, replaying what the SDK's run recorded, sends another number.
set -euo pipefail
cd "$(dirname "$0")/../.."
server=${1:-build/release/millrace}
mkdir -p build
scratch=$(mktemp -d build/demo-smoke-XXXXXX)
trap 'rm -rf "$scratch"' EXIT

passed=0 failed=0
# demo NAME ARGUMENT…: runs it, shows it, keeps its output in $scratch/NAME.
demo() {
  local name=$1
  shift
  if examples/demo/run --server "$server" "$@" 2>&1 | tee "$scratch/$name"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}
sent() { sed -n 's/^verdict: sent \([0-9,]*\),.*/\1/p' "$scratch/$1"; }

demo sdk --client sdk --rate 400 --peak 1200 --seconds 5 --record "$scratch/trace.ndjson"
demo native --client native --rate 400 --peak 1200 --seconds 5 --replay "$scratch/trace.ndjson"
if [[ -n $(sent sdk) && $(sent sdk) == "$(sent native)" ]]; then
  passed=$((passed + 1))
else
  echo "the replay sent '$(sent native)' events, the recorded run '$(sent sdk)'"
  failed=$((failed + 1))
fi
demo fast --client native --rate 10000 --peak 30000 --seconds 4
echo "$passed passed, $failed failed"
((failed == 0))
