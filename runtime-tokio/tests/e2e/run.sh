#!/usr/bin/env bash
# Runs the end-to-end tests once, as root, and then looks whether they left anything behind: a process, a mount, a named network
# namespace, a temporary file. Needs what `e2e_tools` of .ci/run installs.
set -euo pipefail
cd "$(dirname "$0")/../../.."
export RUMOR_E2E_TOOLS=${RUMOR_E2E_TOOLS:-$PWD/target/e2e-tools}

folder=$(mktemp -d)
# Everything that the tests start has this in its environment.
mark="RUMOR_E2E_RUN=$folder"
namespaces=$(ip netns list | sort)

tests() {
  env "$mark" TMPDIR="$folder" cargo test --workspace --features rumormill-tokio/e2e "$@"
}

survivors() {
  grep -lzxF "$mark" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3 || true
}

left_behind() {
  # What was killed last needs a moment to be gone.
  for _ in $(seq 50); do
    [ -z "$(survivors)" ] && break
    sleep 0.2
  done
  for process in $(survivors); do
    echo "left behind: process $process: $(tr '\0' ' ' <"/proc/$process/cmdline")"
  done
  grep -F " $folder/" /proc/mounts | sed 's/^/left behind: mount /' || true
  diff <(echo "$namespaces") <(ip netns list | sort) | sed -n 's/^> /left behind: network namespace /p' || true
  find "$folder" -mindepth 1 -maxdepth 1 | sed 's/^/left behind: /'
}

tests --lib serf
tests --test e2e --test snapshot_serf -- --skip faults::
# Faults are mostly waited for, so that several have room.
tests --test e2e faults:: -- --test-threads=6
left=$(left_behind)
if [ -n "$left" ]; then
  echo "$left"
  exit 1
fi
rmdir "$folder"
echo "nothing was left behind"
