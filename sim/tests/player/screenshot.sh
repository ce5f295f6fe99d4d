#!/usr/bin/env bash
# Takes the README's picture of the player: screenshot.sh OUT.png. Needs a release build of rumor-sim.
set -euo pipefail
out=$(realpath -m "${1:?usage: screenshot.sh OUT.png}")
cd "$(dirname "$0")/../../.."
export PLAYER_TOOLS=${PLAYER_TOOLS:-$PWD/target/player-tools}
sim/tests/player/install.sh "$PLAYER_TOOLS"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${CARGO_TARGET_DIR:-target}/release/rumor-sim" replay scenarios/wan-3-zones.toml --seed 1 --html="$folder/player.html" --quiet
node sim/tests/player/shot.mjs "$folder/player.html" "$out" width=1300 height=850 "hash=#t=400"
ls -l "$out"
