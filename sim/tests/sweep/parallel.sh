#!/usr/bin/env bash
# A small sweep in 1, 2 and 8 shares by GNU parallel gives the same bytes, also when a share was killed half-way and a result damaged.
#
# Needs GNU parallel (Debian: parallel). Usage: parallel.sh RUMOR_SIM
set -euo pipefail

sim=$(realpath "${1:?usage: parallel.sh RUMOR_SIM}")
cd "$(dirname "$0")/../../.."
if ! parallel --version 2>/dev/null | grep -q '^GNU parallel'; then
  echo "GNU parallel is not there (Debian: apt-get install parallel)" >&2
  exit 1
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PARALLEL_HOME=$dir

"$sim" sweep plan scenarios/lan-1000.toml --set cluster.nodes=20 --set duration=60s --set 'fault[0].nodes={ pick = 2 }' \
  --vary cluster.config.suspicion_mult=2,4,6 --vary cluster.config.gossip_nodes=2..4 --seeds 6 --out "$dir/plan.json"

# All at once.
"$sim" sweep run "$dir/plan.json" --out "$dir/cells-1" --quiet
# The share as an argument.
parallel --jobs 2 "$sim" sweep run "$dir/plan.json" --out "$dir/cells-2" --jobs 1 --quiet --shard {}/2 ::: 1 2
# The share from parallel's own variable, the results in folders of their own.
seq 8 | parallel --jobs 4 -N0 "$sim" sweep run "$dir/plan.json" --out "$dir/cells-8-{#}" --jobs 1 --quiet --shards 8

# Killed at some moment, and a result that lost its end.
"$sim" sweep run "$dir/plan.json" --out "$dir/cells-killed" --jobs 1 --quiet &
killed=$!
while [ "$(find "$dir/cells-killed/cells" -name 'point-*' 2>/dev/null | wc -l)" -lt 3 ] && kill -0 $killed 2>/dev/null; do sleep 0.01; done
kill -KILL $killed 2>/dev/null || true
wait $killed || true
truncate --size=-40 "$(find "$dir/cells-killed/cells" -name 'point-*' | sort | head -n 1)"
"$sim" sweep run "$dir/plan.json" --out "$dir/cells-killed" --quiet

merge() {
  local name=$1
  shift
  "$sim" sweep merge "$dir/plan.json" "$@" --out "$dir/answer-$name" >"$dir/text-$name"
}
merge 1 "$dir/cells-1"
merge 2 "$dir/cells-2"
merge 8 "$dir"/cells-8-*
merge killed "$dir/cells-killed"
for name in 2 8 killed; do
  diff -r "$dir/answer-1" "$dir/answer-$name"
done
echo "1, 2 and 8 shares, and a killed one taken up again: the same bytes"
