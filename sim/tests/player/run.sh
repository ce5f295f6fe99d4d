#!/usr/bin/env bash
# Plays a run of a thousand nodes in headless Chromium, and compares what the page shows with what the film has. Needs a release build.
set -euo pipefail
cd "$(dirname "$0")/../../.."
export PLAYER_TOOLS=${PLAYER_TOOLS:-$PWD/target/player-tools}
sim/tests/player/install.sh "$PLAYER_TOOLS"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
release=${CARGO_TARGET_DIR:-target}/release
scenario=scenarios/lan-1000.toml
moments=(0 10 29.999999 30 30.8 31.07 31.56 31.7 31.75 32.25 33.333333 34 35.000001 36 38.5 41 44 47 55 80 120)

cargo build --quiet --release -p rumormill-sim --example moments
"$release/rumor-sim" replay "$scenario" --seed 1 --html="$folder/player.html" --quiet
"$release/examples/moments" "$scenario" 1 "${moments[@]}" >"$folder/moments.json"
node sim/tests/player/check.mjs "$folder/player.html" "$folder/moments.json"
