# Machines for the tests of the package, to be sourced: each has this machine's files (what it writes vanishes with it), its own processes, network and
# host name, and systemd, or only a shell, as its first process. Needs root, overlayfs and cgroup2.

set -euo pipefail

machines=$(mktemp -d --suffix=.rumor-machines)
# A cgroup of its own for each, below this one.
cgroups=$(findmnt --noheadings --first-only --output TARGET --types cgroup2)/$(basename "$machines")
declare -A first_process=()

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Waits until a command succeeds: eventually SECONDS COMMAND...
eventually() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "in vain: $*"
    sleep 0.2
  done
}

# The process that `timeout unshare` started.
first_process_of() {
  pgrep --parent "$(pgrep --parent "$1")"
}

# A network that connects machines: a bridge in a namespace of its own.
hub_start() {
  timeout --signal=KILL 1800 unshare --net --fork --kill-child sleep 1800 &
  echo $! >"$machines/hub.unshare"
  eventually 20 first_process_of $!
  hub=$(first_process_of $!)
  eventually 20 nsenter --target "$hub" --net ip link add hub type bridge
  nsenter --target "$hub" --net ip link set hub up
}

# Starts a machine: machine_start NAME systemd|shell [ADDRESS/BITS]
machine_start() {
  local name=$1 init=$2 address=${3:-} keeper
  mkdir -p "$cgroups/$name" "$machines/$name"
  (
    echo "$BASHPID" >"$cgroups/$name/cgroup.procs"
    # Should this script be killed, nothing stays behind for long.
    exec timeout --signal=KILL 1800 unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child --propagation private \
      bash "$(dirname "${BASH_SOURCE[0]}")/machine-init.sh" "$name" "$init" "$machines/$name"
  ) >"$machines/$name.log" 2>&1 </dev/null &
  keeper=$!
  echo "$keeper" >"$machines/$name.unshare"
  eventually 30 test -e "$machines/$name/is-up"
  first_process[$name]=$(first_process_of "$keeper")
  if [ -n "$address" ]; then
    ip link add name "port-$name" netns "$hub" type veth peer name eth0 netns "${first_process[$name]}"
    nsenter --target "$hub" --net ip link set "port-$name" master hub up
    nsenter --target "${first_process[$name]}" --net ip addr add "$address" dev eth0
    nsenter --target "${first_process[$name]}" --net ip link set eth0 up
  fi
  if [ "$init" = systemd ]; then
    eventually 90 on "$name" systemctl is-active multi-user.target
  fi
}

# Runs a command on a machine: on NAME COMMAND...
on() {
  local name=$1
  shift
  nsenter --target "${first_process[$name]}" --mount --pid --net --ipc --uts --cgroup \
    env --chdir=/root -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# Puts a file of this machine onto another: put NAME FILE PATH
put() {
  on "$1" sh -c 'cat >"$0"' "$3" <"$2"
}

machines_end() {
  local file name
  for file in "$machines"/*.unshare; do
    [ -e "$file" ] || continue
    # Its first process dies with it, and all others with that.
    pkill -KILL --parent "$(cat "$file")" || true
    wait "$(cat "$file")" 2>/dev/null || true
  done
  if [ -d "$cgroups" ]; then
    for _ in $(seq 100); do
      find "$cgroups" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.1
    done
  fi
  rm -rf "$machines"
}

machines_report() {
  local status=$? name
  if [ "$status" != 0 ]; then
    for name in "${!first_process[@]}"; do
      echo "--- $name" >&2
      tail -n 5 "$machines/$name.log" >&2 || true
      on "$name" journalctl --no-pager --lines 40 --unit 'rumor*' >&2 2>/dev/null || true
    done
  fi
  machines_end 2>/dev/null
  exit "$status"
}
trap machines_report EXIT
