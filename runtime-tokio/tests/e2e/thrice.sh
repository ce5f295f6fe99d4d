#!/usr/bin/env bash
# Runs the end-to-end tests three times in a row (or as often as the argument says); each run has to pass and leave nothing behind.
set -euo pipefail
times=${1:-3}
for run in $(seq "$times"); do
  begin=$SECONDS
  "$(dirname "$0")/run.sh"
  echo "::: run $run of $times: $((SECONDS - begin)) s"
done
